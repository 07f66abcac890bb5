//! Small clips for tests, made by the `ffmpeg` command when a test runs.

use std::path::PathBuf;
use std::process::Command;

use tempfile::TempDir;

use super::limits::MediaLimits;
use super::recording::Recording;
use super::sample::{VideoFrame, VideoSample};

/// A file that goes away with the value.
pub(super) struct Clip {
    folder: TempDir,
    pub(super) path: PathBuf,
}

impl Clip {
    /// Runs `ffmpeg` with the arguments, which are separated by spaces, and the clip's path behind them; `None`, with a
    /// line that says so, where the command is not installed.
    pub(super) fn make(name: &str, arguments: &str) -> Option<Self> {
        let folder = tempfile::tempdir().expect("temporary folder");
        let path = folder.path().join(name);
        let mut command = Command::new("ffmpeg");
        command.args(["-nostdin", "-v", "error", "-y", "-threads", "1"]).args(arguments.split_whitespace()).arg(&path);
        match command.output() {
            Ok(output) if output.status.success() => Some(Self { folder, path }),
            Ok(output) => panic!("ffmpeg {arguments}: {}", String::from_utf8_lossy(&output.stderr)),
            Err(_) => {
                println!("skipped: the ffmpeg command is not installed");
                None
            }
        }
    }

    /// A file of the given bytes.
    pub(super) fn of_bytes(name: &str, bytes: &[u8]) -> Self {
        let folder = tempfile::tempdir().expect("temporary folder");
        let path = folder.path().join(name);
        std::fs::write(&path, bytes).expect("writes");
        Self { folder, path }
    }

    /// The same file with an edit.
    pub(super) fn edited(&self, edit: impl FnOnce(&mut Vec<u8>)) -> Self {
        let mut bytes = std::fs::read(&self.path).expect("reads");
        edit(&mut bytes);
        Self::of_bytes(&self.path.file_name().expect("has a name").to_string_lossy(), &bytes)
    }

    /// Another file beside this one, made from it by `ffmpeg`.
    pub(super) fn remade(&self, name: &str, arguments: &str) -> Option<Self> {
        Self::make(name, &format!("-i {} {arguments}", self.path.display()))
    }

    pub(super) fn open(&self) -> Recording {
        assert!(self.folder.path().exists());
        Recording::open(&self.path, &MediaLimits::default()).expect("opens")
    }

    /// Every frame, none of them missing.
    pub(super) fn frames(&self) -> Vec<VideoFrame> {
        let mut recording = self.open();
        let frames = std::iter::from_fn(|| recording.next_frame().expect("decodes")).collect();
        assert_eq!(recording.n_damaged(), 0);
        frames
    }

    /// Every coded unit.
    pub(super) fn units(&self) -> Vec<VideoSample> {
        let mut recording = self.open();
        std::iter::from_fn(|| recording.next_coded_sample().expect("reads")).collect()
    }
}

/// Input arguments: `n_frames` grey pictures at `rate`, whose level is 40 + 4 times their number.
pub(super) fn steps(size: &str, rate: u32, n_frames: u32) -> String {
    format!("-f lavfi -i nullsrc=s={size}:r={rate},geq=lum='40+4*N':cb=128:cr=128,trim=end_frame={n_frames}")
}

/// The number of a picture of [`steps`], from its mean level.
#[expect(clippy::cast_possible_truncation, reason = "a level is at most 255")]
pub(super) fn step_of(frame: &VideoFrame) -> i32 {
    let image = frame.picture.to_rgb();
    let pixels = image.pixels();
    let mean = pixels.iter().copied().map(f64::from).sum::<f64>() / pixels.len() as f64;
    // Limited-range luma to full-range level and back.
    ((mean * 219.0 / 255.0 + 16.0 - 40.0) / 4.0).round() as i32
}

/// Encoder arguments of every codec that is sent live, with the container that holds it.
pub(super) const LIVE_CODECS: [(&str, &str); 4] = [
    ("h264.mp4", "-c:v libx264 -pix_fmt yuv420p -tune zerolatency -g 10 -crf 15"),
    ("vp8.webm", "-c:v libvpx -pix_fmt yuv420p -deadline realtime -g 10 -b:v 1M -auto-alt-ref 0"),
    (
        "vp9.webm",
        "-c:v libvpx-vp9 -pix_fmt yuv420p -deadline realtime -cpu-used 8 -lag-in-frames 0 -g 10 -crf 15 -b:v 0",
    ),
    ("av1.mkv", "-c:v libaom-av1 -pix_fmt yuv420p -usage realtime -cpu-used 8 -lag-in-frames 0 -g 10 -crf 15 -b:v 0"),
];
