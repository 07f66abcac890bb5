//! Motion within the face: blinks, lips, brows and jaw move in a person and stand still in a moved photograph.
//!
//! Catches stills that are shown or injected, however they are waved; says next to nothing about replayed video or live
//! swaps, which move as a face does. Measured in chunks of two seconds, taken at their upper quantile: a person who listens
//! stands still for a while, a photograph for ever.

use crate::media::MediaTime;
use crate::vision::FaceShape;

use super::measurement::{Measurement, Reason, SignalName};
use super::observation::{FaceObservation, FrameObservation};
use super::quantile::quantile;
use super::signal::Signal;
use super::window::Window;

/// Length of a chunk.
const CHUNK_SECS: f64 = 2.0;
/// Frames with a shape that a chunk needs (4 a second).
const MIN_CHUNK_FRAMES: usize = 8;
/// Frames that a chunk looks at (60 a second).
const MAX_CHUNK_FRAMES: usize = 120;
/// Chunks needed before anything is said: eight seconds.
const MIN_CHUNKS: u32 = 4;
/// Chunks kept: six hours.
const MAX_CHUNKS: usize = 10_800;
/// Face height below which landmark noise outweighs movement.
const MIN_FACE_PX: f32 = 64.0;
/// Yaw and pitch beyond which ratios of the far side are guesses.
const MAX_TURN_DEG: f32 = 30.0;
/// Quantile of the chunks that stands for the stretch.
const QUANTILE: f64 = 0.8;
/// Longest gap between two frames of one chunk.
const MAX_GAP_SECS: f64 = 0.5;
/// Parts of the face, and how far each typically moves within two seconds of talk (median range of the bona fide clips).
const TYPICAL_RANGES: [f32; 5] = [0.12, 0.12, 0.15, 0.06, 0.05];
/// Smallest movement that is told apart from none, so that the logarithm stays finite.
const MIN_MOVEMENT: f64 = 1e-3;

/// Movement within the face, in natural-log units of typical movement.
#[derive(Clone, Debug, Default)]
pub struct Motion {
    chunk_start: Option<MediaTime>,
    last_at: Option<MediaTime>,
    frames: Vec<[f32; 5]>,
    chunks: std::collections::VecDeque<(MediaTime, f64)>,
    n_too_small: u32,
}

impl Motion {
    fn take(&mut self, at: MediaTime, shape: &FaceShape) {
        let parts =
            [shape.left_eye_ratio, shape.right_eye_ratio, shape.mouth_ratio, shape.mouth_width_ratio, shape.jaw_ratio];
        if parts.iter().any(|part| !part.is_finite()) {
            return;
        }
        let starts_anew = self.last_at.is_none_or(|last| {
            let gap_secs = at.secs_since(last);
            !(0.0..=MAX_GAP_SECS).contains(&gap_secs)
        });
        if starts_anew {
            self.frames.clear();
            self.chunk_start = Some(at);
        }
        self.last_at = Some(at);
        if self.frames.len() < MAX_CHUNK_FRAMES {
            self.frames.push(parts);
        }
        let start = *self.chunk_start.get_or_insert(at);
        if at.secs_since(start) >= CHUNK_SECS {
            if self.frames.len() >= MIN_CHUNK_FRAMES {
                if self.chunks.len() == MAX_CHUNKS {
                    self.chunks.pop_front();
                }
                self.chunks.push_back((start, movement(&self.frames).max(MIN_MOVEMENT).ln()));
            }
            self.frames.clear();
            self.chunk_start = Some(at);
        }
    }
}

impl Signal for Motion {
    fn name(&self) -> SignalName {
        SignalName::Motion
    }

    fn observe(&mut self, observation: &FrameObservation, candidate: Option<&FaceObservation>) {
        let Some(face) = candidate else { return };
        let (Some(shape), Some(pose)) = (&face.shape, face.pose) else { return };
        if face.quality.face_height_px < MIN_FACE_PX {
            self.n_too_small = self.n_too_small.saturating_add(1);
        } else if pose.yaw_deg.abs() <= MAX_TURN_DEG && pose.pitch_deg.abs() <= MAX_TURN_DEG {
            self.take(observation.media_time, shape);
        }
    }

    fn measure(&self, window: Window) -> Measurement {
        let mut movements: Vec<f64> =
            self.chunks.iter().filter(|(start, _)| window.contains(*start)).map(|(_, movement)| *movement).collect();
        let blocks = u32::try_from(movements.len()).unwrap_or(u32::MAX);
        let mut measurement = Measurement {
            signal: SignalName::Motion,
            statistic: None,
            blocks,
            standard_error: None,
            alarm: false,
            usable_ratio: (f64::from(blocks) * CHUNK_SECS / window.secs().max(CHUNK_SECS)).min(1.0),
            reasons: Vec::new(),
        };
        if blocks < MIN_CHUNKS {
            let reason = if blocks == 0 && self.n_too_small > 0 {
                Reason::new("motion.face_too_small").with("face_px_needed", MIN_FACE_PX)
            } else {
                let needed_secs = f64::from(MIN_CHUNKS) * CHUNK_SECS;
                Reason::new("motion.too_short")
                    .with("secs", f64::from(blocks) * CHUNK_SECS)
                    .with("secs_needed", needed_secs)
            };
            measurement.reasons.push(reason);
            return measurement;
        }
        movements.sort_by(f64::total_cmp);
        let statistic = quantile(&movements, QUANTILE);
        let mean = movements.iter().sum::<f64>() / f64::from(blocks);
        let variance = movements.iter().map(|value| (value - mean).powi(2)).sum::<f64>() / (f64::from(blocks) - 1.0);
        measurement.statistic = Some(statistic);
        // The standard error of an upper quantile is about 1.4 times that of the mean (normal values, .8 quantile).
        measurement.standard_error = Some(1.4 * (variance / f64::from(blocks)).sqrt());
        measurement.reasons.push(Reason::new("motion.within_face").with("of_typical_ratio", statistic.exp()));
        measurement
    }
}

/// Root mean square over the parts of range over typical range; ranges are taken after a median of three frames, so that
/// one wrong landmark is no movement.
fn movement(frames: &[[f32; 5]]) -> f64 {
    let squares = (0..TYPICAL_RANGES.len()).map(|part| {
        let smooth = frames.windows(3).map(|three| {
            let mut values = [three[0][part], three[1][part], three[2][part]];
            values.sort_by(f32::total_cmp);
            values[1]
        });
        let (low, high) = smooth.fold((f32::MAX, f32::MIN), |(low, high), value| (low.min(value), high.max(value)));
        f64::from(((high - low).max(0.0) / TYPICAL_RANGES[part]).powi(2))
    });
    (squares.sum::<f64>() / TYPICAL_RANGES.len() as f64).sqrt()
}

#[cfg(test)]
mod tests {
    use crate::signals::testing::{face, frame_at};
    use crate::vision::FaceShape;

    use super::{Motion, Signal, Window};

    fn watch(secs: f64, fps: f64, mouth: impl Fn(f64) -> f32) -> Motion {
        let mut signal = Motion::default();
        let n_frames = (secs * fps) as u32;
        for frame in 0..n_frames {
            let at = f64::from(frame) / fps;
            let mut face = face();
            face.shape = Some(FaceShape {
                mouth_ratio: mouth(at),
                left_eye_ratio: 0.3,
                right_eye_ratio: 0.3,
                ..FaceShape::default()
            });
            signal.observe(&frame_at(at), Some(&face));
        }
        signal
    }

    #[test]
    fn a_talking_face_moves_and_a_still_one_does_not() {
        let talking = watch(12.0, 10.0, |at| 0.2 + 0.15 * (at * 9.0).sin() as f32).measure(Window::ALL);
        let still = watch(12.0, 10.0, |at| 0.2 + 0.002 * (at * 9.0).sin() as f32).measure(Window::ALL);
        let difference = talking.statistic.expect("long enough") - still.statistic.expect("long enough");
        assert!(difference > 3.0, "{difference}");
    }

    #[test]
    fn too_few_frames_or_seconds_say_nothing() {
        assert_eq!(watch(6.0, 10.0, |_| 0.2).measure(Window::ALL).statistic, None, "too short");
        assert_eq!(watch(30.0, 1.0, |_| 0.2).measure(Window::ALL).statistic, None, "too sparse");
    }

    #[test]
    fn one_wrong_landmark_is_no_movement() {
        let glitch = watch(12.0, 10.0, |at| if (at - 5.0).abs() < 0.04 { 0.9 } else { 0.2 });
        assert!(glitch.measure(Window::ALL).statistic.expect("long enough") < -5.0);
    }
}
