//! Thresholds for an operator's own interviews: known-genuine recordings and a budget of false alarms to a policy file.

use std::fmt::Write as _;

use serde_json::json;

use super::clip::short_name;
use super::error::EvalError;
use super::manifest::{self, Item, Label, Naming};
use super::output::{EvalReport, percent, versions};
use super::run::{Bench, EvalTask};
use super::session::{self, Outcome};
use super::table::share_text;
use super::trial::Share;
use crate::scoring::{AlarmBudget, AlarmThreshold, LevelThresholds, alarm_threshold};

/// Genuine interviews listed as the next to become alarms.
const N_NEAREST: usize = 10;
/// The new threshold stays this far below that of CLEAR.
const MIN_GAP: f64 = 0.01;

/// One interview with an estimate.
struct Estimated<'a> {
    item: &'a Item,
    authenticity: f64,
}

/// Scores known-genuine interviews, and attacks if there are any, and moves the thresholds of alarms to keep the budget.
///
/// `policy_text` is the policy that `bench` scores with; the new one is among the report's files as `policy.toml`.
///
/// # Errors
/// [`EvalError::TooFew`] when no genuine interview has an estimate or the policy's text cannot be changed; otherwise as
/// [`super::evaluate_session`].
pub fn calibrate_thresholds(
    bench: &Bench<'_>,
    task: &EvalTask,
    policy_text: &str,
    budget: AlarmBudget,
) -> Result<EvalReport, EvalError> {
    let items = manifest::read(task.manifest.as_deref(), &task.root, Naming::Label)?;
    let outcomes = session::score_all(bench, &items)?;
    let estimated = |label: Label| -> Vec<Estimated<'_>> {
        let of_label = items.iter().zip(&outcomes).filter(|(item, _)| item.label() == Some(label));
        of_label.filter_map(|(item, outcome)| Some(Estimated { item, authenticity: estimate(outcome)? })).collect()
    };
    let (genuine, attacks) = (estimated(Label::BonaFide), estimated(Label::Attack));
    let values: Vec<f64> = genuine.iter().map(|interview| interview.authenticity).collect();
    let chosen = alarm_threshold(&values, budget).ok_or_else(|| EvalError::TooFew {
        problem: "no known-genuine interview has enough evidence for an estimate: add longer ones".to_owned(),
    })?;
    let levels = moved(&bench.policy.levels, &chosen);
    let policy = bench
        .policy
        .with_levels(policy_text, levels)
        .map_err(|error| EvalError::TooFew { problem: format!("the policy cannot be changed: {error}") })?;
    let n_genuine = items.iter().filter(|item| item.label() == Some(Label::BonaFide)).count();
    let markdown = report(&Found { bench, budget, chosen, levels, genuine: &genuine, attacks: &attacks, n_genuine });
    let trials = items.iter().zip(&outcomes).map(|(item, outcome)| session::trial(bench, item, outcome));
    Ok(EvalReport {
        markdown,
        json: json!({
            "task": "thresholds",
            "versions": versions(bench),
            "budget": budget.share(),
            "n_bona_fide": n_genuine,
            "n_estimated": genuine.len(),
            "is_promised": chosen.is_promised,
            "suspicious_below": levels.suspicious_below,
            "suspicious_below_interval": [chosen.interval.0, chosen.interval.1],
            "alert_below": levels.alert_below,
            "alarms": alarms(&genuine, levels.suspicious_below),
            "alarms_before": alarms(&genuine, bench.policy.levels.suspicious_below),
        }),
        rows: trials.zip(&items).map(|(trial, item)| trial.row(item)).collect(),
        plots: vec![("policy.toml", policy)],
    })
}

/// The estimate behind an outcome, also where it lies between the thresholds and is not shown as a verdict.
fn estimate(outcome: &Outcome) -> Option<f64> {
    let score = outcome.score.as_ref()?;
    let undecided = score.reasons.iter().find(|reason| reason.code == "score.undecided");
    let of_reason = undecided.and_then(|reason| reason.values.get("authenticity").copied());
    score.authenticity.map(|estimate| estimate.value).or(of_reason)
}

/// The thresholds of alarms moved together in log-odds, so that ALERT stays as much rarer than SUSPICIOUS as it was.
///
/// Too few interviews to promise anything are no reason for more alarms than before, but may be one for fewer.
fn moved(levels: &LevelThresholds, chosen: &AlarmThreshold) -> LevelThresholds {
    let log_odds = |share: f64| (share / (1.0 - share)).ln();
    let below = if chosen.is_promised { chosen.below } else { chosen.below.min(levels.suspicious_below) };
    let suspicious_below = rounded(below.clamp(0.0, levels.clear_from - MIN_GAP));
    let shift = log_odds(suspicious_below) - log_odds(levels.suspicious_below);
    let alert_below = 1.0 / (1.0 + (-(log_odds(levels.alert_below) + shift)).exp());
    LevelThresholds { suspicious_below, alert_below: rounded(alert_below).clamp(0.0, suspicious_below), ..*levels }
}

/// Down to a thousandth, as people write thresholds.
fn rounded(threshold: f64) -> f64 {
    (threshold * 1_000.0).floor() / 1_000.0
}

fn alarms(interviews: &[Estimated<'_>], below: f64) -> Share {
    let n_hits = interviews.iter().filter(|interview| interview.authenticity < below).count() as u64;
    Share::new("alarms", n_hits, interviews.len() as u64)
}

/// What the report is of.
struct Found<'a> {
    bench: &'a Bench<'a>,
    budget: AlarmBudget,
    chosen: AlarmThreshold,
    levels: LevelThresholds,
    genuine: &'a [Estimated<'a>],
    attacks: &'a [Estimated<'a>],
    n_genuine: usize,
}

fn report(found: &Found<'_>) -> String {
    let Found { bench, budget, chosen, levels, genuine, attacks, n_genuine } = found;
    let before = &bench.policy.levels;
    let mut text = String::from("# Thresholds for a budget of false alarms\n\n");
    let _ = writeln!(
        text,
        "{n_genuine} known-genuine interviews, {} of them with an estimate, scored by {}; budget {} of genuine interviews.\n",
        genuine.len(),
        bench.policy.name(),
        percent(budget.share(), None),
    );
    let end = |value: Option<f64>| value.map_or_else(|| "unknown".to_owned(), |value| format!("{value:.3}"));
    let _ = writeln!(text, "| threshold | before | now | 95 % of the latter |\n|---|---|---|---|");
    let _ = writeln!(
        text,
        "| SUSPICIOUS below | {:.3} | {:.3} | {} to {} |",
        before.suspicious_below,
        levels.suspicious_below,
        end(chosen.interval.0),
        end(chosen.interval.1)
    );
    let _ = writeln!(text, "| ALERT below | {:.3} | {:.3} | moved along |\n", before.alert_below, levels.alert_below);
    let _ = writeln!(text, "| on these interviews | before | now |\n|---|---|---|");
    let mut row = |name: &str, interviews: &[Estimated<'_>]| {
        let _ = writeln!(
            text,
            "| {name} | {} | {} |",
            share_text(&alarms(interviews, before.suspicious_below)),
            share_text(&alarms(interviews, levels.suspicious_below))
        );
    };
    row("alarms among genuine", genuine);
    if !attacks.is_empty() {
        row("alarms among attacks", attacks);
    }
    text.push('\n');
    if chosen.is_promised {
        text.push_str(
            "A further genuine interview that is like these is an alarm with at most the budgeted probability. Other \
             candidates, cameras and platforms are not like these: repeat this when they change.\n",
        );
    } else {
        let _ = writeln!(
            text,
            "**The budget is not promised**: that takes {} genuine interviews with an estimate, and there are {}. The \
             threshold is where it was, or lower, so that none of them lies below it.",
            budget.interviews_needed(),
            genuine.len()
        );
    }
    let mut nearest: Vec<&Estimated<'_>> = genuine.iter().collect();
    nearest.sort_by(|a, b| a.authenticity.total_cmp(&b.authenticity));
    text.push_str("\n## Genuine interviews that look least genuine\n\n| interview | authenticity |\n|---|---|\n");
    for interview in nearest.into_iter().take(N_NEAREST) {
        let _ = writeln!(text, "| {} | {:.3} |", short_name(&interview.item.file), interview.authenticity);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::moved;
    use crate::scoring::{AlarmThreshold, Policy};

    #[test]
    fn thresholds_move_together_and_few_interviews_raise_no_alarms() {
        let levels = Policy::shipped().levels;
        let at = |below: f64, is_promised: bool| {
            moved(&levels, &AlarmThreshold { below, interval: (None, None), n_alarms: 0, is_promised })
        };
        let lower = at(0.3, true);
        assert!((lower.suspicious_below - 0.3).abs() < 1e-9 && lower.alert_below < levels.alert_below);
        assert!(at(0.7, true).suspicious_below > levels.suspicious_below);
        assert_eq!(at(0.7, false), levels, "no promise, no more alarms");
        assert!(at(0.3, false).suspicious_below < levels.suspicious_below);
        assert!(at(0.99, true).suspicious_below < levels.clear_from, "below CLEAR in any case");
        assert_eq!(at(0.0, true).alert_below, 0.0);
    }
}
