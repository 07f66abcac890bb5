//! Flags of `bonafide stream`.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

/// How fast a recording is streamed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum Speed {
    /// As it was recorded, like a plugin in a live interview.
    #[default]
    Realtime,
    /// As fast as the server takes it.
    Max,
}

/// What is sent of each frame.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum SendFormat {
    /// A JPEG still of each decoded frame.
    #[default]
    Jpeg,
    /// The decoded pixels as planar YUV 4:2:0.
    I420,
    /// The recording's own coded units, not decoded here.
    Coded,
}

/// Streams recordings to a server, as a platform's plugin would, and prints what it says.
#[derive(Clone, Debug, Args)]
pub struct StreamArgs {
    /// Recordings, in any container that FFmpeg reads; each becomes one session
    #[arg(required = true, value_name = "FILE")]
    pub files: Vec<PathBuf>,
    /// The server, such as `http://127.0.0.1:50051`
    #[arg(long, value_name = "URL")]
    pub to: String,
    /// Session to create or resume [default: chosen by the server; with several files, -1, -2 … is appended]
    #[arg(long, value_name = "ID")]
    pub session: Option<String>,
    /// Id of the participant in the picture; an opaque id, never a name
    #[arg(long, value_name = "ID", default_value = "candidate")]
    pub participant: String,
    /// Where the candidate's consent is filed, in your own system
    #[arg(long, value_name = "REFERENCE")]
    pub consent_reference: Option<String>,
    /// How fast to send
    #[arg(long, value_enum, default_value_t)]
    pub speed: Speed,
    /// What to send of each frame
    #[arg(long, value_enum, default_value_t)]
    pub send: SendFormat,
    /// Frames a second to send [default: what the server asks for]
    #[arg(long, value_name = "HZ", value_parser = parse_rate)]
    pub fps: Option<f64>,
    /// Picture of the person who should be in the interview (CV or identity photo)
    #[arg(long, value_name = "IMAGE")]
    pub reference: Option<PathBuf>,
    /// File that holds the API key, and nothing else; a key on the command line would show in process lists
    #[arg(long, value_name = "FILE")]
    pub api_key_file: Option<PathBuf>,
    /// Print one JSON object a line for every message of the server
    #[arg(long)]
    pub json: bool,
}

fn parse_rate(text: &str) -> Result<f64, String> {
    /// No camera of an interview is faster.
    const MAX_RATE_HZ: f64 = 120.0;
    let rate_hz: f64 = text.parse().map_err(|_error| "expected a number of frames a second".to_owned())?;
    if rate_hz > 0.0 && rate_hz <= MAX_RATE_HZ {
        Ok(rate_hz)
    } else {
        Err(format!("must be over 0 and at most {MAX_RATE_HZ}"))
    }
}

#[cfg(test)]
mod tests {
    use clap::{Args, Command, FromArgMatches};

    use super::{SendFormat, Speed, StreamArgs};

    fn parse(arguments: &[&str]) -> Result<StreamArgs, clap::Error> {
        let command = StreamArgs::augment_args(Command::new("stream"));
        let matches = command.try_get_matches_from(["stream"].iter().chain(arguments))?;
        StreamArgs::from_arg_matches(&matches)
    }

    #[test]
    fn flags_have_the_documented_defaults_and_bounds() {
        let args = parse(&["a.mp4", "b.mp4", "--to", "http://localhost:1"]).expect("parses");
        assert_eq!((args.files.len(), args.speed, args.send), (2, Speed::Realtime, SendFormat::Jpeg));
        let fast = ["a.mp4", "--to", "http://localhost:1", "--speed", "max", "--send", "coded", "--fps", "12.5"];
        let args = parse(&fast).expect("parses");
        assert_eq!((args.speed, args.send, args.fps), (Speed::Max, SendFormat::Coded, Some(12.5)));
        for bad in [
            &["--to", "http://localhost:1"][..],
            &["a.mp4"],
            &["a.mp4", "--to", "x", "--fps", "0"],
            &["a.mp4", "--to", "x", "--fps", "NaN"],
        ] {
            assert!(parse(bad).is_err(), "{bad:?}");
        }
    }
}
