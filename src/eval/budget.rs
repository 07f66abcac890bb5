//! Thresholds for an operator's own interviews: known recordings and budgets of errors to a policy file.

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
use crate::scoring::{BudgetThreshold, ErrorBudget, LevelThresholds, alarm_threshold, clear_threshold};

/// Genuine interviews listed as the next to become alarms.
const N_NEAREST: usize = 10;
/// The new threshold stays this far below that of CLEAR.
const MIN_GAP: f64 = 0.01;
/// Nobody is asked to be surer than this to be CLEAR.
const MAX_CLEAR_FROM: f64 = 0.999;

/// How many errors an operator allows.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Budgets {
    /// Genuine interviews that may be an alarm.
    pub false_alarms: ErrorBudget,
    /// Attacks that may be CLEAR; `None` leaves that threshold alone.
    pub missed_attacks: Option<ErrorBudget>,
}

/// One interview with an estimate.
struct Estimated<'a> {
    item: &'a Item,
    authenticity: f64,
}

/// Scores known interviews, and moves the thresholds of alarms, and of CLEAR if that is asked for, to keep the budgets.
///
/// `policy_text` is the policy that `bench` scores with; the new one is among the report's files as `policy.toml`.
///
/// # Errors
/// [`EvalError::TooFew`] when no interview of a class that has a budget has an estimate, or the policy's text cannot be changed; otherwise as
/// [`super::evaluate_session`].
pub fn calibrate_thresholds(
    bench: &Bench<'_>,
    task: &EvalTask,
    policy_text: &str,
    budgets: Budgets,
) -> Result<EvalReport, EvalError> {
    let items = manifest::read(task.manifest.as_deref(), &task.root, Naming::Label)?;
    let outcomes = session::score_all(bench, &items)?;
    let estimated = |label: Label| -> Vec<Estimated<'_>> {
        let of_label = items.iter().zip(&outcomes).filter(|(item, _)| item.label() == Some(label));
        of_label.filter_map(|(item, outcome)| Some(Estimated { item, authenticity: estimate(outcome)? })).collect()
    };
    let (genuine, attacks) = (estimated(Label::BonaFide), estimated(Label::Attack));
    let values = |interviews: &[Estimated<'_>]| interviews.iter().map(|seen| seen.authenticity).collect::<Vec<f64>>();
    let none = |class: &str| EvalError::TooFew {
        problem: format!("no {class} has enough evidence for an estimate: add longer ones"),
    };
    let chosen =
        alarm_threshold(&values(&genuine), budgets.false_alarms).ok_or_else(|| none("known-genuine interview"))?;
    let cleared = budgets
        .missed_attacks
        .map(|budget| clear_threshold(&values(&attacks), budget).ok_or_else(|| none("attack")))
        .transpose()?;
    let levels = moved(&bench.policy.levels, &chosen, cleared.as_ref());
    let policy = bench
        .policy
        .with_levels(policy_text, levels)
        .map_err(|error| EvalError::TooFew { problem: format!("the policy cannot be changed: {error}") })?;
    let n_genuine = items.iter().filter(|item| item.label() == Some(Label::BonaFide)).count();
    let markdown =
        report(&Found { bench, budgets, chosen, cleared, levels, genuine: &genuine, attacks: &attacks, n_genuine });
    let trials = items.iter().zip(&outcomes).map(|(item, outcome)| session::trial(bench, item, outcome));
    Ok(EvalReport {
        markdown,
        json: json!({
            "task": "thresholds",
            "versions": versions(bench),
            "budget": budgets.false_alarms.share(),
            "missed_attacks_budget": budgets.missed_attacks.map(ErrorBudget::share),
            "n_bona_fide": n_genuine,
            "n_estimated": genuine.len(),
            "is_promised": chosen.is_promised,
            "suspicious_below": levels.suspicious_below,
            "suspicious_below_interval": [chosen.interval.0, chosen.interval.1],
            "alert_below": levels.alert_below,
            "clear_from": levels.clear_from,
            "clear_is_promised": cleared.map(|cleared| cleared.is_promised),
            "missed_attacks": clear(&attacks, levels.clear_from),
            "missed_attacks_before": clear(&attacks, bench.policy.levels.clear_from),
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
/// Too few interviews to promise anything are no reason for more alarms than before, nor for more that are CLEAR, but may be
/// one for fewer.
fn moved(levels: &LevelThresholds, chosen: &BudgetThreshold, cleared: Option<&BudgetThreshold>) -> LevelThresholds {
    let clear_from = cleared.map_or(levels.clear_from, |cleared| {
        // Above the threshold, not at it.
        let above = ((cleared.at * 1_000.0).floor() + 1.0) / 1_000.0;
        (if cleared.is_promised { above } else { above.max(levels.clear_from) }).clamp(MIN_GAP, MAX_CLEAR_FROM)
    });
    let log_odds = |share: f64| (share / (1.0 - share)).ln();
    let below = if chosen.is_promised { chosen.at } else { chosen.at.min(levels.suspicious_below) };
    let suspicious_below = rounded(below.clamp(0.0, clear_from - MIN_GAP));
    let shift = log_odds(suspicious_below) - log_odds(levels.suspicious_below);
    let alert_below = 1.0 / (1.0 + (-(log_odds(levels.alert_below) + shift)).exp());
    LevelThresholds { suspicious_below, alert_below: rounded(alert_below).clamp(0.0, suspicious_below), clear_from }
}

/// Down to a thousandth, as people write thresholds.
fn rounded(threshold: f64) -> f64 {
    (threshold * 1_000.0).floor() / 1_000.0
}

fn alarms(interviews: &[Estimated<'_>], below: f64) -> Share {
    let n_hits = interviews.iter().filter(|interview| interview.authenticity < below).count() as u64;
    Share::new("alarms", n_hits, interviews.len() as u64)
}

fn clear(interviews: &[Estimated<'_>], from: f64) -> Share {
    let n_hits = interviews.iter().filter(|interview| interview.authenticity >= from).count() as u64;
    Share::new("clear", n_hits, interviews.len() as u64)
}

/// What the report is of.
struct Found<'a> {
    bench: &'a Bench<'a>,
    budgets: Budgets,
    chosen: BudgetThreshold,
    cleared: Option<BudgetThreshold>,
    levels: LevelThresholds,
    genuine: &'a [Estimated<'a>],
    attacks: &'a [Estimated<'a>],
    n_genuine: usize,
}

fn report(found: &Found<'_>) -> String {
    let Found { bench, budgets, chosen, cleared, levels, genuine, attacks, n_genuine } = found;
    let budget = budgets.false_alarms;
    let before = &bench.policy.levels;
    let mut text = String::from("# Thresholds for a budget of errors\n\n");
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
    let _ = writeln!(text, "| ALERT below | {:.3} | {:.3} | moved along |", before.alert_below, levels.alert_below);
    if let Some(cleared) = cleared {
        let (low, high) = (end(cleared.interval.0), end(cleared.interval.1));
        let _ =
            writeln!(text, "| CLEAR from | {:.3} | {:.3} | {low} to {high} |", before.clear_from, levels.clear_from);
    }
    text.push('\n');
    let _ = writeln!(text, "| on these interviews | before | now |\n|---|---|---|");
    for (name, interviews) in [("genuine", genuine), ("attacks", attacks)] {
        if interviews.is_empty() {
            continue;
        }
        let (then, now) = (alarms(interviews, before.suspicious_below), alarms(interviews, levels.suspicious_below));
        let _ = writeln!(text, "| alarms among {name} | {} | {} |", share_text(&then), share_text(&now));
        let (then, now) = (clear(interviews, before.clear_from), clear(interviews, levels.clear_from));
        let _ =
            writeln!(text, "| CLEAR by their estimate among {name} | {} | {} |", share_text(&then), share_text(&now));
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
    if let (Some(cleared), Some(budget)) = (cleared, budgets.missed_attacks) {
        text.push_str(&cleared_text(cleared, budget, attacks.len()));
    }
    let mut nearest: Vec<&Estimated<'_>> = genuine.iter().collect();
    nearest.sort_by(|a, b| a.authenticity.total_cmp(&b.authenticity));
    text.push_str("\n## Genuine interviews that look least genuine\n\n| interview | authenticity |\n|---|---|\n");
    for interview in nearest.into_iter().take(N_NEAREST) {
        let _ = writeln!(text, "| {} | {:.3} |", short_name(&interview.item.file), interview.authenticity);
    }
    text
}

fn cleared_text(cleared: &BudgetThreshold, budget: ErrorBudget, n_attacks: usize) -> String {
    if cleared.is_promised {
        return format!(
            "\nA further attack that is like these is CLEAR with at most {} probability; what lies between the thresholds is \
             INCONCLUSIVE. Attacks of other kinds are not like these.\n",
            percent(budget.share(), None)
        );
    }
    format!(
        "\n**The budget of missed attacks is not promised**: that takes {} attacks with an estimate, and there are {n_attacks}. \
         The threshold of CLEAR is where it was, or higher, so that none of them lies above it.\n",
        budget.interviews_needed()
    )
}

#[cfg(test)]
mod tests {
    use super::moved;
    use crate::scoring::{BudgetThreshold, Policy};

    fn threshold(at: f64, is_promised: bool) -> BudgetThreshold {
        BudgetThreshold { at, interval: (None, None), n_errors: 0, is_promised }
    }

    #[test]
    fn clear_moves_above_the_attacks_and_alarms_stay_below_it() {
        let levels = Policy::shipped().levels;
        let at = |at: f64, is_promised: bool| moved(&levels, &threshold(0.3, true), Some(&threshold(at, is_promised)));
        assert!((at(0.9, true).clear_from - 0.901).abs() < 1e-9);
        assert!((at(0.6, true).clear_from - 0.601).abs() < 1e-9, "promised: lower than before");
        assert_eq!(at(0.6, false).clear_from, levels.clear_from, "not promised: never lower");
        assert!(at(1.0, false).clear_from < 1.0);
        let tight = at(0.1, true);
        assert!(tight.suspicious_below < tight.clear_from && tight.alert_below <= tight.suspicious_below);
    }

    #[test]
    fn thresholds_move_together_and_few_interviews_raise_no_alarms() {
        let levels = Policy::shipped().levels;
        let at = |below: f64, is_promised: bool| moved(&levels, &threshold(below, is_promised), None);
        let lower = at(0.3, true);
        assert!((lower.suspicious_below - 0.3).abs() < 1e-9 && lower.alert_below < levels.alert_below);
        assert!(at(0.7, true).suspicious_below > levels.suspicious_below);
        assert_eq!(at(0.7, false), levels, "no promise, no more alarms");
        assert!(at(0.3, false).suspicious_below < levels.suspicious_below);
        assert!(at(0.99, true).suspicious_below < levels.clear_from, "below CLEAR in any case");
        assert_eq!(at(0.0, true).alert_below, 0.0);
    }
}
