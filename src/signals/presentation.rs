//! Presentation attack: what the passive model says of photo and screen, over at least five seconds.
//!
//! The model judges the surroundings of a face as much as the face, so a face without surroundings is not assessable.

use super::logit::{LogitSeries, Rules, bona_fide_logit, framing_problem, is_at_most};
use super::measurement::{Measurement, Reason, SignalName};
use super::observation::{FaceObservation, FrameObservation};
use super::signal::Signal;
use super::window::Window;

/// Share of the wanted surroundings that the frame must hold; a picture that ends with the box has .14.
const MIN_CONTEXT_RATIO: f32 = 0.15;
/// Context from which the model's answer counts in full, below which it counts as `TIGHT_TRUST` of it; between them, in
/// proportion. Fitted on answers of models that did not see the source, sets weighing alike: from .5 upwards the line to the
/// likelihood ratio has slope 2.4 (3 sets), below it .63 (5 sets), for one of which the answers are the wrong way round.
const FULL_TRUST_CONTEXT: f32 = 0.6;
const TIGHT_CONTEXT: f32 = 0.4;
const TIGHT_TRUST: f32 = 0.26;
/// Blocks of a second needed before anything is said: one glance at a screen's edge, or one blurred second, is not evidence.
const MIN_BLOCKS: u32 = 5;
/// Blocks after which one more hardly moves the mean.
const SETTLED_BLOCKS: usize = MIN_BLOCKS as usize + 1;
/// Face height below which the crop is mostly upsampling.
const MIN_FACE_PX: f32 = 56.0;
/// Yaw beyond which the model was not trained.
const MAX_YAW_DEG: f32 = 40.0;
/// Logits are held within this, so that one frame cannot carry a session.
const MAX_LOGIT: f64 = 10.0;
const RULES: Rules = Rules {
    min_blocks: MIN_BLOCKS,
    model: "presentation.model",
    too_short: "presentation.too_short",
    not_measured: "presentation.not_measured",
};

/// Mean bona fide logit of the presentation-attack model.
#[derive(Clone, Debug, Default)]
pub struct Presentation {
    series: LogitSeries,
}

impl Presentation {
    /// Whether the newest second speaks for an attack, so that more of them are wanted at once.
    #[must_use]
    pub fn wants_confirmation(&self) -> bool {
        self.series.speaks_against()
    }

    /// Whether it has been seen for long enough that it need not be looked at often: one more answer like those before would
    /// hardly move their mean.
    #[must_use]
    pub fn is_settled(&self) -> bool {
        self.series.has_blocks(SETTLED_BLOCKS)
    }

    /// The statistic of one face: the model's bona fide logit, as far as its surroundings let it be believed, or why the gate
    /// refuses it.
    ///
    /// # Units
    /// Natural-log odds, -10..=10, higher = more like bona fide.
    ///
    /// # Errors
    /// The reason, with what would be needed.
    pub fn assess(face: &FaceObservation) -> Result<f64, Reason> {
        Self::gate(face)?;
        let output = face.presentation.ok_or_else(|| Reason::new("presentation.not_measured"))?;
        if !is_at_most(MIN_CONTEXT_RATIO, output.context_ratio) {
            let reason = Reason::new("presentation.no_surroundings").with("context_ratio", output.context_ratio);
            return Err(reason.with("context_needed", MIN_CONTEXT_RATIO));
        }
        let logit =
            bona_fide_logit(output.attack_score, MAX_LOGIT).ok_or_else(|| Reason::new("presentation.not_measured"))?;
        Ok(logit * trust(output.context_ratio))
    }

    /// Whether the model's answer on this face could be believed, before it is asked.
    ///
    /// # Errors
    /// The reason why not, with what would be needed.
    pub fn gate(face: &FaceObservation) -> Result<(), Reason> {
        if !is_at_most(MIN_FACE_PX, face.quality.face_height_px) {
            let reason = Reason::new("presentation.face_too_small").with("face_px", face.quality.face_height_px);
            return Err(reason.with("face_px_needed", MIN_FACE_PX));
        }
        framing_problem(face, MAX_YAW_DEG).map_or(Ok(()), Err)
    }
}

/// How far an answer is believed, 0..=1, rising with the surroundings that the model saw.
fn trust(context_ratio: f32) -> f64 {
    let share = ((context_ratio - TIGHT_CONTEXT) / (FULL_TRUST_CONTEXT - TIGHT_CONTEXT)).clamp(0.0, 1.0);
    f64::from(TIGHT_TRUST + (1.0 - TIGHT_TRUST) * share)
}

impl Signal for Presentation {
    fn name(&self) -> SignalName {
        SignalName::Presentation
    }

    fn observe(&mut self, observation: &FrameObservation, candidate: Option<&FaceObservation>) {
        let Some(face) = candidate else { return };
        let is_passed_over = face.presentation.is_none() && Self::gate(face).is_ok();
        self.series.take(observation.media_time, Self::assess(face), is_passed_over);
    }

    fn measure(&self, window: Window) -> Measurement {
        self.series.measure(SignalName::Presentation, window, RULES)
    }
}

#[cfg(test)]
mod tests {
    use crate::signals::testing::{face, frame_at};

    use crate::vision::PresentationOutput;

    use super::{Presentation, Signal, Window};

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
        PresentationOutput { attack_score, context_ratio }
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
        let measurement = measure(&[output(0.0, 0.14); 9]);
        assert_eq!(measurement.statistic, None);
        assert_eq!(measurement.reasons[0].code, "presentation.no_surroundings");
    }

    #[test]
    fn little_surroundings_make_an_answer_count_for_less() {
        let statistic =
            |context_ratio: f32| measure(&[output(0.9, context_ratio); 5]).statistic.expect("enough blocks");
        let statistics: Vec<f64> = [0.2, 0.4, 0.5, 0.6, 1.0].into_iter().map(statistic).collect();
        assert!(statistics.is_sorted_by(|a, b| a >= b), "an attack looks more like one: {statistics:?}");
        assert!(
            statistics[0] < 0.0 && (statistics[0] / statistics[4] - 0.26).abs() < 1e-3,
            "never the other way round"
        );
    }

    #[test]
    fn less_than_five_seconds_are_too_few() {
        let measurement = measure(&[output(0.9, 1.0); 4]);
        assert_eq!(measurement.statistic, None);
        assert_eq!(measurement.reasons[0].code, "presentation.too_short");
    }

    #[test]
    fn scores_that_are_no_number_are_not_measured() {
        for bad in [f32::NAN, f32::INFINITY, -0.1, 1.1] {
            assert_eq!(measure(&[output(bad, 1.0); 9]).statistic, None, "{bad}");
        }
    }

    #[test]
    fn one_extreme_frame_is_held_back() {
        let mut outputs = [output(0.5, 1.0); 5];
        outputs[0] = output(0.0, 1.0);
        assert!(measure(&outputs).statistic.expect("five blocks") <= 10.0 / 5.0 + 1e-9);
    }
}
