//! Fits the lines of the scoring policy from statistic to log-likelihood ratio, one signal at a time.

mod clips;
mod detector;
mod identity;
mod motion;
mod presence;
mod search;
mod stream;

use std::path::PathBuf;

use crate::scoring::{AlarmRatio, Calibration, LabelledStatistic, fit, fit_alarm};
use crate::signals::{Identity, SignalName};

use super::detector::{DEEPFAKE, PRESENTATION};
use super::error::EvalError;
use super::run::Bench;
use super::still::Framing;

pub use self::search::{FittedTail, calibrate_search};
pub(super) use self::search::{identity_model, tail_of};

/// What a signal's calibration is fitted on.
#[derive(Clone, Debug)]
pub struct CalibrationTask {
    /// Which signal.
    pub signal: SignalName,
    /// CSV file; `None` = the folders below the root name people or labels.
    pub manifest: Option<PathBuf>,
    /// Folder that the manifest's paths are below.
    pub root: PathBuf,
    /// How much of a scene the images show.
    pub framing: Framing,
    /// Further folder of portraits (one folder a person) that attacks are simulated from.
    pub portraits: Option<PathBuf>,
}

/// A fitted line and what it was fitted on.
#[derive(Clone, Debug)]
pub struct Fitted {
    /// Which signal.
    pub signal: SignalName,
    /// The line.
    pub calibration: Calibration,
    /// What its alarm says, if it raises any.
    pub alarm: Option<AlarmRatio>,
    /// One line a sample that is worth a look: what it is, its class, its statistic.
    pub samples: Vec<LabelledStatistic>,
}

/// Fits the line of one signal.
///
/// # Errors
/// [`EvalError::TooFew`] when a class is empty or the statistic does not separate the classes; otherwise as the
/// evaluations.
pub fn calibrate(bench: &Bench<'_>, task: &CalibrationTask) -> Result<Fitted, EvalError> {
    let samples = match task.signal {
        SignalName::Identity => identity::samples(bench, task)?,
        SignalName::Presentation => detector::samples(bench, task, PRESENTATION)?,
        SignalName::Deepfake => detector::samples(bench, task, DEEPFAKE)?,
        SignalName::Motion => motion::samples(bench, task)?,
        SignalName::Presence => presence::samples(bench, task)?,
        SignalName::Stream => stream::samples(bench, task)?,
    };
    let data = task.root.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let fitted_on = format!("{data}, all of it; bonafide calibrate signal {}", task.signal);
    let calibration = fit(&samples, &fitted_on).ok_or_else(|| {
        let n_bona_fide = samples.iter().filter(|sample| sample.is_bona_fide).count();
        EvalError::TooFew {
            problem: format!(
                "{n_bona_fide} bona fide and {} attack statistics do not give a line: a class is empty, or the \
                 statistic is not higher for bona fide",
                samples.len() - n_bona_fide
            ),
        }
    })?;
    let alarm = (task.signal == SignalName::Identity).then(|| fit_alarm(&samples, Identity::tells_apart, &fitted_on));
    Ok(Fitted { signal: task.signal, calibration, alarm: alarm.flatten(), samples })
}
