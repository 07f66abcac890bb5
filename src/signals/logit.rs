//! The mean bona fide logit of a model's attack scores over time: what the signals of passive models have in common.

use super::blocks::BlockSeries;
use super::measurement::{Measurement, Reason, SignalName};
use super::observation::FaceObservation;
use super::window::Window;
use crate::media::MediaTime;
use crate::vision::FaceQuality;

/// Share of the face that may lie outside the frame.
const MAX_OUTSIDE_RATIO: f32 = 0.1;
/// Share of clipped pixels beyond which texture and seams are gone.
const MAX_CLIPPED_RATIO: f32 = 0.5;

/// Bona fide logits of one model, in blocks of a second.
#[derive(Clone, Debug, Default)]
pub(super) struct LogitSeries {
    logits: BlockSeries,
    /// Why the latest face that was refused was.
    refusal: Option<Reason>,
}

/// When a signal speaks, and the codes of the reasons that go with it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Rules {
    /// Blocks needed before anything is said.
    pub(super) min_blocks: u32,
    /// What the model says.
    pub(super) model: &'static str,
    /// Too few blocks.
    pub(super) too_short: &'static str,
    /// No answer, and no face that was refused either.
    pub(super) not_measured: &'static str,
}

impl LogitSeries {
    /// Takes what was made of one face: its logit, or why it has none.
    ///
    /// A face that could have been judged and was not, because it was not yet time to (`is_passed_over`), says nothing of why
    /// others were not.
    pub(super) fn take(&mut self, at: MediaTime, assessed: Result<f64, Reason>, is_passed_over: bool) {
        match assessed {
            Ok(logit) => self.logits.push(at, logit),
            Err(_) if is_passed_over => {}
            Err(reason) => self.refusal = Some(reason),
        }
    }

    /// Whether so many blocks have been seen that one more hardly moves their mean.
    pub(super) fn has_blocks(&self, n_blocks: usize) -> bool {
        self.logits.n_blocks() >= n_blocks
    }

    /// Whether the newest block speaks for an attack.
    pub(super) fn speaks_against(&self) -> bool {
        self.logits.newest().is_some_and(|logit| logit < 0.0)
    }

    /// The mean over the window's blocks; without any block the reason is that of the latest face that was refused.
    pub(super) fn measure(&self, signal: SignalName, window: Window, rules: Rules) -> Measurement {
        let summary = self.logits.summary(window);
        let mut measurement = Measurement {
            signal,
            statistic: None,
            blocks: summary.map_or(0, |summary| summary.n_blocks),
            standard_error: None,
            alarm: false,
            usable_ratio: self.logits.usable_ratio(window),
            reasons: Vec::new(),
        };
        match summary {
            Some(summary) if summary.n_blocks >= rules.min_blocks => {
                measurement.statistic = Some(summary.mean);
                measurement.standard_error = summary.standard_error;
                let attack_score = 1.0 / (1.0 + summary.mean.exp());
                let reason = Reason::new(rules.model).with("attack_score", attack_score);
                measurement.reasons.push(reason.with("blocks", summary.n_blocks));
            }
            Some(summary) => measurement.reasons.push(
                Reason::new(rules.too_short).with("blocks", summary.n_blocks).with("blocks_needed", rules.min_blocks),
            ),
            None => {
                let refusal = self.refusal.clone();
                measurement.reasons.push(refusal.unwrap_or_else(|| Reason::new(rules.not_measured)));
            }
        }
        measurement
    }
}

/// Why the picture of a face cannot be judged by a model that looks at texture and seams, beside its size; `None` when it can.
pub(super) fn framing_problem(face: &FaceObservation, max_yaw_deg: f32) -> Option<Reason> {
    let FaceQuality { outside_ratio, clipped_ratio, .. } = face.quality;
    if !is_at_most(outside_ratio, MAX_OUTSIDE_RATIO) {
        return Some(Reason::new("quality.face_cut_off").with("outside_ratio", outside_ratio));
    }
    if !is_at_most(clipped_ratio, MAX_CLIPPED_RATIO) {
        return Some(Reason::new("quality.clipped").with("clipped_ratio", clipped_ratio));
    }
    let turned = face.pose.filter(|pose| !is_at_most(pose.yaw_deg.abs(), max_yaw_deg))?;
    Some(Reason::new("quality.turned_away").with("yaw_deg", turned.yaw_deg))
}

/// Whether a value keeps a bound; one that is not a number does not.
pub(super) fn is_at_most(value: f32, bound: f32) -> bool {
    value <= bound
}

/// The natural-log odds of bona fide behind an attack score 0..=1, held within `bound`; `None` when it is no such score.
pub(super) fn bona_fide_logit(attack_score: f32, bound: f64) -> Option<f64> {
    let score = f64::from(attack_score);
    (0.0..=1.0).contains(&score).then(|| ((1.0 - score) / score).ln().clamp(-bound, bound))
}
