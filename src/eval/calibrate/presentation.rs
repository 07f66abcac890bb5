//! Labelled images with surroundings, as the signal's gate lets them through.

use crate::eval::error::EvalError;
use crate::eval::manifest::{self, Naming};
use crate::eval::presentation::{labelled_statistics, measure_all};
use crate::eval::run::Bench;
use crate::eval::still::Framing;
use crate::scoring::LabelledStatistic;

use super::CalibrationTask;

pub(super) fn samples(bench: &Bench<'_>, task: &CalibrationTask) -> Result<Vec<LabelledStatistic>, EvalError> {
    let items = manifest::read(task.manifest.as_deref(), &task.root, Naming::Label)?;
    let measured = measure_all(bench, &items, Framing::Scene)?;
    Ok(labelled_statistics(&items, &measured))
}
