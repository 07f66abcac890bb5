//! The mean bona fide logit of a model's attack scores over time: what the signals of passive models have in common.

use super::blocks::BlockSeries;
use super::measurement::{Measurement, Reason, SignalName};
use super::window::Window;
use crate::media::MediaTime;

/// Blocks needed before anything is said.
const MIN_BLOCKS: u32 = 3;

/// Bona fide logits of one model, in blocks of a second.
#[derive(Clone, Debug, Default)]
pub(super) struct LogitSeries {
    logits: BlockSeries,
}

/// Codes of the reasons that go with a measurement.
#[derive(Clone, Copy, Debug)]
pub(super) struct Codes {
    /// What the model says.
    pub(super) model: &'static str,
    /// Too few blocks.
    pub(super) too_short: &'static str,
}

impl LogitSeries {
    /// Adds the logit of one face.
    pub(super) fn push(&mut self, at: MediaTime, logit: f64) {
        self.logits.push(at, logit);
    }

    /// The mean over the window's blocks; without any block there is no reason yet, and the caller knows why.
    pub(super) fn measure(&self, signal: SignalName, window: Window, codes: Codes) -> Measurement {
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
            Some(summary) if summary.n_blocks >= MIN_BLOCKS => {
                measurement.statistic = Some(summary.mean);
                measurement.standard_error = summary.standard_error;
                let attack_score = 1.0 / (1.0 + summary.mean.exp());
                let reason = Reason::new(codes.model).with("attack_score", attack_score);
                measurement.reasons.push(reason.with("blocks", summary.n_blocks));
            }
            Some(summary) => measurement
                .reasons
                .push(Reason::new(codes.too_short).with("blocks", summary.n_blocks).with("blocks_needed", MIN_BLOCKS)),
            None => {}
        }
        measurement
    }
}

/// The natural-log odds of bona fide behind an attack score 0..=1, held within `bound`; `None` when it is no such score.
pub(super) fn bona_fide_logit(attack_score: f32, bound: f64) -> Option<f64> {
    let score = f64::from(attack_score);
    (0.0..=1.0).contains(&score).then(|| ((1.0 - score) / score).ln().clamp(-bound, bound))
}
