//! Substitution: how soon is another person told who takes over in the middle of a session?
//!
//! Genuine recordings of different people are spliced in every pixel. What counts is the first event that a reviewer would
//! see: a segment with `identity.changed` among its evidence.

use std::fmt::Write as _;

use serde_json::json;

use crate::media::{MediaTime, VideoFrame};
use crate::scoring::{Level, Score, SignalEvidence};
use crate::service::FrameSession;
use crate::session::{SegmentChange, SessionEvent};
use crate::signals::{SignalName, quantile};
use crate::vision::Embedding;

use super::clip::{Frames, embeddings, observe, short_name};
use super::error::EvalError;
use super::manifest::{self, Item, Label, Naming};
use super::metric::clopper_pearson;
use super::output::{EvalReport, ScoreRow, percent, versions};
use super::person::people_among;
use super::run::{Bench, EvalTask};
use super::session::scored;
use super::simulate::Splice;
use super::trial::Scored;

/// Seconds of the first person, at most, and of the second.
const BEFORE_SECS: f64 = 8.0;
const AFTER_SECS: f64 = 8.0;
/// Ordered pairs that are spliced, evenly chosen among all.
const MAX_PAIRS: usize = 42;
/// Seconds before the cut within which a dated change is still the cut.
const DATING_SECS: f64 = 0.5;
/// Delay that is aimed at.
const TARGET_SECS: f64 = 3.0;

/// What one session said of a change of person.
struct Told {
    /// Where the second person began; `None` without a splice.
    cut_at: Option<MediaTime>,
    /// When the first segment that names a change was opened.
    told_at: Option<MediaTime>,
    /// Changes that were dated before the cut, or that there were at all without one.
    n_false: usize,
    score: Option<Score>,
}

/// Splices genuine recordings and measures how soon the change is told, and that none is told without a splice.
///
/// # Errors
/// [`EvalError::TooFew`] with fewer than two people; otherwise as [`super::evaluate_session`].
pub fn evaluate_splice(bench: &Bench<'_>, task: &EvalTask) -> Result<EvalReport, EvalError> {
    let mut items = manifest::read(task.manifest.as_deref(), &task.root, Naming::Label)?;
    items.retain(|item| item.label() == Some(Label::BonaFide));
    manifest::check_files(&items)?;
    let faces = bench.for_each(&items, |item| first_embedding(bench, item))?;
    let people = people_among(&faces.iter().map(Option::as_ref).collect::<Vec<_>>());
    let all: Vec<(&Item, &Item)> = (0..items.len())
        .flat_map(|first| (0..items.len()).map(move |second| (first, second)))
        .filter(|(first, second)| match (people.get(*first), people.get(*second)) {
            (Some(Some(a)), Some(Some(b))) => a != b,
            _ => false,
        })
        .filter_map(|(first, second)| items.get(first).zip(items.get(second)))
        .collect();
    if all.is_empty() {
        return Err(EvalError::TooFew {
            problem: "no two bona fide recordings show different people who can be recognised".to_owned(),
        });
    }
    // A step that shares no factor with the number of people takes every person in both places.
    let stride = all.len().div_ceil(MAX_PAIRS).max(1);
    let pairs: Vec<(&Item, &Item)> = all.iter().step_by(stride).copied().collect();
    let spliced = bench.for_each(&pairs, |(first, second)| {
        let frames =
            Splice::new(Frames::open(bench, &first.file)?, BEFORE_SECS, Frames::open(bench, &second.file)?, AFTER_SECS);
        watch(bench, frames, Splice::cut_at)
    })?;
    let whole = bench.for_each(&items, |item| watch(bench, Frames::open(bench, &item.file)?, |_| None))?;
    Ok(report(bench, &pairs, &spliced, &items, &whole))
}

fn first_embedding(bench: &Bench<'_>, item: &Item) -> Result<Option<Embedding>, EvalError> {
    let frames = Frames::open(bench, &item.file)?.take_while(|frame| frame.media_time.as_secs_f64() < BEFORE_SECS);
    let vectors: Vec<Embedding> = embeddings(observe(bench, frames)?).collect();
    Ok(Embedding::mean(&vectors))
}

fn watch<F: Iterator<Item = VideoFrame>>(
    bench: &Bench<'_>,
    mut frames: F,
    cut_at: impl Fn(&F) -> Option<MediaTime>,
) -> Result<Told, EvalError> {
    let mut session = FrameSession::new(bench.pipeline, bench.policy, None)?;
    let mut told_at = None;
    for frame in frames.by_ref() {
        for event in session.observe(&frame)?.events {
            if let SessionEvent::Segment { change: SegmentChange::Opened | SegmentChange::Extended, segment } = event
                && !changes(&segment.signals).is_empty()
            {
                told_at.get_or_insert(frame.media_time);
            }
        }
    }
    session.finish();
    let score = session.scores().next().map(|(_, score)| score.clone());
    let cut_at = cut_at(&frames);
    let is_false = |at_secs: &f64| cut_at.is_none_or(|cut| *at_secs < cut.as_secs_f64() - DATING_SECS);
    let n_false = score.as_ref().map_or(0, |score| changes(&score.signals).iter().filter(|at| is_false(at)).count());
    Ok(Told { cut_at, told_at, n_false, score })
}

/// When the person changed, in seconds of media time.
fn changes(signals: &[SignalEvidence]) -> Vec<f64> {
    let identity = signals.iter().filter(|signal| signal.name == SignalName::Identity);
    let reasons = identity.flat_map(|signal| signal.reasons.iter()).filter(|reason| reason.code == "identity.changed");
    reasons.filter_map(|reason| reason.values.get("at_secs").copied()).collect()
}

impl Told {
    /// Seconds from the cut to the event; an event before the cut is none.
    fn delay_secs(&self) -> Option<f64> {
        let (cut_at, told_at) = self.cut_at.zip(self.told_at)?;
        Some(told_at.secs_since(cut_at)).filter(|secs| *secs >= 0.0)
    }

    fn level(&self) -> Level {
        self.score.as_ref().map_or(Level::Inconclusive, |score| score.level)
    }
}

fn report(bench: &Bench<'_>, pairs: &[(&Item, &Item)], spliced: &[Told], items: &[Item], whole: &[Told]) -> EvalReport {
    let mut delays: Vec<f64> = spliced.iter().filter_map(Told::delay_secs).collect();
    delays.sort_by(f64::total_cmp);
    let n_in_time = delays.iter().filter(|secs| **secs <= TARGET_SECS).count();
    let n_false = whole.iter().filter(|told| told.n_false > 0).count();
    let n_early = spliced.iter().filter(|told| told.n_false > 0).count();
    let share = |n: usize, of: usize| percent(n as f64 / of.max(1) as f64, clopper_pearson(n as u64, of as u64));
    let flagged = spliced.iter().filter(|told| told.level() >= Level::Suspicious).count();
    let mut text = String::from("# Substitution: one person, then another\n\n");
    let _ = writeln!(
        text,
        "{} ordered pairs of bona fide recordings of different people, up to {BEFORE_SECS} s of each, joined at 640x480.\n",
        pairs.len()
    );
    text.push_str("| figure | value |\n|---|---|\n");
    let _ = writeln!(text, "| told within {TARGET_SECS} s of the cut | {} |", share(n_in_time, pairs.len()));
    let _ = writeln!(text, "| told at all | {} |", share(delays.len(), pairs.len()));
    if let (Some(least), Some(most)) = (delays.first(), delays.last()) {
        let (median, late) = (quantile(&delays, 0.5), quantile(&delays, 0.9));
        let _ = writeln!(
            text,
            "| delay from the cut to the first segment that names it | {least:.2} to {most:.2} s, median {median:.2}, \
             nine of ten {late:.2} |"
        );
    }
    let _ = writeln!(text, "| session SUSPICIOUS or ALERT in the end | {} |", share(flagged, pairs.len()));
    let _ = writeln!(text, "| a change told before the cut | {} |", share(n_early, pairs.len()));
    let _ = writeln!(text, "| a change told in a recording that was not spliced | {} |", share(n_false, items.len()));
    text.push_str("\n| first | then | cut | delay | level |\n|---|---|---|---|---|\n");
    for ((first, second), told) in pairs.iter().zip(spliced) {
        let secs = |secs: Option<f64>| secs.map_or_else(|| "–".to_owned(), |secs| format!("{secs:.2} s"));
        let cut = secs(told.cut_at.map(MediaTime::as_secs_f64));
        let (delay, level) = (secs(told.delay_secs()), told.level().as_str());
        let (first, second) = (short_name(&first.file), short_name(&second.file));
        let _ = writeln!(text, "| {first} | {second} | {cut} | {delay} | {level} |");
    }
    let spliced_rows = pairs
        .iter()
        .zip(spliced)
        .map(|((first, second), told)| row(bench, format!("{}|{}", first.path, second.path), "substitution", told));
    let whole_rows = items.iter().zip(whole).map(|(item, told)| row(bench, item.path.clone(), "bona_fide", told));
    EvalReport {
        markdown: text,
        json: json!({
            "task": "splice",
            "versions": versions(bench),
            "n_pairs": pairs.len(),
            "n_told": delays.len(),
            "n_told_in_time": n_in_time,
            "target_secs": TARGET_SECS,
            "delays_secs": delays,
            "n_flagged": flagged,
            "n_changes_before_cut": n_early,
            "n_whole": items.len(),
            "n_whole_with_change": n_false,
        }),
        rows: spliced_rows.chain(whole_rows).collect(),
        plots: Vec::new(),
    }
}

fn row(bench: &Bench<'_>, path: String, label: &str, told: &Told) -> ScoreRow {
    let scored = told.score.as_ref().map_or_else(|| Scored::No("score.none".to_owned()), |score| scored(bench, score));
    scored.row(path, label.to_owned())
}
