//! What abstaining buys: the error rate among the trials that are most sure of themselves.

use serde::Serialize;

/// One point of a risk-coverage curve.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub(in crate::eval) struct Coverage {
    /// Share of trials that are answered, classes weighing the same, 0..=1.
    pub(in crate::eval) coverage: f64,
    /// Share of those that are answered wrongly at a ratio of one.
    pub(in crate::eval) risk: f64,
}

/// Risk over coverage when the trials whose ratios are nearest to one are left unanswered first; empty without both
/// classes. Ratios are natural logarithms, positive supports bona fide; a tie between answers is answered or left as one.
///
/// # Source
/// El-Yaniv and Wiener, Journal of Machine Learning Research 11, 2010.
pub(in crate::eval) fn risk_coverage(bona_fide: &[f64], attack: &[f64]) -> Vec<Coverage> {
    if bona_fide.is_empty() || attack.is_empty() {
        return Vec::new();
    }
    let row = |weight: f64, is_wrong: fn(f64) -> bool| {
        move |llr: &f64| (llr.abs(), weight, if is_wrong(*llr) { weight } else { 0.0 })
    };
    let mut rows: Vec<(f64, f64, f64)> =
        bona_fide.iter().map(row(0.5 / bona_fide.len() as f64, |llr| llr < 0.0)).collect();
    rows.extend(attack.iter().map(row(0.5 / attack.len() as f64, |llr| llr >= 0.0)));
    rows.sort_by(|a, b| b.0.total_cmp(&a.0));
    let (mut coverage, mut wrong) = (0.0, 0.0);
    rows.chunk_by(|a, b| a.0.total_cmp(&b.0).is_eq())
        .map(|tied| {
            for (_, weight, weight_wrong) in tied {
                coverage += weight;
                wrong += weight_wrong;
            }
            Coverage { coverage, risk: wrong / coverage }
        })
        .collect()
}

/// The risk at a coverage: that of the first point that reaches it.
pub(in crate::eval) fn risk_at(curve: &[Coverage], coverage: f64) -> Option<f64> {
    // Sums of weights may fall short of one by rounding.
    curve.iter().find(|point| point.coverage >= coverage - 1e-9).map(|point| point.risk)
}

#[cfg(test)]
mod tests {
    use super::{risk_at, risk_coverage};

    #[test]
    fn leaving_out_the_unsure_lowers_the_risk() {
        // One of two bona fide is wrong, and unsure of it.
        let curve = risk_coverage(&[3.0, -0.5], &[-4.0, -1.0]);
        let points: Vec<(f64, f64)> = curve.iter().map(|point| (point.coverage, point.risk)).collect();
        assert_eq!(points, [(0.25, 0.0), (0.5, 0.0), (0.75, 0.0), (1.0, 0.25)]);
        assert_eq!((risk_at(&curve, 0.6), risk_at(&curve, 1.0)), (Some(0.0), Some(0.25)));
    }

    #[test]
    fn ties_are_one_answer_and_one_class_has_no_curve() {
        assert_eq!(risk_coverage(&[0.0; 4], &[0.0; 9]).len(), 1);
        assert!(risk_coverage(&[1.0], &[]).is_empty());
        assert_eq!(risk_at(&[], 0.5), None);
    }
}
