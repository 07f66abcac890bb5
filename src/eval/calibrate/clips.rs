//! What the three signals that need time are fitted on: bona fide recordings, and attacks made from them.

use crate::eval::clip::{Frames, measure, observe, short_name};
use crate::eval::error::EvalError;
use crate::eval::manifest::{self, Item, Label, Naming};
use crate::eval::run::Bench;
use crate::scoring::LabelledStatistic;
use crate::signals::Signal;

use super::CalibrationTask;

/// The recordings of one label.
pub(super) fn items(task: &CalibrationTask, wanted: impl Fn(Label) -> bool) -> Result<Vec<Item>, EvalError> {
    let mut items = manifest::read(task.manifest.as_deref(), &task.root, Naming::Label)?;
    items.retain(|item| item.label().is_some_and(&wanted));
    manifest::check_files(&items)?;
    Ok(items)
}

/// The statistic that a signal makes of a recording; nothing where its gate lets nothing through.
pub(super) fn statistic_of<S: Signal + Default>(
    bench: &Bench<'_>,
    item: &Item,
    is_bona_fide: bool,
) -> Result<Option<LabelledStatistic>, EvalError> {
    let observations = observe(bench, Frames::open(bench, &item.file)?)?;
    Ok(labelled(measure::<S>(&observations).statistic, is_bona_fide, &short_name(&item.file)))
}

/// A statistic with its label, if there is one.
pub(super) fn labelled(statistic: Option<f64>, is_bona_fide: bool, source: &str) -> Option<LabelledStatistic> {
    statistic.map(|statistic| LabelledStatistic { statistic, is_bona_fide, source: source.to_owned(), set: None })
}
