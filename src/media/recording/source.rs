//! Opening a recording so that nothing but that one file is ever read.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use ffmpeg_the_third::format::context::Input;
use ffmpeg_the_third::{Dictionary, Error, Rational};

use crate::media::coded::{max_coded_pixels, silence_ffmpeg};
use crate::media::error::MediaError;
use crate::media::limits::MediaLimits;
use crate::media::native;
use crate::media::sniff::{CONTAINER_HEAD_BYTES, Container, sniff_container};
use crate::media::time::MediaTime;

use super::codec::PROBING_DECODERS;

/// The formats that are opened, for messages.
const RECORDING: &str = "recording (MP4, MOV, Matroska, WebM or AVI)";
const NANOS_PER_SEC: i128 = 1_000_000_000;
/// Bytes before those that a RIFF file counts.
const RIFF_HEADER_BYTES: u64 = 8;
/// Microseconds a second, the unit of a container's duration.
const MICROS_PER_SEC: f64 = 1e6;

/// An open container within its limits.
pub(super) struct Source {
    pub(super) input: Input,
    pub(super) container: Container,
    /// Seconds that the container states; `None` when it states none.
    pub(super) duration_secs: Option<f64>,
    /// Whether the file has fewer bytes than an AVI header states. FFmpeg shortens the stated length of such a file.
    pub(super) is_short: bool,
}

/// Opens the file by its content. Only the demuxer of the sniffed container, plain files and the decoders that are in use
/// here are allowed: no playlist, no network, no reference to another file.
pub(super) fn open_source(path: &Path, limits: &MediaLimits) -> Result<Source, MediaError> {
    silence_ffmpeg();
    let (container, is_short) = sniff_file(path, limits)?;
    let url = path.to_str().ok_or_else(|| unusable("its path is not UTF-8: rename it"))?;
    let mut options = Dictionary::new();
    options.set("protocol_whitelist", "file");
    options.set("format_whitelist", container.demuxer_names());
    options.set("codec_whitelist", PROBING_DECODERS);
    let mut input = native::open_input(&format!("file:{url}"), options).map_err(unreadable)?;
    let n_streams = input.nb_streams();
    if n_streams > limits.max_streams {
        return Err(MediaError::OverLimit {
            what: "streams of the recording",
            actual: f64::from(n_streams),
            limit: f64::from(limits.max_streams),
            remedy: "keep one video and one audio stream",
        });
    }
    native::find_streams(&mut input, max_coded_pixels(limits)).map_err(unreadable)?;
    let duration_secs = native::declared_duration_micros(&input).map(|micros| micros as f64 / MICROS_PER_SEC);
    if let Some(secs) = duration_secs {
        check_secs(secs, limits)?;
    }
    Ok(Source { input, container, duration_secs, is_short })
}

/// Refuses a recording that is longer than its bound.
pub(super) fn check_secs(secs: f64, limits: &MediaLimits) -> Result<(), MediaError> {
    if secs <= limits.max_recording_secs {
        return Ok(());
    }
    Err(MediaError::OverLimit {
        what: "seconds of the recording",
        actual: secs,
        limit: limits.max_recording_secs,
        remedy: "cut it into parts",
    })
}

/// A time stamp of a stream on the container's timeline, to the nearest nanosecond.
pub(super) fn media_time(timestamp: i64, time_base: Rational) -> Option<MediaTime> {
    let (numerator, denominator) = (i128::from(time_base.numerator()), i128::from(time_base.denominator()));
    if denominator <= 0 {
        return None;
    }
    let scaled = i128::from(timestamp) * numerator * NANOS_PER_SEC;
    let nanos = (scaled + denominator / 2).div_euclid(denominator);
    i64::try_from(nanos).ok().map(MediaTime::from_nanos)
}

pub(super) fn unreadable(source: Error) -> MediaError {
    MediaError::Undecodable { expected: RECORDING, problem: source.to_string() }
}

pub(super) fn unusable(problem: &str) -> MediaError {
    MediaError::Undecodable { expected: RECORDING, problem: problem.to_owned() }
}

/// The container, and whether the file is shorter than its header says.
fn sniff_file(path: &Path, limits: &MediaLimits) -> Result<(Container, bool), MediaError> {
    let io = |source| MediaError::Io { source };
    let metadata = std::fs::metadata(path).map_err(io)?;
    if !metadata.is_file() {
        return Err(io(io::Error::new(io::ErrorKind::InvalidInput, "not a regular file")));
    }
    if metadata.len() > limits.max_recording_bytes {
        return Err(MediaError::OverLimit {
            what: "bytes of the recording",
            actual: metadata.len() as f64,
            limit: limits.max_recording_bytes as f64,
            remedy: "compress it or cut it into parts",
        });
    }
    let mut head = Vec::with_capacity(CONTAINER_HEAD_BYTES);
    File::open(path).map_err(io)?.take(CONTAINER_HEAD_BYTES as u64).read_to_end(&mut head).map_err(io)?;
    let container = sniff_container(&head).ok_or_else(|| unusable("it begins like none of them"))?;
    let riff_bytes = match head.as_slice() {
        [b'R', b'I', b'F', b'F', a, b, c, d, ..] => u64::from(u32::from_le_bytes([*a, *b, *c, *d])) + RIFF_HEADER_BYTES,
        _ => 0,
    };
    Ok((container, riff_bytes > metadata.len()))
}

#[cfg(test)]
mod tests {
    use super::{MediaTime, Rational, media_time};

    #[test]
    fn time_stamps_become_the_nearest_nanosecond() {
        for (timestamp, time_base, expected) in [
            (1, (1, 30), Some(33_333_333)),
            (2, (1, 30), Some(66_666_667)),
            (-1, (1, 30), Some(-33_333_333)),
            (1_001, (1, 30_000), Some(33_366_667)),
            (543, (1, 1_000), Some(543_000_000)),
            (0, (1, 90_000), Some(0)),
            (i64::MAX, (1, 1), None),
            (1, (1, 0), None),
        ] {
            let actual = media_time(timestamp, Rational::new(time_base.0, time_base.1));
            assert_eq!(actual, expected.map(MediaTime::from_nanos), "{timestamp} x {time_base:?}");
        }
    }
}
