//! `bonafide stream`: recordings to a server, as a platform's plugin would send them.

mod player;

use std::io::{IsTerminal as _, Write as _};
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};
use clap::{Args, ValueEnum};
use secrecy::SecretString;

use crate::grpc::{ClientOptions, LiveClient};
use crate::session::{CandidateId, SessionId};

use self::player::{Outcome, Player};
use super::global::GlobalArgs;
use super::result::{participant_json, row, strongest_reasons, table_head};

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
    /// Who is interviewed, by your own id; sessions of one candidate are compared with each other where that is enabled
    #[arg(long, value_name = "ID", value_parser = parse_candidate)]
    pub candidate: Option<CandidateId>,
    /// What the session is called, for people
    #[arg(long, value_name = "TEXT", default_value = "", hide_default_value = true)]
    pub display_name: String,
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
    /// Authority of the server's certificate (PEM), for https
    #[arg(long, value_name = "FILE")]
    pub ca_cert: Option<PathBuf>,
    /// Print one JSON object a line for every message of the server, the result last
    #[arg(long)]
    pub json: bool,
}

impl StreamArgs {
    /// Runs the command: every file is streamed, one after the other, each into a session of its own.
    ///
    /// # Errors
    /// When the server cannot be reached, or at least one file could not be streamed to its end.
    pub fn run(&self, global: &GlobalArgs) -> anyhow::Result<()> {
        let config = global.load_config([])?;
        let _telemetry = super::quiet_telemetry(&config.get().telemetry)?;
        super::runtime()?.block_on(self.stream_all(config.get().media))
    }

    async fn stream_all(&self, limits: crate::media::MediaLimits) -> anyhow::Result<()> {
        let api_key = self.api_key_file.as_deref().map(read_key).transpose()?;
        let options = ClientOptions { endpoint: self.to.clone(), api_key, ca_cert: self.ca_cert.clone() };
        let client = LiveClient::connect(&options).await?;
        let reference =
            self.reference.as_deref().map(std::fs::read).transpose().context("cannot read the reference")?;
        if !self.json {
            println!("{}", table_head());
        }
        let mut n_failed = 0_usize;
        for (position, path) in self.files.iter().enumerate() {
            let session_id = self.session_id(position)?;
            let player = Player { args: self, limits, client: &client, reference: reference.as_deref() };
            match player.play(path, session_id).await {
                Ok(outcome) => self.print(path, &outcome)?,
                Err(error) => {
                    n_failed += 1;
                    eprintln!("{}: {}", path.display(), super::report(&error));
                }
            }
        }
        if n_failed > 0 {
            bail!("{n_failed} of {} files could not be streamed", self.files.len());
        }
        Ok(())
    }

    /// The session of the file at `position`: as named, numbered when there are several files, or made up here.
    fn session_id(&self, position: usize) -> anyhow::Result<SessionId> {
        let id = match &self.session {
            Some(id) if self.files.len() > 1 => format!("{id}-{}", position + 1),
            Some(id) => id.clone(),
            None => format!("stream-{:016x}", rand::random::<u64>()),
        };
        Ok(SessionId::new(&id)?)
    }

    fn print(&self, path: &Path, outcome: &Outcome) -> anyhow::Result<()> {
        let mut out = std::io::stdout().lock();
        for participant in &outcome.session.participants {
            if self.json {
                let mut object = participant_json(&participant.participant_id, &participant.score);
                object["session"] = outcome.session.id.as_str().into();
                object["path"] = path.to_string_lossy().into();
                object["sent_frames"] = outcome.n_sent.into();
                object["dropped_frames"] = outcome.n_dropped.into();
                object["sample_problems"] = outcome.n_problems.into();
                writeln!(out, "{object}")?;
                continue;
            }
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            writeln!(out, "{}", row(&name, &participant.score))?;
            for reason in strongest_reasons(&participant.score) {
                writeln!(out, "    {reason}")?;
            }
            let (n_sent, n_dropped) = (outcome.n_sent, outcome.n_dropped);
            writeln!(
                out,
                "    session {}: {n_sent} frames sent, {n_dropped} dropped by the server",
                outcome.session.id
            )?;
        }
        if outcome.session.participants.is_empty() {
            bail!("the server scored nobody: {} of {} samples were refused", outcome.n_problems, outcome.n_sent);
        }
        Ok(())
    }

    /// Whether a progress bar is drawn.
    fn shows_progress(&self) -> bool {
        !self.json && std::io::stderr().is_terminal()
    }
}

/// The key in a file, without the line's end.
pub(super) fn read_key(path: &Path) -> anyhow::Result<SecretString> {
    let text =
        std::fs::read_to_string(path).with_context(|| format!("cannot read the API key in {}", path.display()))?;
    Ok(SecretString::from(text.trim().to_owned()))
}

fn parse_candidate(text: &str) -> Result<CandidateId, String> {
    CandidateId::new(text).map_err(|error| error.problem.to_owned())
}

/// Reads a number of frames a second.
pub(super) fn parse_rate(text: &str) -> Result<f64, String> {
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
