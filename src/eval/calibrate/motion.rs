//! Faces that move against photographs that are moved.
//!
//! Replays and face swaps move as a face does, and so stand on the moving side here, whatever their label.

use crate::eval::clip::{Frames, measure, observe, short_name};
use crate::eval::error::EvalError;
use crate::eval::manifest::{self, Naming};
use crate::eval::run::Bench;
use crate::eval::simulate::moved_still;
use crate::media::{RgbImage, still_from_file};
use crate::scoring::LabelledStatistic;
use crate::signals::Motion;

use super::CalibrationTask;
use super::clips::{items, labelled, statistic_of};

/// Seconds for which a photograph is shown.
const STILL_SECS: u32 = 14;
/// Portraits of different people that are moved, evenly chosen.
const MAX_PORTRAITS: usize = 25;
/// Frame of a recording that serves as a photograph: past fades.
const PHOTOGRAPH_SECS: f64 = 2.0;

pub(super) fn samples(bench: &Bench<'_>, task: &CalibrationTask) -> Result<Vec<LabelledStatistic>, EvalError> {
    let clips = items(task, |_| true)?;
    let moving = bench.for_each(&clips, |item| statistic_of::<Motion>(bench, item, true))?;
    let mut photographs: Vec<(String, RgbImage)> = Vec::new();
    for item in &clips {
        let frame = Frames::open(bench, &item.file)?.find(|frame| frame.media_time.as_secs_f64() >= PHOTOGRAPH_SECS);
        photographs.extend(frame.map(|frame| (short_name(&item.file), frame.picture.into_rgb())));
    }
    photographs.extend(portraits(bench, task)?);
    let numbered: Vec<(u64, (String, RgbImage))> = (1..).zip(photographs).collect();
    let still = bench.for_each(&numbered, |(seed, (name, photograph))| {
        let observations = observe(bench, moved_still(photograph.clone(), STILL_SECS, *seed))?;
        Ok::<_, EvalError>(labelled(
            measure::<Motion>(&observations).statistic,
            false,
            &format!("moved still of {name}"),
        ))
    })?;
    Ok(moving.into_iter().chain(still).flatten().collect())
}

/// The first picture of evenly chosen people.
fn portraits(bench: &Bench<'_>, task: &CalibrationTask) -> Result<Vec<(String, RgbImage)>, EvalError> {
    let Some(folder) = &task.portraits else { return Ok(Vec::new()) };
    let mut people = manifest::read(None, folder, Naming::Identity)?;
    people.dedup_by(|a, b| a.name == b.name);
    let stride = people.len().div_ceil(MAX_PORTRAITS).max(1);
    let chosen = people.into_iter().step_by(stride);
    Ok(chosen
        .filter_map(|item| Some((item.name, still_from_file(&item.file, bench.pipeline.limits()).ok()?)))
        .collect())
}
