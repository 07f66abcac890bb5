//! Genuine recordings against the same with the picture gone for the second half.

use crate::eval::clip::{Frames, measure, observe, short_name};
use crate::eval::error::EvalError;
use crate::eval::manifest::Label;
use crate::eval::run::Bench;
use crate::scoring::LabelledStatistic;
use crate::signals::{FaceSearch, FrameObservation, Presence};

use super::CalibrationTask;
use super::clips::{items, labelled};

/// What an absence does to a frame.
type Absence = fn(&mut FrameObservation);

/// Ways of not being there.
const ABSENCES: [(&str, Absence); 3] = [
    ("black", |frame| {
        (frame.picture.mean_luma, frame.picture.luma_deviation) = (0.0, 0.0);
        frame.faces = FaceSearch::Run(Vec::new());
    }),
    ("frozen", |frame| frame.picture.change_levels = Some(0.0)),
    ("nobody", |frame| frame.faces = FaceSearch::Run(Vec::new())),
];

pub(super) fn samples(bench: &Bench<'_>, task: &CalibrationTask) -> Result<Vec<LabelledStatistic>, EvalError> {
    let clips = items(task, |label| label == Label::BonaFide)?;
    let samples = bench.for_each(&clips, |item| {
        let name = short_name(&item.file);
        let observations = observe(bench, Frames::open(bench, &item.file)?)?;
        let mut samples = vec![labelled(measure::<Presence>(&observations).statistic, true, &name)];
        for (how, change) in ABSENCES {
            let mut absent = observations.clone();
            let half = absent.len() / 2;
            absent.iter_mut().skip(half).for_each(change);
            let source = format!("{how} second half of {name}");
            samples.push(labelled(measure::<Presence>(&absent).statistic, false, &source));
        }
        Ok::<_, EvalError>(samples)
    })?;
    Ok(samples.into_iter().flatten().flatten().collect())
}
