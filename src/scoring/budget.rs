//! From known interviews and a budget of errors to the threshold that keeps it: false alarms among genuine ones, or attacks
//! that are CLEAR. What lies between both thresholds is left undecided.

use std::str::FromStr;

/// Share of the outcomes that the interval of a threshold leaves out on either side: 95 %.
const TAIL: f64 = 0.025;

/// How many interviews of a class may be judged wrongly: `1 in 200`, `0.5 %` or `.005`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ErrorBudget(f64);

/// A budget that is none.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is no budget of errors: write \"1 in 200\" or \"0.5 %\", above none and below half of all")]
pub struct ErrorBudgetError(String);

impl ErrorBudget {
    /// The share of the class, above 0 and below .5.
    #[must_use]
    pub const fn share(self) -> f64 {
        self.0
    }

    /// Interviews of the class without which nothing can be promised: fewer, and the budget is less than one of them.
    #[must_use]
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "at least 1, and saturating")]
    pub fn interviews_needed(self) -> u64 {
        (1.0 / self.0 - 1.0 - 1e-9).ceil() as u64
    }
}

impl FromStr for ErrorBudget {
    type Err = ErrorBudgetError;

    fn from_str(text: &str) -> Result<Self, ErrorBudgetError> {
        let number = |text: &str| text.trim().parse::<f64>().ok();
        let share = match (text.split_once(" in "), text.trim().strip_suffix('%')) {
            (Some((few, many)), _) => number(few).zip(number(many)).map(|(few, many)| few / many),
            (None, Some(percent)) => number(percent).map(|percent| percent / 100.0),
            (None, None) => number(text),
        };
        share
            .filter(|share| share.is_finite() && *share > 0.0 && *share < 0.5)
            .map(Self)
            .ok_or_else(|| ErrorBudgetError(text.to_owned()))
    }
}

/// A threshold on authenticity that keeps a budget.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct BudgetThreshold {
    /// Alarms lie below it, or what is CLEAR above it.
    pub at: f64,
    /// Where the threshold of unlimited interviews lies, 95 %; an end is `None` where so few do not bound it.
    pub interval: (Option<f64>, Option<f64>),
    /// Of the interviews it was chosen on, those on its wrong side.
    pub n_errors: u64,
    /// Whether there were enough interviews to promise the budget.
    pub is_promised: bool,
}

/// The highest threshold at which a further genuine interview is an alarm with at most the budgeted probability, if it is
/// like these; with too few of them, the lowest value seen. `None` without a finite value.
///
/// # Source
/// Split conformal prediction with one class: of n values, at most `floor(budget * (n + 1))` may lie below (Vovk, Gammerman
/// and Shafer, Algorithmic Learning in a Random World, 2005). The interval is that of a quantile by order statistics.
#[must_use]
pub fn alarm_threshold(genuine: &[f64], budget: ErrorBudget) -> Option<BudgetThreshold> {
    let mut values: Vec<f64> = genuine.iter().copied().filter(|value| value.is_finite()).collect();
    values.sort_by(f64::total_cmp);
    let n = values.len();
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "not negative, below n")]
    let n_allowed = (budget.share() * (n as f64 + 1.0) + 1e-9).floor() as usize;
    // With k allowed below, the threshold is the value at index k - 1 of those from 0: that value itself is not below it.
    let below = *values.get(n_allowed.saturating_sub(1))?;
    let (low, high) = quantile_interval(n, budget.share());
    Some(BudgetThreshold {
        at: below,
        interval: (low.and_then(|at| values.get(at).copied()), high.and_then(|at| values.get(at).copied())),
        n_errors: values.iter().filter(|value| **value < below).count() as u64,
        is_promised: n_allowed > 0,
    })
}

/// The lowest threshold above which a further attack lies with at most the budgeted probability, if it is like these; with
/// too few of them, the highest value seen. `None` without a finite value.
///
/// # Source
/// As [`alarm_threshold`], from the other side.
#[must_use]
pub fn clear_threshold(attacks: &[f64], budget: ErrorBudget) -> Option<BudgetThreshold> {
    let turned: Vec<f64> = attacks.iter().map(|value| -value).collect();
    let chosen = alarm_threshold(&turned, budget)?;
    let (low, high) = chosen.interval;
    Some(BudgetThreshold { at: -chosen.at, interval: (high.map(|end| -end), low.map(|end| -end)), ..chosen })
}

/// Indices of the order statistics between which a quantile lies with 95 % probability.
fn quantile_interval(n: usize, share: f64) -> (Option<usize>, Option<usize>) {
    // Probability that at most k of n values lie below the quantile, for rising k.
    let mut at_most = Vec::with_capacity(n + 1);
    let mut log_term = n as f64 * (-share).ln_1p();
    let mut sum = 0.0;
    for k in 0..=n {
        sum += log_term.exp();
        at_most.push(sum);
        log_term += ((n - k) as f64 / (k as f64 + 1.0)).ln() + share.ln() - (-share).ln_1p();
    }
    let low = at_most.iter().rposition(|probability| *probability <= TAIL);
    let high = at_most.iter().position(|probability| *probability >= 1.0 - TAIL);
    (low, high.filter(|at| *at < n))
}

#[cfg(test)]
mod tests {
    use super::{ErrorBudget, alarm_threshold, clear_threshold};

    fn budget(text: &str) -> ErrorBudget {
        text.parse().expect("a budget")
    }

    #[test]
    fn budgets_are_read_as_people_write_them() {
        for text in ["1 in 200", "0.5 %", "0.5%", ".005", "2 in 400"] {
            assert!((budget(text).share() - 0.005).abs() < 1e-12, "{text}");
        }
        assert_eq!((budget("1 in 200").interviews_needed(), budget("5 %").interviews_needed()), (199, 19));
        for text in ["", "0", "1 in 0", "-1 %", "1 in 2", "60 %", "nan", "one in ten", "inf"] {
            assert!(text.parse::<ErrorBudget>().is_err(), "{text}");
        }
    }

    #[test]
    fn the_budget_is_kept_and_used_up() {
        let values: Vec<f64> = (0..199).map(|step| f64::from(step) / 200.0).collect();
        let chosen = alarm_threshold(&values, budget("5 %")).expect("values");
        // Ten of two hundred, counting the next one: it may be any of the ten places up to the tenth value.
        assert_eq!((chosen.n_errors, chosen.is_promised), (9, true));
        let (low, high) = chosen.interval;
        assert!(low.is_some_and(|low| low < chosen.at) && high.is_some_and(|high| high > chosen.at), "{chosen:?}");
    }

    #[test]
    fn the_promise_holds_in_simulation() {
        // A cheap generator of numbers between 0 and 1; 400 sets of 59 interviews and one more.
        let mut state = 7_u64;
        let mut next = || {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (state >> 11) as f64 / (1_u64 << 53) as f64
        };
        let n_alarms = (0..400)
            .filter(|_| {
                let values: Vec<f64> = (0..59).map(|_| next()).collect();
                next() < alarm_threshold(&values, budget("5 %")).expect("values").at
            })
            .count();
        // Twenty are expected; three standard deviations are thirteen.
        assert!((7..=33).contains(&n_alarms), "{n_alarms}");
    }

    #[test]
    fn attacks_that_are_clear_keep_a_budget_of_their_own() {
        let attacks: Vec<f64> = (0..199).map(|step| f64::from(step) / 200.0).collect();
        let chosen = clear_threshold(&attacks, budget("5 %")).expect("values");
        assert_eq!((chosen.n_errors, chosen.is_promised), (9, true));
        assert_eq!(attacks.iter().filter(|value| **value > chosen.at).count(), 9);
        let (low, high) = chosen.interval;
        assert!(low.is_some_and(|low| low < chosen.at) && high.is_some_and(|high| high > chosen.at), "{chosen:?}");
        let few = clear_threshold(&[0.2, 0.8], budget("5 %")).expect("values");
        assert_eq!((few.at, few.n_errors, few.is_promised), (0.8, 0, false));
    }

    #[test]
    fn too_few_interviews_promise_nothing_and_raise_none_of_themselves() {
        let chosen = alarm_threshold(&[0.9, 0.7, 0.95, f64::NAN], budget("1 in 200")).expect("values");
        assert_eq!((chosen.at, chosen.n_errors, chosen.is_promised), (0.7, 0, false));
        assert_eq!(chosen.interval.0, None, "nothing bounds it from below");
        assert_eq!(alarm_threshold(&[], budget("5 %")), None);
    }
}
