//! Labelled pictures and recordings to views of places, as recorded and as simulated.

use std::collections::BTreeMap;

use rand::rngs::StdRng;
use rand::{RngExt as _, SeedableRng as _};

use crate::eval::clip::{Frames, is_recording};
use crate::eval::error::EvalError;
use crate::eval::manifest::Item;
use crate::eval::run::Bench;
use crate::eval::simulate::{Handedness, Sitter, another_sitting};
use crate::media::{RgbImage, still_from_file};
use crate::service::ServiceError;
use crate::vision::BoxPx;
use crate::vision::scene::{SceneDescriptor, SceneReading};

/// Views of one recording: its first frame, one in the middle and its last.
const VIEWS_A_RECORDING: usize = 3;
/// Frames of a recording that are looked at; interviews in labelled data are minutes.
const MAX_FRAMES: usize = 20_000;
/// Height of a face, in pixels, from which somebody can be cut out and put elsewhere.
const MIN_SITTER_PX: f32 = 64.0;
/// How sure detector and mesh must be that it is a face: a cushion that is cut out would be put before many places.
const MIN_SITTER_CONFIDENCE: f32 = 0.9;
/// People who are cut out, at most.
const MAX_SITTERS: usize = 64;

/// Where a view comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Origin {
    /// As it was recorded, so many views into the file.
    Recorded(usize),
    /// Another sitting in the place of the file's first view.
    Simulated,
    /// The same in a mirror.
    Mirrored,
}

/// One picture of a place.
pub(super) struct View {
    /// File, as in the manifest, and its number.
    pub(super) path: String,
    pub(super) file: u32,
    /// Place, and its number.
    pub(super) scene: u32,
    pub(super) origin: Origin,
    /// Whoever was put before it, by number.
    pub(super) sitter: Option<usize>,
    /// Its descriptor, or why there is none; `Err` of the outer when it could not be read.
    pub(super) reading: Result<SceneReading, &'static str>,
}

/// Every view of every file: the recorded ones, then two simulated ones.
pub(super) fn views(bench: &Bench<'_>, items: &[Item]) -> Result<Vec<View>, EvalError> {
    let mut scenes = BTreeMap::new();
    for item in items {
        let next = u32::try_from(scenes.len()).unwrap_or(u32::MAX);
        scenes.entry(item.name.as_str()).or_insert(next);
    }
    let numbered: Vec<(u32, &Item)> = (0..).zip(items).collect();
    let sitters = sitters(bench, items)?;
    let of_files = bench.for_each(&numbered, |(file, item)| {
        let scene = scenes.get(item.name.as_str()).copied().unwrap_or(0);
        let view =
            |origin, sitter, reading| View { path: item.path.clone(), file: *file, scene, origin, sitter, reading };
        let mut views = Vec::new();
        let pictures = pictures(bench, item)?;
        let Some(first) = pictures.first() else {
            return Ok(vec![view(Origin::Recorded(0), None, Err("media.unreadable"))]);
        };
        let others: Vec<(usize, &Sitter)> = sitters
            .iter()
            .enumerate()
            .filter(|(_, (of_scene, _))| of_scene != &item.name)
            .map(|(number, (_, sitter))| (number, sitter))
            .collect();
        let mut random = StdRng::seed_from_u64(u64::from(*file));
        let mut draw = || others.get(random.random_range(0..others.len().max(1))).copied();
        let is_empty = faces(bench, first)?.is_empty();
        for (at, picture) in pictures.iter().enumerate() {
            // Nobody sits in an empty room: the first sitting is simulated too.
            let drawn = if is_empty { draw() } else { None };
            let sit = |(number, sitter)| {
                let seed = u64::from(*file) * 8 + 4;
                Some((number, another_sitting(picture, Some(sitter), Handedness::Same, seed)?))
            };
            let seated = drawn.and_then(sit);
            let reading = read(bench, seated.as_ref().map_or(picture, |(_, seated)| seated))?;
            views.push(view(Origin::Recorded(at), seated.map(|(number, _)| number), Ok(reading)));
        }
        for (origin, handedness) in [(Origin::Simulated, Handedness::Same), (Origin::Mirrored, Handedness::Mirrored)] {
            let seed = u64::from(*file) * 8 + u64::from(origin == Origin::Mirrored);
            let drawn = draw();
            if let Some(sitting) = another_sitting(first, drawn.map(|(_, sitter)| sitter), handedness, seed) {
                views.push(view(origin, drawn.map(|(number, _)| number), Ok(read(bench, &sitting)?)));
            }
        }
        Ok::<_, EvalError>(views)
    })?;
    Ok(of_files.into_iter().flatten().collect())
}

/// A still, or the first, middle and last frame of a recording; none when it cannot be read.
fn pictures(bench: &Bench<'_>, item: &Item) -> Result<Vec<RgbImage>, EvalError> {
    if !is_recording(&item.file) {
        return Ok(still_from_file(&item.file, bench.pipeline.limits()).into_iter().collect());
    }
    let n_frames = Frames::open(bench, &item.file)?.take(MAX_FRAMES).count();
    let wanted: Vec<usize> =
        (0..VIEWS_A_RECORDING).map(|view| view * n_frames.saturating_sub(1) / (VIEWS_A_RECORDING - 1)).collect();
    let frames = Frames::open(bench, &item.file)?.take(MAX_FRAMES).enumerate();
    Ok(frames.filter(|(at, _)| wanted.contains(at)).map(|(_, frame)| frame.picture.to_rgb().into_owned()).collect())
}

fn faces(bench: &Bench<'_>, picture: &RgbImage) -> Result<Vec<BoxPx>, EvalError> {
    Ok(bench.pipeline.faces(picture.view().into())?.iter().map(|face| face.box_in_frame).collect())
}

fn read(bench: &Bench<'_>, picture: &RgbImage) -> Result<SceneReading, EvalError> {
    let people = faces(bench, picture)?;
    SceneDescriptor::of(picture.view().into(), &people).map_err(|error| EvalError::from(ServiceError::from(error)))
}

/// People who can be put before other backgrounds, with the name of the place that they were recorded in.
fn sitters(bench: &Bench<'_>, items: &[Item]) -> Result<Vec<(String, Sitter)>, EvalError> {
    // Evenly over the files, so that no place gives all of them.
    let step = items.len().div_ceil(MAX_SITTERS * 4).max(1);
    let sampled: Vec<&Item> = items.iter().step_by(step).collect();
    let found = bench.for_each(&sampled, |item| {
        let Some(picture) = first_picture(bench, item)? else { return Ok::<_, EvalError>(None) };
        let faces = bench.pipeline.faces(picture.view().into())?;
        let [face] = faces.as_slice() else { return Ok(None) };
        let is_sure = face.mesh.presence >= MIN_SITTER_CONFIDENCE
            && face.detection.is_some_and(|detection| detection.confidence >= MIN_SITTER_CONFIDENCE);
        let face = face.box_in_frame;
        let can_sit = is_sure && face.height() >= MIN_SITTER_PX;
        Ok(can_sit.then(|| (item.name.clone(), Sitter { picture, face })))
    })?;
    Ok(found.into_iter().flatten().take(MAX_SITTERS).collect())
}

fn first_picture(bench: &Bench<'_>, item: &Item) -> Result<Option<RgbImage>, EvalError> {
    if !is_recording(&item.file) {
        return Ok(still_from_file(&item.file, bench.pipeline.limits()).ok());
    }
    Ok(Frames::open(bench, &item.file)?.next().map(|frame| frame.picture.to_rgb().into_owned()))
}
