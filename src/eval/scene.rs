//! Scene re-use: are two pictures of one place told from pictures of two?
//!
//! Faces are found and descriptors made and searched by the code that serves. A folder, or the column `scene`, names the place.
//! Where a place was recorded once, another sitting in it is simulated: somebody else of the same data before it, the camera
//! moved, other light; every figure says which of the two it is of. Places, not pairs, are what is drawn for intervals.

mod pairs;
mod report;
mod searches;
mod views;

use std::collections::BTreeMap;

use crate::identity::{ImpostorTail, SceneCalibration, SceneLine, ScenePolicy, SceneTail, WeighedSimilarity};
use crate::scoring::{LabelledStatistic, fit};

use super::error::EvalError;
use super::manifest::{self, Naming};
use super::output::EvalReport;
use super::run::{Bench, EvalTask};

use self::pairs::{Kind, Pairs};
use self::views::{View, views};

/// Compares all pairs of pictures of labelled places.
///
/// # Errors
/// [`EvalError::Manifest`] and [`EvalError::Io`] for what cannot be read, [`EvalError::TooFew`] when fewer than two places can
/// be compared, [`EvalError::Service`] when a model or the image library fails.
pub fn evaluate_scene(bench: &Bench<'_>, task: &EvalTask) -> Result<EvalReport, EvalError> {
    let views = read(bench, task)?;
    let pairs = Pairs::new(bench, &views)?;
    let shipped = SceneCalibration::new(ScenePolicy::shipped());
    let halves = Halves::new(&pairs)?;
    Ok(report::write(bench, &report::Findings { views: &views, pairs: &pairs, shipped: &shipped, halves: &halves }))
}

/// Fits the line and the tail of scores of all pairs.
///
/// # Errors
/// As [`evaluate_scene`], and [`EvalError::Identity`] when there are too few places.
pub fn calibrate_scene(bench: &Bench<'_>, task: &EvalTask) -> Result<ScenePolicy, EvalError> {
    let views = read(bench, task)?;
    let pairs = Pairs::new(bench, &views)?;
    let data = task.root.file_name().unwrap_or_default().to_string_lossy().into_owned();
    fitted(&pairs, &|_| true, &format!("{data}, all of it; bonafide calibrate scene"))
}

fn read(bench: &Bench<'_>, task: &EvalTask) -> Result<Vec<View>, EvalError> {
    let items = manifest::read(task.manifest.as_deref(), &task.root, Naming::Scene)?;
    manifest::check_files(&items)?;
    views(bench, &items)
}

/// Calibrations of each half of the places, for use on the other.
struct Halves {
    /// Fitted on places of odd number, and even ones.
    of_others: [SceneCalibration; 2],
}

impl Halves {
    fn new(pairs: &Pairs) -> Result<Self, EvalError> {
        let half = |parity: u32| -> Result<SceneCalibration, EvalError> {
            Ok(SceneCalibration::new(fitted(pairs, &|scene| scene % 2 == parity, "one half of the places")?))
        };
        Ok(Self { of_others: [half(1)?, half(0)?] })
    }

    /// The calibration that was not fitted on a place's half.
    fn unseen(&self, scene: u32) -> &SceneCalibration {
        let [even, odd] = &self.of_others;
        if scene.is_multiple_of(2) { even } else { odd }
    }
}

/// The calibration that the pairs of some places give.
fn fitted(pairs: &Pairs, is_in: &dyn Fn(u32) -> bool, fitted_on: &str) -> Result<ScenePolicy, EvalError> {
    let mut statistics = Vec::new();
    let mut similarities = Vec::new();
    let mut sources: BTreeMap<bool, std::collections::BTreeSet<u32>> = BTreeMap::new();
    for pair in pairs.all().iter().filter(|pair| pair.scenes.iter().all(|scene| is_in(*scene))) {
        let is_same = pair.kind.is_same_scene();
        if matches!(pair.kind, Kind::LaterFrame | Kind::OnePerson) {
            // The next minute of one recording is no other interview, and some people are put before many places.
            continue;
        }
        let source = if is_same { pair.scenes[0].to_string() } else { format!("{} and others", pair.scenes[0]) };
        sources.entry(is_same).or_default().insert(pair.scenes[0]);
        let statistic = f64::from(pair.similarity.score);
        statistics.push(LabelledStatistic { statistic, is_bona_fide: is_same, source, set: None });
        if !is_same {
            similarities.push(WeighedSimilarity { similarity: statistic, weight: 1.0, people: pair.scenes });
        }
    }
    let n_scenes = pairs.n_scenes(is_in);
    let too_few = |what: &str| EvalError::TooFew {
        problem: format!("{n_scenes} places do not give a {what}: add pictures of further places"),
    };
    let line = fit(&statistics, fitted_on).ok_or_else(|| too_few("line from score to ratio"))?;
    let tail = ImpostorTail::fit(&similarities, n_scenes, fitted_on)?;
    let shipped = ScenePolicy::shipped();
    Ok(ScenePolicy {
        line: SceneLine {
            offset: line.offset,
            slope: line.slope,
            llr_min: line.llr_min.max(-f64::from(line.n_bona_fide.max(1)).ln()),
            llr_max: line.llr_max.min(f64::from(line.n_attack.max(1)).ln()),
            standard_error: line.standard_error,
            n_same: line.n_bona_fide,
            n_different: line.n_attack,
            fitted_on: line.fitted_on,
        },
        tail: SceneTail::of(&tail),
        ..shipped
    })
}
