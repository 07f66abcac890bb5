//! Pairs of pictures of one person against pairs of two.

use std::collections::BTreeMap;

use crate::eval::error::EvalError;
use crate::eval::run::Bench;
use crate::eval::run::EvalTask;
use crate::eval::still::Framing;
use crate::eval::verification::compared;
use crate::scoring::LabelledStatistic;

use super::CalibrationTask;

/// Pairs of one person that count: more of the same person say the same again.
const MAX_PAIRS_A_PERSON: usize = 10;
/// Pairs of two people that are fitted on, evenly chosen among all.
const MAX_IMPOSTORS: usize = 200_000;

pub(super) fn samples(bench: &Bench<'_>, task: &CalibrationTask) -> Result<Vec<LabelledStatistic>, EvalError> {
    let images = EvalTask { manifest: task.manifest.clone(), root: task.root.clone(), framing: Framing::Scene };
    let comparison = compared(bench, &images)?;
    let mut by_person: BTreeMap<usize, Vec<f64>> = BTreeMap::new();
    for (person, similarity) in comparison.genuine_by_person() {
        by_person.entry(person).or_default().push(similarity);
    }
    let mut samples = Vec::new();
    for (person, similarities) in &by_person {
        // The pairs are sorted, so that every n-th gives all degrees of likeness their share.
        let stride = similarities.len().div_ceil(MAX_PAIRS_A_PERSON).max(1);
        let chosen = similarities.iter().skip(stride / 2).step_by(stride);
        samples.extend(chosen.map(|similarity| sample(*person, *similarity, true)));
    }
    let stride = comparison.n_impostors().div_ceil(MAX_IMPOSTORS).max(1);
    let impostors = comparison.impostors_by_person().step_by(stride);
    samples.extend(impostors.map(|(person, similarity)| sample(person, similarity, false)));
    Ok(samples)
}

fn sample(person: usize, similarity: f64, is_bona_fide: bool) -> LabelledStatistic {
    LabelledStatistic { statistic: similarity, is_bona_fide, source: format!("person {person}") }
}
