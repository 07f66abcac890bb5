//! A picture of a person against the template of that person's other pictures, and against the templates of others.
//!
//! That is what a session compares. Its pictures are more alike than those of the press over years, so that the line says
//! less than a session's own data would.

use crate::eval::error::EvalError;
use crate::eval::run::{Bench, EvalTask};
use crate::eval::still::Framing;
use crate::eval::verification::embeddings_by_person;
use crate::scoring::LabelledStatistic;
use crate::vision::Embedding;

use super::CalibrationTask;

/// Pictures that make a template.
const MIN_TEMPLATE_PICTURES: usize = 2;
/// Pictures of one person that count: more of the same person say the same again.
const MAX_PICTURES_A_PERSON: usize = 10;
/// Comparisons of two people that are fitted on, evenly chosen among all.
const MAX_IMPOSTORS: usize = 200_000;

pub(super) fn samples(bench: &Bench<'_>, task: &CalibrationTask) -> Result<Vec<LabelledStatistic>, EvalError> {
    let images = EvalTask { manifest: task.manifest.clone(), root: task.root.clone(), framing: Framing::Scene };
    Ok(compared(&embeddings_by_person(bench, &images)?))
}

/// Statistics of every picture that has a template to be compared with.
fn compared(by_person: &[Vec<Embedding>]) -> Vec<LabelledStatistic> {
    let templates: Vec<Option<Embedding>> = by_person
        .iter()
        .map(|pictures| (pictures.len() >= MIN_TEMPLATE_PICTURES).then(|| Embedding::mean(pictures)).flatten())
        .collect();
    let mut samples = Vec::new();
    let mut impostors = Vec::new();
    for (person, pictures) in by_person.iter().enumerate() {
        let stride = pictures.len().div_ceil(MAX_PICTURES_A_PERSON).max(1);
        for (index, picture) in pictures.iter().enumerate().step_by(stride) {
            if pictures.len() > MIN_TEMPLATE_PICTURES {
                let others = pictures.iter().enumerate().filter(|(other, _)| *other != index);
                let template = Embedding::mean(others.map(|(_, picture)| picture));
                samples.extend(template.and_then(|template| sample(person, &template, picture, true)));
            }
            let of_others = templates.iter().enumerate().filter(|(other, _)| *other != person);
            impostors.extend(of_others.filter_map(|(_, template)| sample(person, template.as_ref()?, picture, false)));
        }
    }
    let stride = impostors.len().div_ceil(MAX_IMPOSTORS).max(1);
    samples.extend(impostors.into_iter().step_by(stride));
    samples
}

fn sample(person: usize, template: &Embedding, picture: &Embedding, is_bona_fide: bool) -> Option<LabelledStatistic> {
    let statistic = f64::from(template.similarity(picture)?);
    Some(LabelledStatistic { statistic, is_bona_fide, source: format!("person {person}"), set: None })
}

#[cfg(test)]
mod tests {
    use super::compared;
    use crate::vision::Embedding;

    #[test]
    fn nobody_is_compared_with_a_template_that_holds_the_same_picture() {
        let picture = |degrees: f32| {
            let (sin, cos) = degrees.to_radians().sin_cos();
            Embedding::from_raw(&[cos, sin]).expect("has a direction")
        };
        let people = [vec![picture(0.0), picture(0.0), picture(60.0)], vec![picture(90.0)], vec![picture(180.0); 2]];
        let samples = compared(&people);
        let of = |is_bona_fide: bool| -> Vec<f64> {
            let class = samples.iter().filter(|sample| sample.is_bona_fide == is_bona_fide);
            class.map(|sample| (sample.statistic * 100.0).round() / 100.0).collect()
        };
        assert_eq!(of(true), [0.87, 0.87, 0.5], "only the first has three pictures");
        assert_eq!(of(false).len(), 3 + 2 + 2, "each picture with every template of another");
    }
}
