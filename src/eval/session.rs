//! Whole recordings: levels, evidence and error rates of sessions.

mod kept;
mod report;

use std::path::Path;

use crate::scoring::{Level, Score};
use crate::service::{ServiceError, score_recording};

use super::error::EvalError;
use super::manifest::{self, Item, Naming};
use super::output::EvalReport;
use super::run::{Bench, EvalTask};
use super::trial::{Scored, Trial};

/// What came out of one recording.
pub(super) struct Outcome {
    /// The participant's score; `None` when nothing could be decoded.
    pub(super) score: Option<Score>,
    /// Length, where the container says.
    pub(super) duration_secs: Option<f64>,
    /// Stretches worth a look.
    pub(super) n_segments: usize,
    /// Why there is no score.
    pub(super) problem: Option<String>,
}

/// Scores labelled recordings from end to end.
///
/// # Errors
/// [`EvalError::Manifest`] and [`EvalError::Io`] for what cannot be read, [`EvalError::Service`] when a model fails.
pub fn evaluate_session(bench: &Bench<'_>, task: &EvalTask) -> Result<EvalReport, EvalError> {
    let items = manifest::read(task.manifest.as_deref(), &task.root, Naming::Label)?;
    let outcomes = score_all(bench, &items)?;
    let trials: Vec<Trial> = items.iter().zip(&outcomes).map(|(item, outcome)| trial(bench, item, outcome)).collect();
    Ok(report::write(bench, &items, &outcomes, &trials))
}

/// Scores every recording.
pub(super) fn score_all(bench: &Bench<'_>, items: &[Item]) -> Result<Vec<Outcome>, EvalError> {
    manifest::check_files(items)?;
    bench.for_each_file(items, |item| score(bench, &item.file))
}

fn score(bench: &Bench<'_>, file: &Path) -> Result<Outcome, EvalError> {
    match score_recording(bench.pipeline, bench.policy, file, None, |_at_secs| {}) {
        Ok(report) => Ok(Outcome {
            score: report.participants.into_iter().next().map(|(_, score)| score),
            duration_secs: report.info.duration_secs,
            n_segments: report.segments.len(),
            problem: report.decode_problem,
        }),
        Err(ServiceError::Media(error)) => {
            Ok(Outcome { score: None, duration_secs: None, n_segments: 0, problem: Some(error.to_string()) })
        }
        Err(error) => Err(error.into()),
    }
}

/// A recording's trial.
pub(super) fn trial(bench: &Bench<'_>, item: &Item, outcome: &Outcome) -> Trial {
    let scored = match &outcome.score {
        Some(score) => scored(bench, score),
        None => Scored::No("media.unreadable".to_owned()),
    };
    Trial::new(item, scored)
}

/// A session's attack score is one less its authenticity, its ratio what the evidence added to the prior.
pub(super) fn scored(bench: &Bench<'_>, score: &Score) -> Scored {
    match score.authenticity {
        Some(authenticity) if score.level != Level::Inconclusive => {
            let log_odds = (authenticity.value / (1.0 - authenticity.value)).ln();
            Scored::Yes { score: 1.0 - authenticity.value, llr: log_odds - bench.policy.prior_log_odds() }
        }
        _ => {
            Scored::No(score.reasons.first().map_or_else(|| "score.none".to_owned(), |reason| reason.code.to_string()))
        }
    }
}
