//! Labelled recordings to observations, and observations to one signal's measurement.

use std::path::{Path, PathBuf};

use crate::media::{MediaError, Recording, VideoFrame};
use crate::service::FrameSession;
use crate::signals::{FaceObservation, FaceSearch, FrameObservation, Identity, Measurement, Signal, Window};
use crate::vision::Embedding;

use super::error::EvalError;
use super::run::Bench;

/// Ends of names that are recordings.
const RECORDING_EXTENSIONS: [&str; 6] = ["mp4", "mov", "mkv", "webm", "avi", "m4v"];

/// Whether a file is a recording, by its name.
pub(super) fn is_recording(path: &Path) -> bool {
    let extension = path.extension().map(|end| end.to_string_lossy().to_ascii_lowercase());
    extension.is_some_and(|end| RECORDING_EXTENSIONS.contains(&end.as_str()))
}

/// The frames of a recording, up to where it can be decoded.
pub(super) struct Frames {
    recording: Recording,
}

impl Frames {
    /// Opens a recording.
    pub(super) fn open(bench: &Bench<'_>, path: &Path) -> Result<Self, EvalError> {
        let recording = Recording::open(path, bench.pipeline.limits()).map_err(|error| unusable(path, &error))?;
        Ok(Self { recording })
    }
}

impl Iterator for Frames {
    type Item = VideoFrame;

    fn next(&mut self) -> Option<VideoFrame> {
        self.recording.next_frame().ok().flatten()
    }
}

fn unusable(path: &Path, error: &MediaError) -> EvalError {
    EvalError::TooFew { problem: format!("{}: {error}", path.display()) }
}

/// What a session would have been fed.
pub(super) fn observe(
    bench: &Bench<'_>,
    frames: impl IntoIterator<Item = VideoFrame>,
) -> Result<Vec<FrameObservation>, EvalError> {
    let mut session = FrameSession::new(bench.pipeline, bench.policy, None)?;
    let mut observations = Vec::new();
    for frame in frames {
        observations.push(session.observe(&frame)?.observation);
    }
    Ok(observations)
}

/// What one signal makes of observations; the candidate is the largest face.
pub(super) fn measure<S: Signal + Default>(observations: &[FrameObservation]) -> Measurement {
    let mut signal = S::default();
    for observation in observations {
        let candidate: Option<&FaceObservation> = match &observation.faces {
            FaceSearch::Run(faces) => {
                faces.iter().max_by(|a, b| a.box_in_frame.area().total_cmp(&b.box_in_frame.area()))
            }
            FaceSearch::NotRun => None,
        };
        signal.observe(observation, candidate);
    }
    let time = |observation: Option<&FrameObservation>| observation.map(|observation| observation.media_time);
    let window = time(observations.first()).zip(time(observations.last()));
    signal.measure(window.map_or(Window::ALL, |(start, end)| Window { start, end }))
}

/// The identity vectors of all faces that are good enough to carry one.
pub(super) fn embeddings(observations: Vec<FrameObservation>) -> impl Iterator<Item = Embedding> {
    let faces = observations.into_iter().flat_map(|observation| match observation.faces {
        FaceSearch::Run(faces) => faces,
        FaceSearch::NotRun => Vec::new(),
    });
    faces.filter(Identity::accepts).filter_map(|face| face.embedding)
}

/// A name for tables: the file's own, without folders and without its end.
pub(super) fn short_name(path: &Path) -> String {
    PathBuf::from(path).file_stem().unwrap_or_default().to_string_lossy().into_owned()
}
