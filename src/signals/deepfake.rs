//! Deepfake: what the model says of swapped, reenacted or blended faces, over at least a few seconds.
//!
//! The model looks for what is left where a face was put into a picture; a face that is too small, turned away, cut off or
//! wholly dark shows none of it either way, and is not assessed.

use super::logit::{LogitSeries, Rules, bona_fide_logit, framing_problem, is_at_most};
use super::measurement::{Measurement, Reason, SignalName};
use super::observation::{FaceObservation, FrameObservation};
use super::signal::Signal;
use super::window::Window;

/// Face height below which the model was not trained.
const MIN_FACE_PX: f32 = 72.0;
/// Yaw beyond which half of the face is hidden.
const MAX_YAW_DEG: f32 = 55.0;
/// Mean level below which there is nothing to see.
const MIN_EXPOSURE: f32 = 0.08;
/// Logits are held within this, so that one frame cannot carry a session.
const MAX_LOGIT: f64 = 8.0;
/// Blocks of a second needed before anything is said.
const MIN_BLOCKS: u32 = 3;
/// Blocks after which one more hardly moves the mean.
const SETTLED_BLOCKS: usize = MIN_BLOCKS as usize + 1;
const RULES: Rules = Rules {
    min_blocks: MIN_BLOCKS,
    model: "deepfake.model",
    too_short: "deepfake.too_short",
    not_measured: "deepfake.not_measured",
};

/// Mean bona fide logit of the deepfake model.
#[derive(Clone, Debug, Default)]
pub struct Deepfake {
    series: LogitSeries,
}

impl Deepfake {
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

    /// The statistic of one face: the model's bona fide logit, or why the gate refuses it.
    ///
    /// # Units
    /// Natural-log odds, -8..=8, higher = more like bona fide.
    ///
    /// # Errors
    /// The reason, with what would be needed.
    pub fn assess(face: &FaceObservation) -> Result<f64, Reason> {
        Self::gate(face)?;
        let logit = face.deepfake.and_then(|output| bona_fide_logit(output.attack_score, MAX_LOGIT));
        logit.ok_or_else(|| Reason::new("deepfake.not_measured"))
    }

    /// Whether the model's answer on this face could be believed, before it is asked.
    ///
    /// # Errors
    /// The reason why not, with what would be needed.
    pub fn gate(face: &FaceObservation) -> Result<(), Reason> {
        let quality = &face.quality;
        if !is_at_most(MIN_FACE_PX, quality.face_height_px) {
            let reason = Reason::new("deepfake.face_too_small").with("face_px", quality.face_height_px);
            return Err(reason.with("face_px_needed", MIN_FACE_PX));
        }
        if !is_at_most(MIN_EXPOSURE, quality.exposure) {
            let reason = Reason::new("quality.too_dark").with("exposure", quality.exposure);
            return Err(reason.with("exposure_needed", MIN_EXPOSURE));
        }
        framing_problem(face, MAX_YAW_DEG).map_or(Ok(()), Err)
    }
}

impl Signal for Deepfake {
    fn name(&self) -> SignalName {
        SignalName::Deepfake
    }

    fn observe(&mut self, observation: &FrameObservation, candidate: Option<&FaceObservation>) {
        let Some(face) = candidate else { return };
        let is_passed_over = face.deepfake.is_none() && Self::gate(face).is_ok();
        self.series.take(observation.media_time, Self::assess(face), is_passed_over);
    }

    fn measure(&self, window: Window) -> Measurement {
        self.series.measure(SignalName::Deepfake, window, RULES)
    }
}

#[cfg(test)]
mod tests {
    use crate::signals::testing::{face, frame_at};
    use crate::vision::{DeepfakeOutput, HeadPose};

    use super::{Deepfake, FaceObservation, Signal, Window};

    fn scored(attack_score: f32) -> FaceObservation {
        FaceObservation { deepfake: Some(DeepfakeOutput { attack_score }), ..face() }
    }

    fn measure(faces: &[FaceObservation]) -> super::Measurement {
        let mut signal = Deepfake::default();
        for (second, face) in faces.iter().enumerate() {
            signal.observe(&frame_at(second as f64), Some(face));
        }
        signal.measure(Window::ALL)
    }

    #[test]
    fn fakes_score_below_bona_fide() {
        let genuine = measure(&vec![scored(0.1); 5]).statistic.expect("enough blocks");
        let fake = measure(&vec![scored(0.9); 5]).statistic.expect("enough blocks");
        assert!(genuine > 0.0 && (genuine + fake).abs() < 1e-5, "symmetric in the score");
        assert_eq!(measure(&vec![scored(0.9); 2]).reasons[0].code, "deepfake.too_short");
    }

    #[test]
    fn a_second_that_speaks_for_a_fake_wants_another() {
        let mut signal = Deepfake::default();
        assert!(!signal.wants_confirmation(), "nothing was seen");
        for (second, attack_score, wants) in [(0.0, 0.2, false), (1.0, 0.8, true), (2.0, 0.3, false)] {
            signal.observe(&frame_at(second), Some(&scored(attack_score)));
            assert_eq!(signal.wants_confirmation(), wants, "{attack_score}");
        }
    }

    #[test]
    fn what_cannot_be_judged_is_refused_with_its_cause() {
        let refused = |change: fn(&mut FaceObservation)| {
            let mut face = scored(0.99);
            change(&mut face);
            let measurement = measure(&vec![face; 9]);
            assert_eq!(measurement.statistic, None);
            measurement.reasons[0].code.clone()
        };
        assert_eq!(refused(|face| face.quality.face_height_px = 50.0), "deepfake.face_too_small");
        assert_eq!(refused(|face| face.quality.exposure = 0.02), "quality.too_dark");
        assert_eq!(refused(|face| face.quality.exposure = f32::NAN), "quality.too_dark");
        assert_eq!(refused(|face| face.quality.outside_ratio = 0.4), "quality.face_cut_off");
        assert_eq!(refused(|face| face.quality.clipped_ratio = 0.9), "quality.clipped");
        let turned = |face: &mut FaceObservation| face.pose = Some(HeadPose { yaw_deg: -70.0, ..HeadPose::default() });
        assert_eq!(refused(turned), "quality.turned_away");
        assert_eq!(refused(|face| face.deepfake = None), "deepfake.not_measured");
    }

    #[test]
    fn scores_that_are_no_number_are_not_measured() {
        for bad in [f32::NAN, f32::INFINITY, -0.1, 1.1] {
            assert_eq!(measure(&vec![scored(bad); 9]).statistic, None, "{bad}");
        }
    }

    #[test]
    fn one_extreme_frame_is_held_back() {
        let measurement = measure(&[scored(0.0), scored(0.5), scored(0.5)]);
        assert!(measurement.statistic.expect("three blocks") <= 8.0 / 3.0 + 1e-9);
    }
}
