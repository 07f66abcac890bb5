//! Labelled presentations with a score, and the error rates that follow from them.

use std::collections::BTreeMap;

use serde::Serialize;

use super::manifest::{Item, Label};
use super::metric::{
    Coverage, Ranking, ReliabilityBin, Resampler, cllr, clopper_pearson, expected_calibration_error, min_cllr,
    reliability, risk_at, risk_coverage,
};
use super::output::ScoreRow;

/// Attack presentation classification error rates at which the bona fide one is reported.
const FIXED_APCER: [f64; 3] = [0.10, 0.05, 0.01];
/// Shares of trials answered at which the risk is reported.
pub(super) const COVERAGES: [f64; 4] = [1.0, 0.9, 0.75, 0.5];
const RESAMPLES: usize = 1_000;
const SEED: u64 = 1;

/// What one presentation's score is.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Scored {
    /// Attack score 0..=1 and calibrated ratio (natural logarithm, positive supports bona fide).
    Yes {
        /// Attack score.
        score: f64,
        /// Log-likelihood ratio.
        llr: f64,
    },
    /// Not assessable, and why.
    No(String),
}

impl Scored {
    /// The line of `scores.csv` for it.
    pub(super) fn row(&self, path: String, label: String) -> ScoreRow {
        let (score, llr, reason) = match self {
            Self::Yes { score, llr } => (Some(*score), Some(*llr), None),
            Self::No(reason) => (None, None, Some(reason.clone())),
        };
        ScoreRow { path, label, score, llr, reason }
    }
}

/// One labelled presentation.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Trial {
    pub(super) label: Label,
    pub(super) species: String,
    pub(super) group: String,
    pub(super) scored: Scored,
}

impl Trial {
    /// The trial of a manifest's item.
    pub(super) fn new(item: &Item, scored: Scored) -> Self {
        // `manifest::read` let only known labels pass; an unknown one would never count as bona fide.
        let label = item.label().unwrap_or(Label::Attack);
        Self { label, species: item.species().to_owned(), group: item.group().to_owned(), scored }
    }

    /// Its line of `scores.csv`.
    pub(super) fn row(&self, item: &Item) -> ScoreRow {
        self.scored.row(item.path.clone(), item.name.clone())
    }

    /// Attack score and ratio, where it is assessable.
    pub(super) fn numbers(&self) -> Option<(f64, f64)> {
        match self.scored {
            Scored::Yes { score, llr } => Some((score, llr)),
            Scored::No(_) => None,
        }
    }
}

/// A counted share with its exact 95 % interval.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(super) struct Share {
    /// Species, source or class that it is of.
    pub(super) of: String,
    /// Hits.
    pub(super) n_hits: u64,
    /// Trials.
    pub(super) n_trials: u64,
    /// Hits over trials; `None` without trials.
    pub(super) share: Option<f64>,
    /// Clopper-Pearson.
    pub(super) interval: Option<(f64, f64)>,
}

impl Share {
    pub(super) fn new(of: &str, n_hits: u64, n_trials: u64) -> Self {
        Self {
            of: of.to_owned(),
            n_hits,
            n_trials,
            share: (n_trials > 0).then(|| n_hits as f64 / n_trials as f64),
            interval: clopper_pearson(n_hits, n_trials),
        }
    }
}

/// A figure with its 95 % interval over resampled groups.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub(super) struct Estimate {
    pub(super) value: Option<f64>,
    pub(super) interval: Option<(f64, f64)>,
}

/// BPCER where APCER is at most a fixed rate.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub(super) struct FixedRate {
    pub(super) apcer: f64,
    /// Threshold on the attack score.
    pub(super) threshold: Option<f64>,
    pub(super) bpcer: Estimate,
}

/// Everything that is reported of a set of trials. Non-responses are in their own rates and in no other.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(super) struct Figures {
    pub(super) n_bona_fide: u64,
    pub(super) n_attack: u64,
    /// Groups that the bootstrap draws from.
    pub(super) n_groups: usize,
    pub(super) auc: Estimate,
    pub(super) eer: Estimate,
    pub(super) bpcer_at_apcer: Vec<FixedRate>,
    /// Attacks taken for bona fide at a ratio of one, by species.
    pub(super) apcer_at_even_ratio: Vec<Share>,
    /// Bona fide taken for attacks at a ratio of one, by source.
    pub(super) bpcer_at_even_ratio: Vec<Share>,
    /// Attacks that were not assessable, by species.
    pub(super) apnrr: Vec<Share>,
    /// Bona fide presentations that were not assessable, by source.
    pub(super) bpnrr: Vec<Share>,
    pub(super) cllr: Estimate,
    pub(super) min_cllr: Estimate,
    pub(super) expected_calibration_error: Estimate,
    /// (worst APCER + BPCER) / 2 at a ratio of one: dropped by ISO/IEC 30107-3, kept for comparison with published sets.
    pub(super) acer_at_even_ratio: Option<f64>,
    /// Claims against truth.
    pub(super) reliability: Vec<ReliabilityBin>,
    /// Share answered wrongly when only the surest are answered: at all, 90, 75 and 50 in 100 of the trials.
    pub(super) risk_at_coverage: Vec<Coverage>,
    /// Causes of non-response, counted.
    pub(super) non_response_causes: BTreeMap<String, u64>,
}

/// Scores, ratios and labels of the assessable trials.
struct Columns {
    scores: Vec<f64>,
    llrs: Vec<f64>,
    is_attack: Vec<bool>,
}

impl Figures {
    /// Computes all of it.
    pub(super) fn of(trials: &[Trial]) -> Self {
        let assessable: Vec<&Trial> = trials.iter().filter(|trial| trial.numbers().is_some()).collect();
        let numbers: Vec<(f64, f64)> = assessable.iter().filter_map(|trial| trial.numbers()).collect();
        let columns = Columns {
            scores: numbers.iter().map(|(score, _)| *score).collect(),
            llrs: numbers.iter().map(|(_, llr)| *llr).collect(),
            is_attack: assessable.iter().map(|trial| trial.label == Label::Attack).collect(),
        };
        let resampler = Resampler::new(assessable.iter().map(|trial| trial.group.as_str()), RESAMPLES, SEED);
        let once = vec![1.0; numbers.len()];
        let estimate = |figure: &dyn Fn(&[f64]) -> Option<f64>| Estimate {
            value: figure(&once),
            interval: resampler.interval(figure),
        };
        let count = |label| trials.iter().filter(|trial| trial.label == label).count() as u64;
        let ranking = columns.ranking(&once);
        let risks = Self::risks(trials);
        let apcer_at_even_ratio = shares(trials, Label::Attack, |trial| Some(trial.numbers()?.1 >= 0.0));
        let bpcer_at_even_ratio = shares(trials, Label::BonaFide, |trial| Some(trial.numbers()?.1 < 0.0));
        Self {
            n_bona_fide: count(Label::BonaFide),
            n_attack: count(Label::Attack),
            n_groups: resampler.n_groups(),
            auc: estimate(&|weights| Some(columns.ranking(weights)?.auc())),
            eer: estimate(&|weights| Some(columns.ranking(weights)?.eer())),
            bpcer_at_apcer: FIXED_APCER
                .into_iter()
                .map(|apcer| FixedRate {
                    apcer,
                    threshold: ranking.as_ref().and_then(|ranking| Some(ranking.at_apcer(apcer)?.threshold)),
                    // A rate that only refusing everybody reaches costs everybody.
                    bpcer: estimate(&|weights| {
                        Some(columns.ranking(weights)?.at_apcer(apcer).map_or(1.0, |point| point.bpcer))
                    }),
                })
                .collect(),
            acer_at_even_ratio: acer(&apcer_at_even_ratio, &bpcer_at_even_ratio),
            apcer_at_even_ratio,
            bpcer_at_even_ratio,
            apnrr: shares(trials, Label::Attack, |trial| Some(trial.numbers().is_none())),
            bpnrr: shares(trials, Label::BonaFide, |trial| Some(trial.numbers().is_none())),
            cllr: estimate(&|weights| columns.of_ratios(weights, cllr)),
            min_cllr: estimate(&|weights| columns.of_scores(weights, min_cllr)),
            expected_calibration_error: estimate(&|weights| columns.of_ratios(weights, expected_calibration_error)),
            reliability: reliability(
                &numbers_of(trials, Label::BonaFide, llr),
                &numbers_of(trials, Label::Attack, llr),
            ),
            risk_at_coverage: COVERAGES
                .into_iter()
                .filter_map(|coverage| Some(Coverage { coverage, risk: risk_at(&risks, coverage)? }))
                .collect(),
            non_response_causes: causes(trials),
        }
    }

    /// Risk over coverage of the assessable trials, for plots.
    pub(super) fn risks(trials: &[Trial]) -> Vec<Coverage> {
        risk_coverage(&numbers_of(trials, Label::BonaFide, llr), &numbers_of(trials, Label::Attack, llr))
    }

    /// How the assessable trials rank, for plots.
    pub(super) fn ranking(trials: &[Trial]) -> Option<Ranking> {
        Ranking::new(&numbers_of(trials, Label::BonaFide, score), &numbers_of(trials, Label::Attack, score))
    }
}

/// The scores, or the ratios, of the assessable trials of a class.
fn numbers_of(trials: &[Trial], label: Label, number: fn((f64, f64)) -> f64) -> Vec<f64> {
    let of_class = trials.iter().filter(|trial| trial.label == label);
    of_class.filter_map(|trial| trial.numbers().map(number)).collect()
}

const fn score((score, _): (f64, f64)) -> f64 {
    score
}

const fn llr((_, llr): (f64, f64)) -> f64 {
    llr
}

/// The worst species' APCER and the BPCER of all, halved.
fn acer(apcer: &[Share], bpcer: &[Share]) -> Option<f64> {
    let worst = apcer.iter().filter(|share| share.of != "all").filter_map(|share| share.share).reduce(f64::max)?;
    let bpcer = bpcer.iter().find(|share| share.of == "all")?.share?;
    Some(f64::midpoint(worst, bpcer))
}

impl Columns {
    fn ranking(&self, weights: &[f64]) -> Option<Ranking> {
        let rows = self.scores.iter().zip(weights).zip(&self.is_attack);
        Ranking::weighted(rows.map(|((score, weight), is_attack)| (*score, *weight, *is_attack)).collect())
    }

    fn of_ratios(&self, weights: &[f64], measure: impl Fn(&[f64], &[f64]) -> Option<f64>) -> Option<f64> {
        self.by_class(&self.llrs, weights, measure)
    }

    fn of_scores(&self, weights: &[f64], measure: impl Fn(&[f64], &[f64]) -> Option<f64>) -> Option<f64> {
        self.by_class(&self.scores, weights, measure)
    }

    /// Calls the measure with each value repeated as often as it was drawn.
    fn by_class(
        &self,
        values: &[f64],
        weights: &[f64],
        measure: impl Fn(&[f64], &[f64]) -> Option<f64>,
    ) -> Option<f64> {
        let (mut bona_fide, mut attack) = (Vec::new(), Vec::new());
        for ((value, weight), is_attack) in values.iter().zip(weights).zip(&self.is_attack) {
            #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a small count")]
            let times = *weight as usize;
            (if *is_attack { &mut attack } else { &mut bona_fide }).extend(std::iter::repeat_n(*value, times));
        }
        measure(&bona_fide, &attack)
    }
}

/// The share of hits in one class, for every species and for all together; trials without an answer are left out.
fn shares(trials: &[Trial], label: Label, is_hit: impl Fn(&Trial) -> Option<bool>) -> Vec<Share> {
    let mut by_species: BTreeMap<&str, (u64, u64)> = BTreeMap::new();
    for trial in trials.iter().filter(|trial| trial.label == label) {
        let (n_hits, n_trials) = by_species.entry(&trial.species).or_default();
        if let Some(is_hit) = is_hit(trial) {
            *n_hits += u64::from(is_hit);
            *n_trials += 1;
        }
    }
    let all = by_species.values().fold((0, 0), |(hits, trials), (n_hits, n_trials)| (hits + n_hits, trials + n_trials));
    let each = by_species.iter().map(|(species, (n_hits, n_trials))| Share::new(species, *n_hits, *n_trials));
    each.chain(std::iter::once(Share::new("all", all.0, all.1))).collect()
}

fn causes(trials: &[Trial]) -> BTreeMap<String, u64> {
    let mut causes = BTreeMap::new();
    for trial in trials {
        if let Scored::No(reason) = &trial.scored {
            *causes.entry(reason.clone()).or_insert(0) += 1;
        }
    }
    causes
}

#[cfg(test)]
mod tests {
    use super::{Figures, Label, Scored, Trial};

    fn trial(label: Label, species: &str, llr: Option<f64>) -> Trial {
        let scored = llr.map_or_else(
            || Scored::No("face.none".to_owned()),
            |llr| Scored::Yes { score: 1.0 / (1.0 + llr.exp()), llr },
        );
        Trial { label, species: species.to_owned(), group: format!("{species}{llr:?}"), scored }
    }

    fn trials() -> Vec<Trial> {
        let mut trials: Vec<Trial> = [2.0, 1.0, 0.5, -0.5].map(|llr| trial(Label::BonaFide, "lab", Some(llr))).to_vec();
        trials.extend([-2.0, -1.0, 0.2].map(|llr| trial(Label::Attack, "print", Some(llr))));
        trials.extend([-3.0, -2.5].map(|llr| trial(Label::Attack, "screen", Some(llr))));
        trials.push(trial(Label::Attack, "screen", None));
        trials
    }

    #[test]
    fn error_rates_are_told_by_species_and_exclude_non_responses() {
        let figures = Figures::of(&trials());
        let apcer: Vec<(&str, u64, u64)> =
            figures.apcer_at_even_ratio.iter().map(|share| (share.of.as_str(), share.n_hits, share.n_trials)).collect();
        assert_eq!(apcer, [("print", 1, 3), ("screen", 0, 2), ("all", 1, 5)]);
        let last = |shares: &[super::Share]| shares.last().map(|share| (share.n_hits, share.n_trials));
        assert_eq!(last(&figures.bpcer_at_even_ratio), Some((1, 4)));
        assert_eq!((last(&figures.apnrr), last(&figures.bpnrr)), (Some((1, 6)), Some((0, 4))));
        assert_eq!(figures.non_response_causes["face.none"], 1);
        // Twenty pairs; only bona fide -.5 against attack .2 is the wrong way round.
        assert!((figures.auc.value.expect("both classes") - 0.95).abs() < 1e-12);
        assert!((figures.bpcer_at_apcer[0].bpcer.value.expect("both") - 0.25).abs() < 1e-12);
        assert!(figures.auc.interval.is_some() && figures.cllr.interval.is_some());
        assert!(figures.min_cllr.value <= figures.cllr.value);
    }

    #[test]
    fn one_class_has_no_ranking_but_its_own_rates() {
        let bona_fide: Vec<Trial> = trials().into_iter().filter(|trial| trial.label == Label::BonaFide).collect();
        let figures = Figures::of(&bona_fide);
        assert_eq!((figures.auc.value, figures.cllr.value), (None, None));
        assert_eq!(figures.bpcer_at_even_ratio.last().and_then(|share| share.share), Some(0.25));
        assert!(Figures::ranking(&bona_fide).is_none());
    }
}
