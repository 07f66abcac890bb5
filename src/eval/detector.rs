//! Passive models (presentation attack, deepfake) on labelled images and recordings, through the shipped gate and statistic.
//!
//! A single image has no time over which to average, so its figures are those of one frame; a session's are better.

mod report;

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::media::{RgbView, still_from_file};
use crate::scoring::{Calibration, LabelledStatistic, fit};
use crate::signals::{
    Deepfake, FaceObservation, FrameObservation, Identity, Measurement, Presentation, Reason, SignalName,
};
use crate::vision::{Embedding, skin_tone_ita_deg};

use self::report::Evaluated;
use super::clip::{Frames, embeddings, is_recording, measure, observe};
use super::error::EvalError;
use super::manifest::{self, Item, Label, Naming};
use super::output::EvalReport;
use super::person::people_among;
use super::resume::{Answer, embedding_from_json};
use super::run::{Bench, EvalTask};
use super::still::{self, Choice, Framing};
use super::strata::{Traits, stratify};
use super::trial::{Scored, Trial};

/// What one image gave.
#[derive(Clone, Debug)]
pub(super) struct Measured {
    /// The signal's statistic, or the code of the reason why its gate refuses the face.
    pub(super) statistic: Result<f64, String>,
    /// Identity, where the face carries it.
    pub(super) embedding: Option<Embedding>,
    /// What the picture is like.
    pub(super) traits: Traits,
}

/// A passive model behind a signal.
#[derive(Clone, Copy, Debug)]
pub(super) struct Detector {
    /// The signal whose statistic and calibration count.
    pub(super) signal: SignalName,
    /// Heading of the report.
    title: &'static str,
    /// Gate and statistic of one face.
    assess: fn(&FaceObservation) -> Result<f64, Reason>,
    /// The signal over a recording.
    measure: fn(&[FrameObservation]) -> Measurement,
    /// Where a face holds the model's attack score.
    score_of: fn(&mut FaceObservation) -> Option<&mut f32>,
    /// Whether a tight crop is judged as it is, without looking for the face in it.
    takes_crops: bool,
}

/// Photographs and screens before the camera.
pub(super) const PRESENTATION: Detector = Detector {
    signal: SignalName::Presentation,
    title: "Presentation-attack detection",
    assess: Presentation::assess,
    measure: measure::<Presentation>,
    score_of: |face| face.presentation.as_mut().map(|output| &mut output.attack_score),
    takes_crops: false,
};

/// Swapped, reenacted or blended faces.
pub(super) const DEEPFAKE: Detector = Detector {
    signal: SignalName::Deepfake,
    title: "Deepfake detection",
    assess: Deepfake::assess,
    measure: measure::<Deepfake>,
    score_of: |face| face.deepfake.as_mut().map(|output| &mut output.attack_score),
    takes_crops: true,
};

impl Detector {
    /// The statistic of one face, or the code of the reason why the gate refuses it. The bona fide logit of a model that was
    /// trained without the picture takes the place of the shipped one's.
    #[expect(clippy::cast_possible_truncation, reason = "between 0 and 1")]
    fn statistic(self, item: &Item, face: &mut FaceObservation) -> Result<f64, String> {
        if let (Some(logit), Some(score)) = (item.held_out, (self.score_of)(face)) {
            *score = (1.0 / (1.0 + logit.exp())) as f32;
        }
        (self.assess)(face).map_err(|reason| reason.code.into_owned())
    }
}

impl Measured {
    fn without(reason: &str) -> Self {
        Self { statistic: Err(reason.to_owned()), embedding: None, traits: Traits::default() }
    }
}

impl Answer for Measured {
    fn to_json(&self) -> Value {
        json!({
            "statistic": self.statistic.as_ref().ok(),
            "reason": self.statistic.as_ref().err(),
            "embedding": self.embedding.as_ref().map(Embedding::values),
            "traits": [self.traits.face_height_px, self.traits.exposure, self.traits.ita_deg],
        })
    }

    fn from_json(value: &Value) -> Option<Self> {
        let statistic = match value.get("statistic")?.as_f64() {
            Some(statistic) => Ok(statistic),
            None => Err(value.get("reason")?.as_str()?.to_owned()),
        };
        let traits = value.get("traits")?;
        let number = |index: usize| traits.get(index).and_then(Value::as_f64);
        Some(Self {
            statistic,
            embedding: embedding_from_json(value.get("embedding")?),
            traits: Traits { face_height_px: number(0), exposure: number(1), ita_deg: number(2) },
        })
    }
}

/// Scores labelled images and recordings with the deepfake signal.
///
/// # Errors
/// [`EvalError::Manifest`] and [`EvalError::Io`] for what cannot be read, [`EvalError::Service`] when a model fails.
pub fn evaluate_deepfake(bench: &Bench<'_>, task: &EvalTask) -> Result<EvalReport, EvalError> {
    evaluate(bench, task, DEEPFAKE)
}

/// Scores labelled images and recordings with the presentation signal.
///
/// # Errors
/// [`EvalError::Manifest`] and [`EvalError::Io`] for what cannot be read, [`EvalError::Service`] when a model fails.
pub fn evaluate_presentation(bench: &Bench<'_>, task: &EvalTask) -> Result<EvalReport, EvalError> {
    evaluate(bench, task, PRESENTATION)
}

fn evaluate(bench: &Bench<'_>, task: &EvalTask, detector: Detector) -> Result<EvalReport, EvalError> {
    let items = manifest::read(task.manifest.as_deref(), &task.root, Naming::Label)?;
    let measured = measure_all(bench, &items, task.framing, detector)?;
    let line = bench.policy.signal(detector.signal).map(|signal| &signal.calibration);
    let trials = trials_with(&items, &measured, |_| line.cloned());
    let left_out = leave_one_out(&items, &measured);
    let traits: Vec<Traits> = measured.iter().map(|measured| measured.traits).collect();
    let strata = stratify(&items, &traits, &trials);
    Ok(report::write(bench, detector, &Evaluated { items, trials, left_out, strata }))
}

/// Measures the largest face of every image, and every recording as a session would.
pub(super) fn measure_all(
    bench: &Bench<'_>,
    items: &[Item],
    framing: Framing,
    detector: Detector,
) -> Result<Vec<Measured>, EvalError> {
    manifest::check_files(items)?;
    bench.for_each_file(items, |item| {
        if is_recording(&item.file) {
            return measure_recording(bench, item, detector);
        }
        if framing == Framing::FaceCrop && detector.takes_crops {
            return measure_crop(bench, item, detector);
        }
        let (image, face) = match still::find(bench.pipeline, &item.file, framing, Choice::Largest)? {
            Ok(found) => found,
            Err(reason) => return Ok(Measured::without(reason)),
        };
        let mut face = match bench.pipeline.measure_face(image.view().into(), &face) {
            Ok(face) => face,
            Err(crate::service::ServiceError::Vision(_)) => {
                return Ok(Measured::without("face.not_aligned"));
            }
            Err(error) => return Err(EvalError::from(error)),
        };
        let statistic = detector.statistic(item, &mut face);
        let embedding = face.embedding.clone().filter(|_| Identity::accepts(&face));
        Ok(Measured { statistic, embedding, traits: traits(image.view(), &face) })
    })
}

/// A picture that is a face crop, as it is.
fn measure_crop(bench: &Bench<'_>, item: &Item, detector: Detector) -> Result<Measured, EvalError> {
    let Ok(crop) = still_from_file(&item.file, bench.pipeline.limits()) else {
        return Ok(Measured::without("media.unreadable"));
    };
    let mut face = bench.pipeline.measure_crop(crop.view().into())?;
    let statistic = detector.statistic(item, &mut face);
    Ok(Measured { statistic, embedding: None, traits: traits(crop.view(), &face) })
}

/// What a face's picture is like.
fn traits(image: RgbView<'_>, face: &FaceObservation) -> Traits {
    Traits {
        face_height_px: Some(f64::from(face.quality.face_height_px)),
        exposure: Some(f64::from(face.quality.exposure)),
        ita_deg: skin_tone_ita_deg(image.into(), &face.box_in_frame).ok().flatten(),
    }
}

/// The signal's own measurement of a recording, as a session makes it, and who is seen in it.
fn measure_recording(bench: &Bench<'_>, item: &Item, detector: Detector) -> Result<Measured, EvalError> {
    let observations = observe(bench, Frames::open(bench, &item.file)?)?;
    let measurement = (detector.measure)(&observations);
    let reason = measurement.reasons.first().map_or("signal.not_measured", |reason| reason.code.as_ref());
    let embedding = embeddings(observations).next();
    let statistic = measurement.statistic.ok_or_else(|| reason.to_owned());
    Ok(Measured { statistic, embedding, traits: Traits::default() })
}

/// What each image shares its errors with: the manifest's `group`, else the person within its set.
///
/// Frames of one recording are nearly the same picture, and file names do not tell recordings apart; people are told apart
/// by identity vectors, with neighbours chained, so that doubt makes fewer people rather than more. Faces without a
/// usable vector count as one person together, unless no face of the set has one: then each counts for itself.
fn groups(items: &[Item], measured: &[Measured]) -> Vec<String> {
    let mut sets: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
    for (index, item) in items.iter().enumerate() {
        sets.entry(item.source.as_deref().unwrap_or_default()).or_default().push(index);
    }
    let mut groups: Vec<String> = items.iter().map(|item| item.group().to_owned()).collect();
    for (set, indices) in sets {
        let vectors: Vec<Option<&Embedding>> =
            indices.iter().map(|index| measured.get(*index)?.embedding.as_ref()).collect();
        if vectors.iter().all(Option::is_none) {
            continue;
        }
        for (index, person) in indices.iter().zip(people_among(&vectors)) {
            let person = person.map_or_else(|| "unknown".to_owned(), |person| format!("person {person}"));
            if let (Some(group), Some(item)) = (groups.get_mut(*index), items.get(*index))
                && item.group.is_none()
            {
                *group = format!("{set}/{person}");
            }
        }
    }
    groups
}

/// Statistics for fitting; what shares a group and a class is not independent.
pub(super) fn labelled_statistics(items: &[Item], measured: &[Measured]) -> Vec<LabelledStatistic> {
    let rows = items.iter().zip(measured).zip(groups(items, measured));
    rows.filter_map(|((item, measured), group)| {
        let statistic = *measured.statistic.as_ref().ok()?;
        let is_bona_fide = item.label() == Some(Label::BonaFide);
        Some(LabelledStatistic { statistic, is_bona_fide, source: group, set: item.source.clone() })
    })
    .collect()
}

/// Each image scored by a line that was fitted on every capture set but its own; `None` with fewer than two sets.
fn leave_one_out(items: &[Item], measured: &[Measured]) -> Option<Vec<Trial>> {
    let sets: std::collections::BTreeSet<&str> = items.iter().filter_map(|item| item.source.as_deref()).collect();
    let samples = |left_out: &str| -> Vec<LabelledStatistic> {
        let others = items.iter().zip(measured).filter(|(item, _)| item.source.as_deref() != Some(left_out));
        let (items, measured): (Vec<Item>, Vec<Measured>) = others.map(|(a, b)| (a.clone(), b.clone())).unzip();
        labelled_statistics(&items, &measured)
    };
    let lines: BTreeMap<&str, Calibration> =
        sets.iter().filter_map(|left_out| Some((*left_out, fit(&samples(left_out), "every set but one")?))).collect();
    (lines.len() > 1)
        .then(|| trials_with(items, measured, |item| lines.get(item.source.as_deref().unwrap_or_default()).cloned()))
}

fn trials_with(items: &[Item], measured: &[Measured], line: impl Fn(&Item) -> Option<Calibration>) -> Vec<Trial> {
    let trial = |((item, measured), group): ((&Item, &Measured), String)| {
        let scored = match &measured.statistic {
            Ok(statistic) => {
                let ratio = line(item).and_then(|line| line.apply(*statistic, None));
                ratio.map_or_else(
                    || Scored::No("signal.not_calibrated".to_owned()),
                    |ratio| Scored::Yes { score: 1.0 / (1.0 + statistic.exp()), llr: ratio.llr },
                )
            }
            Err(reason) => Scored::No(reason.clone()),
        };
        Trial { group, ..Trial::new(item, scored) }
    };
    items.iter().zip(measured).zip(groups(items, measured)).map(trial).collect()
}
