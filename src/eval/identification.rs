//! Identification: is a person found among many, and is a stranger found to be nobody?
//!
//! Every image goes through the shipped path; templates, gallery and search are those that serve. People are split into
//! enrolled and never enrolled, over and over; people, not searches, are what is drawn for intervals.
//!
//! Terms are those of ISO/IEC 19795-1 and of NIST's evaluations of 1:N search: a search is mated when its person is
//! enrolled; FPIR is the share of searches for people who are not that give at least one candidate, FNIR the share of mated
//! searches that do not give the person first.

mod report;
mod rounds;

use std::collections::BTreeMap;

use crate::identity::{ModelDigest, SearchCalibration, SearchPolicy};
use crate::signals::SignalName;
use crate::vision::Embedding;

use super::calibrate::identity_model;
use super::error::EvalError;
use super::output::{EvalReport, ScoreRow};
use super::run::{Bench, EvalTask};
use super::verification::{EmbeddedItem, embedded_items};

use self::rounds::{Enrolment, People, Round};

/// Random splits of the people.
const SPLITS: u64 = 20;

/// Searches for labelled people among others, enrolled and not.
///
/// # Errors
/// [`EvalError::Manifest`] and [`EvalError::Io`] for what cannot be read, [`EvalError::TooFew`] when nobody can be searched
/// for, [`EvalError::Identity`] when a tail cannot be fitted, [`EvalError::Service`] when a model fails.
pub fn evaluate_identification(bench: &Bench<'_>, task: &EvalTask) -> Result<EvalReport, EvalError> {
    let items = embedded_items(bench, task)?;
    let mut by_person: BTreeMap<&str, Vec<(&str, &Embedding)>> = BTreeMap::new();
    for (item, vector) in &items {
        if let Ok(embedding) = vector {
            by_person.entry(&item.name).or_default().push((&item.path, embedding));
        }
    }
    let model = ModelDigest::from_version(&identity_model(bench)?)?;
    let people = People::new(model, by_person)?;
    let search = SearchPolicy::shipped();
    let line = bench.policy.signal(SignalName::Identity).ok_or_else(|| EvalError::TooFew {
        problem: "the policy has no identity signal: add its calibration".to_owned(),
    })?;
    let calibration = SearchCalibration::new(search, &line.calibration)?;
    if calibration.model() != model {
        let problem = format!("{} is of another model than the one that is loaded: fit it again", calibration.name());
        return Err(EvalError::TooFew { problem });
    }
    let mut all = Vec::new();
    for enrolment in [Enrolment::OnePicture, Enrolment::AllOthers] {
        let rounds: Vec<Round> =
            (0..SPLITS).map(|seed| people.round(seed, enrolment)).collect::<Result<_, EvalError>>()?;
        all.push((enrolment, rounds));
    }
    let wished = rounds::wished_and_seen(&people, &calibration, &line.calibration, SPLITS)?;
    let rows = rows(&items, &people, &calibration, &all);
    Ok(report::write(
        bench,
        &report::Findings { items: &items, people: &people, calibration: &calibration, all, wished },
        rows,
    ))
}

/// `path` is the picture that was searched with and, behind a bar, the person found first; of the first split, one picture
/// enrolled.
fn rows(
    items: &[EmbeddedItem],
    people: &People<'_>,
    calibration: &SearchCalibration,
    all: &[(Enrolment, Vec<Round>)],
) -> Vec<ScoreRow> {
    let searched = all.first().and_then(|(_, rounds)| rounds.first()).into_iter().flat_map(|round| &round.searches);
    let found = searched.filter_map(|search| {
        let top = search.top?;
        Some(ScoreRow {
            path: format!("{}|{}", search.path, people.name(top.person)),
            label: if search.is_mated { "mated" } else { "non_mated" }.to_owned(),
            score: Some(f64::midpoint(1.0, -f64::from(top.similarity))),
            llr: calibration.ratio(top.similarity).map(|ratio| ratio.llr),
            reason: None,
        })
    });
    let lost = items.iter().filter_map(|(item, vector)| {
        let reason = Some(vector.as_ref().err()?.clone());
        Some(ScoreRow { path: item.path.clone(), label: "unassessable".to_owned(), reason, ..ScoreRow::default() })
    });
    found.chain(lost).collect()
}
