//! Repeated looks: a server scores a session once a second, so one that is never an alarm at its end may have been one on the
//! way. How often, in interviews of minutes?
//!
//! Recordings are shorter than interviews. Long ones are simulated: stretches of a recording's own observations, drawn at
//! random, one after the other, through the same session and policy. What repeats in the simulation and does not in an
//! interview, the pictures themselves, is made different each time, or the stream signal would rightly find a loop.

use std::fmt::Write as _;

use rand::rngs::StdRng;
use rand::{RngExt as _, SeedableRng as _};
use serde_json::json;

use crate::media::{MediaTime, PictureStats};
use crate::scoring::Level;
use crate::service::FrameSession;
use crate::session::SessionEvent;
use crate::signals::{FrameObservation, quantile};

use super::clip::{Frames, observe, short_name};
use super::error::EvalError;
use super::manifest::{self, Item, Label, Naming};
use super::output::{EvalReport, ScoreRow, versions};
use super::run::{Bench, EvalTask};

/// Interviews simulated of each recording.
const N_INTERVIEWS: u64 = 5;
/// Length of the stretches in seconds: longer than what a signal averages in one go.
const STRETCH_SECS: f64 = 5.0;
/// Seconds between the last observation of a stretch and the first of the next.
const GAP_SECS: f64 = 0.04;
/// Minutes after which interviews are looked at.
const MINUTES: [f64; 4] = [1.0, 2.0, 5.0, 10.0];
const LONGEST_SECS: f64 = 600.0;

/// What one simulated interview came to.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Course {
    /// When it was SUSPICIOUS or ALERT for the first time, in seconds.
    alarm_at: Option<f64>,
    /// When it was ALERT for the first time.
    alert_at: Option<f64>,
    /// When it was CLEAR for the first time.
    clear_at: Option<f64>,
    /// Level at each of [`MINUTES`].
    levels: [Level; MINUTES.len()],
}

/// Simulates long interviews from labelled recordings and follows their levels over time.
///
/// # Errors
/// As [`super::evaluate_session`].
pub fn evaluate_sequential(bench: &Bench<'_>, task: &EvalTask) -> Result<EvalReport, EvalError> {
    let items = manifest::read(task.manifest.as_deref(), &task.root, Naming::Label)?;
    manifest::check_files(&items)?;
    let courses = bench.for_each(&items, |item| -> Result<Vec<Course>, EvalError> {
        let observations = observe(bench, Frames::open(bench, &item.file)?)?;
        (0..N_INTERVIEWS).map(|seed| follow(bench, &long_interview(&observations, seed))).collect()
    })?;
    Ok(report(bench, &items, &courses))
}

/// Stretches of a recording, drawn until the interview is long enough; empty when the recording has no observation.
fn long_interview(recorded: &[FrameObservation], seed: u64) -> Vec<FrameObservation> {
    let secs = |observation: &FrameObservation| observation.media_time.as_secs_f64();
    let (Some(first), Some(last)) = (recorded.first().map(secs), recorded.last().map(secs)) else { return Vec::new() };
    let mut rng = StdRng::seed_from_u64(seed);
    let mut interview: Vec<FrameObservation> = Vec::new();
    let mut at = 0.0;
    while at < LONGEST_SECS {
        let latest = (last - STRETCH_SECS).max(first);
        let start = if latest > first { rng.random_range(first..latest) } else { first };
        let stretch = recorded.iter().filter(|seen| (start..start + STRETCH_SECS).contains(&secs(seen)));
        let (begins_at, mask) = (at, rng.random::<u64>());
        for seen in stretch {
            at = begins_at + secs(seen) - start;
            let Some(time) = MediaTime::from_secs_f64(at) else { continue };
            let sequence = interview.len() as u64 + 1;
            let picture = PictureStats { average_hash: seen.picture.average_hash ^ mask, ..seen.picture };
            interview.push(FrameObservation { sequence, media_time: time, arrival: time, picture, ..seen.clone() });
        }
        at += GAP_SECS;
    }
    interview
}

/// Feeds an interview to a session and notes its levels.
fn follow(bench: &Bench<'_>, interview: &[FrameObservation]) -> Result<Course, EvalError> {
    let mut session = FrameSession::new(bench.pipeline, bench.policy, None)?;
    let mut course =
        Course { alarm_at: None, alert_at: None, clear_at: None, levels: [Level::Inconclusive; MINUTES.len()] };
    for observation in interview {
        let at = observation.media_time.as_secs_f64();
        for event in session.apply(observation.clone()) {
            let SessionEvent::Score { score, .. } = event else { continue };
            let note = |first: &mut Option<f64>, is_so: bool| {
                if is_so {
                    first.get_or_insert(at);
                }
            };
            note(&mut course.alarm_at, score.level >= Level::Suspicious);
            note(&mut course.alert_at, score.level == Level::Alert);
            note(&mut course.clear_at, score.level == Level::Clear);
            for (level, minutes) in course.levels.iter_mut().zip(MINUTES) {
                if at <= minutes * 60.0 {
                    *level = score.level;
                }
            }
        }
    }
    Ok(course)
}

fn report(bench: &Bench<'_>, items: &[Item], courses: &[Vec<Course>]) -> EvalReport {
    let of_label = |label: Label| -> Vec<&Vec<Course>> {
        items.iter().zip(courses).filter(|(item, _)| item.label() == Some(label)).map(|(_, courses)| courses).collect()
    };
    let mut text = String::from("# Repeated looks: levels over the minutes of an interview\n\n");
    let _ = writeln!(
        text,
        "{N_INTERVIEWS} interviews of {:.0} minutes simulated of each recording, of stretches of {STRETCH_SECS:.0} s drawn at \
         random: {} bona fide and {} attack recordings.\nA share is the mean over recordings; in brackets, of how many \
         recordings any interview was counted.\n",
        LONGEST_SECS / 60.0,
        of_label(Label::BonaFide).len(),
        of_label(Label::Attack).len(),
    );
    let mut figures = Vec::new();
    for (label, title) in [(Label::BonaFide, "bona fide"), (Label::Attack, "attacks")] {
        let recordings = of_label(label);
        let share = |counts: &dyn Fn(&Course) -> bool| {
            let shares: Vec<f64> = recordings
                .iter()
                .map(|courses| courses.iter().filter(|course| counts(course)).count() as f64 / courses.len() as f64)
                .collect();
            let mean = shares.iter().sum::<f64>() / shares.len().max(1) as f64;
            (mean, shares.iter().filter(|share| **share > 0.0).count())
        };
        let cell = |(mean, n): (f64, usize)| format!("{:.1} % ({n})", 100.0 * mean);
        let _ = writeln!(
            text,
            "| {title}, after | SUSPICIOUS or ALERT then | at any time until then | ALERT at any time | CLEAR then |\n\
             |---|---|---|---|---|"
        );
        for (index, minutes) in MINUTES.into_iter().enumerate() {
            let until = minutes * 60.0;
            let level = |course: &Course| course.levels.get(index).copied().unwrap_or(Level::Inconclusive);
            let then = share(&|course| level(course) >= Level::Suspicious);
            let ever = share(&|course| course.alarm_at.is_some_and(|at| at <= until));
            let alert = share(&|course| course.alert_at.is_some_and(|at| at <= until));
            let clear = share(&|course| level(course) == Level::Clear);
            let _ = writeln!(
                text,
                "| {minutes:.0} min | {} | {} | {} | {} |",
                cell(then),
                cell(ever),
                cell(alert),
                cell(clear)
            );
            figures.push(json!({
                "label": title, "minutes": minutes, "n_recordings": recordings.len(), "alarm_then": then.0,
                "alarm_until_then": ever.0, "alert_until_then": alert.0, "clear_then": clear.0,
            }));
        }
        text.push('\n');
    }
    text.push_str(
        "| recording | label | ever an alarm | first alarm, median | ever ALERT | CLEAR after ten minutes |\n\
         |---|---|---|---|---|---|\n",
    );
    for (item, courses) in items.iter().zip(courses) {
        let count = |counts: &dyn Fn(&Course) -> bool| courses.iter().filter(|course| counts(course)).count();
        let mut alarms: Vec<f64> = courses.iter().filter_map(|course| course.alarm_at).collect();
        alarms.sort_by(f64::total_cmp);
        let median = if alarms.is_empty() { "–".to_owned() } else { format!("{:.0} s", quantile(&alarms, 0.5)) };
        let _ = writeln!(
            text,
            "| {} | {} | {} of {} | {median} | {} | {} |",
            short_name(&item.file),
            item.name,
            alarms.len(),
            courses.len(),
            count(&|course| course.alert_at.is_some()),
            count(&|course| course.levels.last() == Some(&Level::Clear)),
        );
    }
    EvalReport {
        markdown: text,
        json: json!({ "task": "sequential", "versions": versions(bench), "figures": figures }),
        rows: items
            .iter()
            .zip(courses)
            .map(|(item, courses)| {
                let n_alarms = courses.iter().filter(|course| course.alarm_at.is_some()).count();
                let score = (!courses.is_empty()).then(|| n_alarms as f64 / courses.len() as f64);
                ScoreRow { path: item.path.clone(), label: item.name.clone(), score, ..ScoreRow::default() }
            })
            .collect(),
        plots: Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::{LONGEST_SECS, long_interview};
    use crate::signals::testing::frame_at;

    #[test]
    fn a_long_interview_is_made_of_stretches_in_order() {
        let recorded: Vec<_> = (0..200).map(|tenth| frame_at(f64::from(tenth) / 10.0)).collect();
        let interview = long_interview(&recorded, 1);
        assert!(interview.is_sorted_by(|a, b| a.media_time < b.media_time && a.sequence < b.sequence));
        assert!(interview.last().is_some_and(|last| last.media_time.as_secs_f64() >= LONGEST_SECS - 6.0));
        assert_eq!(interview, long_interview(&recorded, 1), "the same draw");
        assert_ne!(interview.len(), 0);
    }

    #[test]
    fn recordings_shorter_than_a_stretch_are_repeated_whole() {
        let recorded: Vec<_> = (0..20).map(|tenth| frame_at(f64::from(tenth) / 10.0)).collect();
        assert!(long_interview(&recorded, 1).len() > 2_000);
        assert!(long_interview(&[], 1).is_empty());
    }
}
