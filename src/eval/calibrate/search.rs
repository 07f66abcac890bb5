//! How similar a picture of one person is to the template of another: what the threshold of a search follows from.

use crate::eval::error::EvalError;
use crate::eval::run::{Bench, EvalTask};
use crate::eval::verification::embeddings_by_person;
use crate::identity::{IdentityError, ImpostorTail, WeighedSimilarity};
use crate::signals::SignalName;
use crate::vision::Embedding;

/// A fitted tail and whose similarities it was fitted on.
#[derive(Clone, Debug)]
pub struct FittedTail {
    /// `models/{id}@{sha256}`.
    pub model: String,
    /// The tail.
    pub tail: ImpostorTail,
}

/// Fits the upper end of the similarities of different people.
///
/// # Errors
/// [`EvalError::Identity`] when there are too few people; otherwise as the evaluations.
pub fn calibrate_search(bench: &Bench<'_>, task: &EvalTask) -> Result<FittedTail, EvalError> {
    let by_person = embeddings_by_person(bench, task)?;
    let borrowed: Vec<Vec<&Embedding>> = by_person.iter().map(|pictures| pictures.iter().collect()).collect();
    let data = task.root.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let tail = tail_of(&borrowed, &format!("{data}, all of it; bonafide calibrate search"))?;
    Ok(FittedTail { model: identity_model(bench)?, tail })
}

/// The weights behind identity vectors, as `models/{id}@{sha256}`.
pub(in crate::eval) fn identity_model(bench: &Bench<'_>) -> Result<String, EvalError> {
    bench
        .pipeline
        .signal_models()
        .remove(&SignalName::Identity)
        .ok_or_else(|| EvalError::TooFew { problem: "no model makes identity vectors: fetch the models".to_owned() })
}

/// The tail of every picture against the template of every other person, any two people counting alike.
pub(in crate::eval) fn tail_of(people: &[Vec<&Embedding>], fitted_on: &str) -> Result<ImpostorTail, IdentityError> {
    let number = |person: usize| u32::try_from(person).unwrap_or(u32::MAX);
    let templates: Vec<Option<Embedding>> =
        people.iter().map(|pictures| Embedding::mean(pictures.iter().copied())).collect();
    let mut similarities = Vec::new();
    for (person, pictures) in people.iter().enumerate() {
        let weight = 1.0 / pictures.len().max(1) as f64;
        for picture in pictures {
            let others = templates.iter().enumerate().filter(|(other, _)| *other != person);
            similarities.extend(others.filter_map(|(other, template)| {
                let similarity = f64::from(template.as_ref()?.similarity(picture)?);
                Some(WeighedSimilarity { similarity, weight, people: [number(person), number(other)] })
            }));
        }
    }
    ImpostorTail::fit(&similarities, number(people.len()), fitted_on)
}

#[cfg(test)]
mod tests {
    use rand::rngs::StdRng;
    use rand::{RngExt as _, SeedableRng as _};

    use super::tail_of;
    use crate::vision::Embedding;

    #[test]
    fn more_pictures_of_a_person_do_not_move_the_tail() {
        let mut random = StdRng::seed_from_u64(2);
        let pictures: Vec<Embedding> = (0..500)
            .map(|_| {
                let raw: Vec<f32> = (0..24).map(|_| random.random_range(-1.0..1.0)).collect();
                Embedding::from_raw(&raw).expect("has a direction")
            })
            .collect();
        let tail = |n_of_first: usize| {
            let people: Vec<Vec<&Embedding>> = pictures
                .iter()
                .enumerate()
                .map(|(person, picture)| vec![picture; if person == 0 { n_of_first } else { 1 }])
                .collect();
            tail_of(&people, "made up").expect("enough people")
        };
        let (once, often) = (tail(1), tail(40));
        assert_eq!(once.knots, often.knots);
        assert!((once.mean_excess - often.mean_excess).abs() < 1e-6 && once.n_people == 500);
    }
}
