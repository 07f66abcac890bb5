//! Presentation attack: what the passive model says of photo and screen, over at least a few seconds.
//!
//! The model judges the surroundings of a face as much as the face, so a face without surroundings is not assessable
//! (on tight crops its AUC falls to .34 to .86, which is worse than not knowing).

use crate::vision::PresentationOutput;

use super::blocks::BlockSeries;
use super::measurement::{Measurement, Reason, SignalName};
use super::observation::{FaceObservation, FrameObservation};
use super::signal::Signal;
use super::window::Window;

/// Share of the wanted crop that the frame must hold.
const MIN_CONTEXT_RATIO: f32 = 0.75;
/// Face height below which the crop is mostly upsampling.
const MIN_FACE_PX: f32 = 56.0;
/// Yaw beyond which the model was not trained.
const MAX_YAW_DEG: f32 = 40.0;
/// Share of the face that may lie outside the frame.
const MAX_OUTSIDE_RATIO: f32 = 0.1;
/// Share of clipped pixels beyond which texture is gone.
const MAX_CLIPPED_RATIO: f32 = 0.5;
/// Logits are held within this, so that one frame cannot carry a session.
const MAX_LOGIT: f64 = 6.0;
/// Blocks needed before anything is said.
const MIN_BLOCKS: u32 = 3;

/// Mean bona fide logit of the presentation-attack model.
#[derive(Clone, Debug, Default)]
pub struct Presentation {
    logits: BlockSeries,
    rejected: Rejected,
}

/// Why faces were not measured, counted.
#[derive(Clone, Copy, Debug, Default)]
struct Rejected {
    without_context: u32,
    too_small: u32,
    last_face_px: f32,
}

impl Presentation {
    /// The statistic of one face: the mean bona fide logit of both crops; `None` when the gate refuses it.
    ///
    /// # Units
    /// Natural-log odds, -6..=6, higher = more like bona fide.
    #[must_use]
    pub fn statistic(face: &FaceObservation) -> Option<f64> {
        let output = face.presentation?;
        let is_usable = output.context_ratio >= MIN_CONTEXT_RATIO
            && face.quality.face_height_px >= MIN_FACE_PX
            && face.quality.outside_ratio <= MAX_OUTSIDE_RATIO
            && face.quality.clipped_ratio <= MAX_CLIPPED_RATIO
            && face.pose.is_none_or(|pose| pose.yaw_deg.abs() <= MAX_YAW_DEG);
        is_usable.then(|| mean_logit(&output)).flatten()
    }
}

impl Signal for Presentation {
    fn name(&self) -> SignalName {
        SignalName::Presentation
    }

    fn observe(&mut self, observation: &FrameObservation, candidate: Option<&FaceObservation>) {
        let Some(face) = candidate else { return };
        let Some(output) = face.presentation else { return };
        if let Some(logit) = Self::statistic(face) {
            self.logits.push(observation.media_time, logit);
        } else if face.quality.face_height_px < MIN_FACE_PX {
            self.rejected.too_small = self.rejected.too_small.saturating_add(1);
            self.rejected.last_face_px = face.quality.face_height_px;
        } else if output.context_ratio < MIN_CONTEXT_RATIO {
            self.rejected.without_context = self.rejected.without_context.saturating_add(1);
        }
    }

    fn measure(&self, window: Window) -> Measurement {
        let mut measurement = Measurement {
            signal: SignalName::Presentation,
            statistic: None,
            blocks: 0,
            standard_error: None,
            usable_ratio: self.logits.usable_ratio(window),
            reasons: Vec::new(),
        };
        let summary = self.logits.summary(window);
        measurement.blocks = summary.map_or(0, |summary| summary.n_blocks);
        match summary {
            Some(summary) if summary.n_blocks >= MIN_BLOCKS => {
                measurement.statistic = Some(summary.mean);
                measurement.standard_error = summary.standard_error;
                let attack_score = 1.0 / (1.0 + summary.mean.exp());
                measurement.reasons.push(
                    Reason::new("presentation.model")
                        .with("attack_score", attack_score)
                        .with("blocks", summary.n_blocks),
                );
            }
            Some(summary) => measurement.reasons.push(
                Reason::new("presentation.too_short")
                    .with("blocks", summary.n_blocks)
                    .with("blocks_needed", MIN_BLOCKS),
            ),
            None if self.rejected.too_small > self.rejected.without_context => measurement.reasons.push(
                Reason::new("presentation.face_too_small")
                    .with("face_px", self.rejected.last_face_px)
                    .with("face_px_needed", MIN_FACE_PX),
            ),
            None if self.rejected.without_context > 0 => {
                measurement.reasons.push(Reason::new("presentation.no_surroundings"));
            }
            None => measurement.reasons.push(Reason::new("presentation.not_measured")),
        }
        measurement
    }
}

fn mean_logit(output: &PresentationOutput) -> Option<f64> {
    let near = bona_fide_logit(output.attack_score)?;
    Some(match output.attack_score_wide {
        Some(wide) => (near + bona_fide_logit(wide)?) / 2.0,
        None => near,
    })
}

fn bona_fide_logit(attack_score: f32) -> Option<f64> {
    let score = f64::from(attack_score);
    (0.0..=1.0).contains(&score).then(|| ((1.0 - score) / score).ln().clamp(-MAX_LOGIT, MAX_LOGIT))
}

#[cfg(test)]
mod tests {
    use crate::signals::testing::{face, frame_at};

    use super::{Presentation, PresentationOutput, Signal, Window};

    fn measure(outputs: &[PresentationOutput]) -> super::Measurement {
        let mut signal = Presentation::default();
        for (second, output) in outputs.iter().enumerate() {
            let mut face = face();
            face.presentation = Some(*output);
            signal.observe(&frame_at(second as f64), Some(&face));
        }
        signal.measure(Window::ALL)
    }

    fn output(attack_score: f32, context_ratio: f32) -> PresentationOutput {
        PresentationOutput { attack_score, attack_score_wide: None, context_ratio }
    }

    #[test]
    fn attacks_score_below_bona_fide() {
        let genuine = measure(&[output(0.1, 1.0); 5]).statistic.expect("enough blocks");
        let attack = measure(&[output(0.9, 1.0); 5]).statistic.expect("enough blocks");
        assert!(genuine > 0.0 && attack < 0.0);
        assert!((genuine + attack).abs() < 1e-5, "symmetric in the score");
    }

    #[test]
    fn without_surroundings_nothing_is_said() {
        let measurement = measure(&[output(0.0, 0.4); 9]);
        assert_eq!(measurement.statistic, None);
        assert_eq!(measurement.reasons[0].code, "presentation.no_surroundings");
    }

    #[test]
    fn scores_that_are_no_number_are_not_measured() {
        for bad in [f32::NAN, f32::INFINITY, -0.1, 1.1] {
            assert_eq!(measure(&[output(bad, 1.0); 9]).statistic, None, "{bad}");
        }
    }

    #[test]
    fn one_extreme_frame_is_held_back() {
        let measurement = measure(&[output(0.0, 1.0), output(0.5, 1.0), output(0.5, 1.0)]);
        assert!(measurement.statistic.expect("three blocks") <= 2.0 + 1e-9);
    }
}
