//! Labelled images and recordings, as the gate of a passive model's signal lets them through.

use crate::eval::detector::{Detector, labelled_statistics, measure_all};
use crate::eval::error::EvalError;
use crate::eval::manifest::{self, Naming};
use crate::eval::run::Bench;
use crate::scoring::LabelledStatistic;

use super::CalibrationTask;

pub(super) fn samples(
    bench: &Bench<'_>,
    task: &CalibrationTask,
    detector: Detector,
) -> Result<Vec<LabelledStatistic>, EvalError> {
    let items = manifest::read(task.manifest.as_deref(), &task.root, Naming::Label)?;
    let measured = measure_all(bench, &items, task.framing, detector)?;
    Ok(labelled_statistics(&items, &measured))
}
