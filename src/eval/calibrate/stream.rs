//! Recordings of cameras against loops and frozen pictures made from them.
//!
//! A loop is a loop whatever it shows, so recordings of every label stand on the camera's side.

use crate::eval::clip::{Frames, measure, short_name};
use crate::eval::error::EvalError;
use crate::eval::manifest::Item;
use crate::eval::run::Bench;
use crate::media::{MediaLimits, MediaTime, PictureView, Thumbnail, VideoFrame, decode_still, encode_jpeg};
use crate::scoring::LabelledStatistic;
use crate::signals::{FaceSearch, FrameObservation, Stream};

use super::CalibrationTask;
use super::clips::{items, labelled};

/// Length of the stretch that is repeated, in seconds.
const PERIOD_SECS: f64 = 4.0;
/// Times that it is shown.
const PASSES: usize = 4;
/// Compression of each pass of a loop that is compressed anew every time.
const PASS_QUALITY: [u8; PASSES] = [70, 80, 75, 85];
/// Seconds after which a frozen picture freezes.
const FREEZE_SECS: f64 = 4.0;
/// Seconds for which it stays.
const FROZEN_SECS: f64 = 12.0;

/// A picture of the stream: when, and what is left of it.
struct Shown {
    at_secs: f64,
    thumbnail: Thumbnail,
    size: (u32, u32),
}

pub(super) fn samples(bench: &Bench<'_>, task: &CalibrationTask) -> Result<Vec<LabelledStatistic>, EvalError> {
    let clips = items(task, |_| true)?;
    let samples = bench.for_each(&clips, |item| of_clip(bench, item))?;
    Ok(samples.into_iter().flatten().collect())
}

fn of_clip(bench: &Bench<'_>, item: &Item) -> Result<Vec<LabelledStatistic>, EvalError> {
    let name = short_name(&item.file);
    let mut shown = Vec::new();
    let mut passes: [Vec<Shown>; PASSES] = std::array::from_fn(|_| Vec::new());
    let mut first_at = None;
    for frame in Frames::open(bench, &item.file)? {
        let at_secs = frame.media_time.secs_since(*first_at.get_or_insert(frame.media_time));
        if at_secs < PERIOD_SECS {
            for (pass, quality) in passes.iter_mut().zip(PASS_QUALITY) {
                pass.extend(compressed(&frame, at_secs, quality));
            }
        }
        shown.push(seen(frame.picture.view(), at_secs));
    }
    let (period, step_secs) = (shown.partition_point(|shown| shown.at_secs < PERIOD_SECS), step_secs(&shown));
    let looped = (0..PASSES).flat_map(|pass| shown.iter().take(period).map(move |shown| (pass, shown)));
    let anew = passes.iter().enumerate().flat_map(|(pass, shown)| shown.iter().map(move |shown| (pass, shown)));
    let after_pass = |(pass, shown): (usize, &Shown)| {
        (pass as f64 * (PERIOD_SECS + step_secs) + shown.at_secs, shown.thumbnail.clone(), shown.size)
    };
    let frozen_at = shown.partition_point(|shown| shown.at_secs < FREEZE_SECS).saturating_sub(1);
    let n_frozen = (FROZEN_SECS / step_secs.max(1e-3)).round();
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "at most 12,000 pictures")]
    let frozen = (1..=n_frozen as u32).filter_map(|n| {
        let last = shown.get(frozen_at)?;
        Some((last.at_secs + f64::from(n) * step_secs, last.thumbnail.clone(), last.size))
    });
    let until_frozen = shown.iter().take(frozen_at + 1);
    let whole = |shown: &Shown| (shown.at_secs, shown.thumbnail.clone(), shown.size);
    let streams = [
        (true, name.clone(), observations(shown.iter().map(whole))),
        (false, format!("loop of {name}"), observations(looped.map(after_pass))),
        (false, format!("loop compressed anew of {name}"), observations(anew.map(after_pass))),
        (false, format!("frozen {name}"), observations(until_frozen.map(whole).chain(frozen))),
    ];
    let measured = streams.iter().map(|(is_bona_fide, source, observations)| {
        labelled(measure::<Stream>(observations).statistic, *is_bona_fide, source)
    });
    Ok(measured.flatten().collect())
}

fn seen(picture: PictureView<'_>, at_secs: f64) -> Shown {
    Shown { at_secs, thumbnail: Thumbnail::of(picture), size: (picture.width(), picture.height()) }
}

fn compressed(frame: &VideoFrame, at_secs: f64, quality: u8) -> Option<Shown> {
    let bytes = encode_jpeg(frame.picture.to_rgb().view(), quality).ok()?;
    Some(seen(decode_still(&bytes, &MediaLimits::default()).ok()?.view().into(), at_secs))
}

/// Mean time between pictures.
fn step_secs(shown: &[Shown]) -> f64 {
    let last = shown.last().map_or(0.0, |shown| shown.at_secs);
    last / shown.len().saturating_sub(1).max(1) as f64
}

/// What a session would see of pictures, without looking for faces.
fn observations(pictures: impl Iterator<Item = (f64, Thumbnail, (u32, u32))>) -> Vec<FrameObservation> {
    let mut last: Option<Thumbnail> = None;
    let mut observations = Vec::new();
    for (at_secs, thumbnail, (width, height)) in pictures {
        let Some(media_time) = MediaTime::from_secs_f64(at_secs) else { continue };
        observations.push(FrameObservation {
            sequence: observations.len() as u64,
            media_time,
            arrival: media_time,
            missing_before: 0,
            shed_before: 0,
            picture: thumbnail.stats(width, height, last.as_ref()),
            faces: FaceSearch::NotRun,
        });
        last = Some(thumbnail);
    }
    observations
}
