//! What every signal is.

use super::measurement::{Measurement, SignalName};
use super::observation::{FaceObservation, FrameObservation};
use super::window::Window;

/// One line of evidence: takes observations in order of media time, answers for any stretch of it.
///
/// Implementations are deterministic, bounded in memory, and measure only what passes their own quality gate.
pub trait Signal: Send + std::fmt::Debug {
    /// Which signal this is.
    fn name(&self) -> SignalName;

    /// Takes one frame; `candidate` is the face that the session follows, if it is in the frame.
    fn observe(&mut self, observation: &FrameObservation, candidate: Option<&FaceObservation>);

    /// What it measured within `window`.
    fn measure(&self, window: Window) -> Measurement;
}
