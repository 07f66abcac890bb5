//! Identity: are two pictures of one person told from pictures of two?
//!
//! Every image goes through the shipped path (detect, mesh, mesh again, align, embed). All pairs of different images are
//! compared; people, not pairs, are what is drawn for folds and intervals, because one person may have a hundred pictures.

mod pairs;
mod quality;
mod report;

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::signals::SignalName;
use crate::vision::{Embedding, head_pose};

use super::error::EvalError;
use super::manifest::{self, Item, Naming};
use super::output::{EvalReport, ScoreRow};
use super::resume::{Answer, embedding_from_json};
use super::run::{Bench, EvalTask};
use super::still::{self, Choice, Framing};

use self::pairs::Comparison;
use self::quality::PictureTraits;

/// Impostor pairs written to `scores.csv`, the most alike first; more would be gigabytes. All are in the figures.
const MAX_WRITTEN_IMPOSTORS: usize = 100_000;

/// One image's outcome.
enum Outcome {
    Embedded(Embedding, PictureTraits),
    NonResponse(String),
}

impl Outcome {
    fn traits(&self) -> Option<PictureTraits> {
        match self {
            Self::Embedded(_, traits) => Some(*traits),
            Self::NonResponse(_) => None,
        }
    }
}

impl Answer for Outcome {
    fn to_json(&self) -> Value {
        match self {
            Self::Embedded(embedding, traits) => json!({
                "embedding": embedding.values(),
                "traits": [traits.face_height_px, traits.yaw_deg],
            }),
            Self::NonResponse(reason) => json!({ "reason": reason }),
        }
    }

    fn from_json(value: &Value) -> Option<Self> {
        if let Some(reason) = value.get("reason") {
            return Some(Self::NonResponse(reason.as_str()?.to_owned()));
        }
        let number = |index: usize| value.get("traits")?.get(index)?.as_f64();
        let traits = PictureTraits { face_height_px: number(0), yaw_deg: number(1) };
        embedding_from_json(value.get("embedding")?).map(|embedding| Self::Embedded(embedding, traits))
    }
}

/// Compares all pairs of labelled images.
///
/// # Errors
/// [`EvalError::Manifest`] and [`EvalError::Io`] for what cannot be read, [`EvalError::TooFew`] when there are fewer than
/// two people or nobody has two pictures, [`EvalError::Service`] when a model fails.
pub fn evaluate_verification(bench: &Bench<'_>, task: &EvalTask) -> Result<EvalReport, EvalError> {
    let items = manifest::read(task.manifest.as_deref(), &task.root, Naming::Identity)?;
    manifest::check_files(&items)?;
    let outcomes = embed_all(bench, &items, task.framing)?;
    let mut people = BTreeMap::new();
    let mut embedded = Vec::new();
    let mut rows = Vec::new();
    for (item, outcome) in items.iter().zip(&outcomes) {
        let next = people.len();
        let person = *people.entry(item.name.as_str()).or_insert(next);
        match outcome {
            Outcome::Embedded(embedding, _) => embedded.push((person, item.path.as_str(), embedding)),
            Outcome::NonResponse(reason) => rows.push(ScoreRow {
                path: item.path.clone(),
                label: "unassessable".to_owned(),
                reason: Some(reason.clone()),
                ..ScoreRow::default()
            }),
        }
    }
    let vectors: Vec<(usize, &Embedding)> = embedded.iter().map(|(person, _, vector)| (*person, *vector)).collect();
    let comparison = Comparison::new(&vectors, people.len())?;
    rows.extend(pair_rows(bench, &comparison, &embedded));
    Ok(report::write(bench, &items, &outcomes, &comparison, rows))
}

/// A labelled picture and its identity vector, or why there is none.
pub(super) type EmbeddedItem = (Item, Result<Embedding, String>);

/// Every picture of a manifest with its identity vector.
pub(super) fn embedded_items(bench: &Bench<'_>, task: &EvalTask) -> Result<Vec<EmbeddedItem>, EvalError> {
    let items = manifest::read(task.manifest.as_deref(), &task.root, Naming::Identity)?;
    manifest::check_files(&items)?;
    let outcomes = embed_all(bench, &items, task.framing)?;
    let vector = |outcome| match outcome {
        Outcome::Embedded(embedding, _) => Ok(embedding),
        Outcome::NonResponse(reason) => Err(reason),
    };
    Ok(items.into_iter().zip(outcomes.into_iter().map(vector)).collect())
}

/// The identity vectors of every person who has any.
pub(super) fn embeddings_by_person(bench: &Bench<'_>, task: &EvalTask) -> Result<Vec<Vec<Embedding>>, EvalError> {
    let mut by_person: BTreeMap<String, Vec<Embedding>> = BTreeMap::new();
    for (item, vector) in embedded_items(bench, task)? {
        if let Ok(embedding) = vector {
            by_person.entry(item.name).or_default().push(embedding);
        }
    }
    Ok(by_person.into_values().collect())
}

fn embed_all(bench: &Bench<'_>, items: &[Item], framing: Framing) -> Result<Vec<Outcome>, EvalError> {
    bench.for_each_file(items, |item| {
        let (image, face) = match still::find(bench.pipeline, &item.file, framing, Choice::Central)? {
            Ok(found) => found,
            Err(reason) => return Ok(Outcome::NonResponse(reason.to_owned())),
        };
        Ok(match bench.pipeline.embed(image.view().into(), &face) {
            Ok(embedding) => {
                let pose = head_pose(&face.mesh, image.width(), image.height()).ok();
                let yaw_deg = pose.map(|pose| f64::from(pose.yaw_deg.abs()));
                let face_height_px = Some(f64::from(face.box_in_frame.height()));
                Outcome::Embedded(embedding, PictureTraits { face_height_px, yaw_deg })
            }
            Err(crate::service::ServiceError::Vision(_)) => Outcome::NonResponse("face.not_aligned".to_owned()),
            Err(error) => return Err(EvalError::from(error)),
        })
    })
}

/// `path` is both images with a bar between them.
fn pair_rows(bench: &Bench<'_>, comparison: &Comparison, embedded: &[(usize, &str, &Embedding)]) -> Vec<ScoreRow> {
    let calibration = bench.policy.signal(SignalName::Identity).map(|signal| &signal.calibration);
    let path = |image: u32| embedded.get(image as usize).map_or("", |(_, path, _)| *path);
    let impostors = comparison.impostors().iter().take(MAX_WRITTEN_IMPOSTORS).map(|pair| ("impostor", pair));
    let genuine = comparison.genuine().iter().map(|pair| ("genuine", pair));
    genuine
        .chain(impostors)
        .map(|(label, pair)| {
            let similarity = f64::from(pair.similarity);
            ScoreRow {
                path: format!("{}|{}", path(pair.first), path(pair.second)),
                label: label.to_owned(),
                score: Some(f64::midpoint(1.0, -similarity)),
                llr: calibration.and_then(|line| line.apply(similarity, None)).map(|ratio| ratio.llr),
                reason: None,
            }
        })
        .collect()
}
