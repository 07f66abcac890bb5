//! Recordings to encoded pictures in memory, before the clock starts.

use std::num::NonZero;
use std::path::Path;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use tokio_util::sync::CancellationToken;

use crate::media::{MediaLimits, PixelLayout, Recording, RgbImage, encode_i420, encode_jpeg, fit_within};

use super::error::LoadError;
use super::profile::{InterviewProfile, PictureFormat, Profile};

/// Shortest recording in seconds.
const MIN_SECS: f64 = 1.0;
/// Share of a frame's slot by which a frame may come early: containers round their times.
const SLOT_TOLERANCE: f64 = 0.1;
/// Share of the wanted rate below which it is told that a recording has fewer frames.
const TOLD_RATE_RATIO: f64 = 0.98;

/// One recording as it is sent, shared by all sessions that play it.
#[derive(Clone, Debug)]
pub(super) struct Footage {
    /// The file's name, for tables.
    pub(super) name: String,
    /// As in the profile.
    pub(super) label: String,
    /// As in the profile.
    pub(super) weight: f64,
    /// In order of time, the first at zero.
    pub(super) pictures: Vec<Picture>,
    /// From its beginning to when the frame after the last would be due.
    pub(super) span: Duration,
    /// Whether it ends where the recording ends, not where the load does.
    pub(super) is_whole: bool,
}

/// One encoded picture.
#[derive(Clone, Debug)]
pub(super) struct Picture {
    /// Position on the media clock, from the recording's beginning.
    pub(super) at: Duration,
    /// Size, for formats that do not carry it.
    pub(super) layout: Option<PixelLayout>,
    /// The payload.
    pub(super) data: Bytes,
}

impl Footage {
    /// Frames a second, as far as the recording has them.
    pub(super) fn rate_hz(&self) -> f64 {
        self.pictures.len() as f64 / self.span.as_secs_f64()
    }

    /// Whether it has noticeably fewer frames a second than are asked for.
    pub(super) fn is_slower_than(&self, rate_hz: f64) -> bool {
        self.rate_hz() < rate_hz * TOLD_RATE_RATIO
    }
}

/// How recordings are prepared.
#[derive(Clone, Copy)]
pub(super) struct Kitchen<'a> {
    /// Size, format and memory.
    pub(super) profile: &'a Profile,
    /// Bounds of the decoder.
    pub(super) limits: &'a MediaLimits,
    /// Frames a second.
    pub(super) rate_hz: f64,
    /// Seconds after which nothing is ever sent.
    pub(super) secs: f64,
    /// Ends the work.
    pub(super) stop: &'a CancellationToken,
}

impl Kitchen<'_> {
    /// Prepares every recording of the profile, one thread a core, in the profile's order; tells after each how many are done.
    pub(super) fn prepare(&self, is_done: &(dyn Fn(usize) + Sync)) -> Result<Vec<Footage>, LoadError> {
        let interviews = &self.profile.interviews;
        let (next, n_done, n_bytes) = (AtomicUsize::new(0), AtomicUsize::new(0), AtomicU64::new(0));
        let prepared = Mutex::new(Vec::with_capacity(interviews.len()));
        let work = || {
            while let Some((index, interview)) = {
                let index = next.fetch_add(1, Ordering::Relaxed);
                interviews.get(index).map(|interview| (index, interview))
            } {
                let footage = self.footage(interview, &n_bytes);
                if footage.is_err() {
                    next.store(interviews.len(), Ordering::Relaxed);
                }
                prepared.lock().unwrap_or_else(PoisonError::into_inner).push((index, footage));
                is_done(n_done.fetch_add(1, Ordering::Relaxed) + 1);
            }
        };
        let n_threads = std::thread::available_parallelism().map_or(1, NonZero::get).min(interviews.len());
        std::thread::scope(|scope| {
            for n in 1..n_threads {
                // A thread that cannot be started leaves its share to the others.
                let _started = std::thread::Builder::new().name(format!("prepare-{n}")).spawn_scoped(scope, work);
            }
            work();
        });
        let mut prepared = prepared.into_inner().unwrap_or_else(PoisonError::into_inner);
        prepared.sort_by_key(|(index, _)| *index);
        prepared.into_iter().map(|(_, footage)| footage).collect()
    }

    fn footage(&self, interview: &InterviewProfile, n_bytes: &AtomicU64) -> Result<Footage, LoadError> {
        let unusable = |source| LoadError::Recording { file: interview.file.clone(), source };
        let limit_bytes = u64::from(self.profile.max_media_mib) << 20;
        let mut recording = Recording::open(&interview.file, self.limits).map_err(unusable)?;
        let (mut pictures, mut slots, mut first_at, mut is_whole) = (Vec::new(), Slots::new(self.rate_hz), None, true);
        while let Some(frame) = recording.next_frame().map_err(unusable)? {
            if self.stop.is_cancelled() {
                return Err(LoadError::Interrupted);
            }
            let elapsed_secs = frame.media_time.secs_since(*first_at.get_or_insert(frame.media_time)).max(0.0);
            if elapsed_secs >= self.secs {
                is_whole = false;
                break;
            }
            if !slots.takes(elapsed_secs) {
                continue;
            }
            let picture =
                self.picture(&frame.picture.to_rgb(), Duration::from_secs_f64(elapsed_secs)).map_err(unusable)?;
            let taken = picture.data.len() as u64;
            if n_bytes.fetch_add(taken, Ordering::Relaxed) + taken > limit_bytes {
                return Err(LoadError::TooLarge { limit_mib: self.profile.max_media_mib });
            }
            pictures.push(picture);
        }
        let last_secs = pictures.last().map_or(0.0, |picture| picture.at.as_secs_f64());
        if last_secs < MIN_SECS {
            return Err(LoadError::TooShort { file: interview.file.clone(), secs: last_secs, least: MIN_SECS });
        }
        Ok(Footage {
            name: short_name(&interview.file),
            label: interview.label.clone(),
            weight: interview.weight,
            pictures,
            span: Duration::from_secs_f64(last_secs + self.rate_hz.recip()),
            is_whole,
        })
    }

    fn picture(&self, image: &RgbImage, at: Duration) -> Result<Picture, crate::media::MediaError> {
        let image = fit_within(image.view(), (self.profile.width, self.profile.height))?;
        let (layout, data) = match self.profile.format {
            PictureFormat::Jpeg => (None, encode_jpeg(image.view(), self.profile.quality)?),
            PictureFormat::I420 => {
                let layout = PixelLayout { width: image.width(), height: image.height(), ..PixelLayout::default() };
                (Some(layout), encode_i420(image.view()))
            }
        };
        Ok(Picture { at, layout, data: Bytes::from(data) })
    }
}

/// Thins frames to a rate: one in each slot of time, so that the rate is kept on average.
pub(super) struct Slots {
    rate_hz: f64,
    next: f64,
}

impl Slots {
    /// Slots at so many a second.
    pub(super) const fn new(rate_hz: f64) -> Self {
        Self { rate_hz, next: 0.0 }
    }

    /// Whether the frame at this time is the first of its slot.
    pub(super) fn takes(&mut self, elapsed_secs: f64) -> bool {
        let slot = (elapsed_secs * self.rate_hz + SLOT_TOLERANCE).floor();
        let is_taken = slot >= self.next;
        if is_taken {
            self.next = slot + 1.0;
        }
        is_taken
    }
}

fn short_name(path: &Path) -> String {
    path.file_name().unwrap_or_default().to_string_lossy().into_owned()
}

#[cfg(test)]
mod tests {
    use super::Slots;

    /// How many frames of ten seconds at `source_hz` are sent at `rate_hz`, times rounded to milliseconds as containers do.
    fn n_taken(source_hz: f64, rate_hz: f64) -> usize {
        let mut slots = Slots::new(rate_hz);
        let times = (0..).map(|frame| (f64::from(frame) / source_hz * 1_000.0).round() / 1_000.0);
        times.take_while(|secs| *secs < 10.0).filter(|secs| slots.takes(*secs)).count()
    }

    #[test]
    fn the_rate_is_kept_where_the_recording_has_the_frames() {
        for (source_hz, rate_hz, expected) in [
            (30.0, 30.0, 300),
            (30.0, 15.0, 150),
            (25.0, 15.0, 150),
            (25.0, 10.0, 100),
            (29.97, 15.0, 150),
            (29.97, 30.0, 300),
            (25.0, 30.0, 250),
            (60.0, 7.5, 75),
        ] {
            let taken = n_taken(source_hz, rate_hz);
            assert!(taken.abs_diff(expected) <= 1, "{taken} of {expected} at {source_hz} to {rate_hz}");
        }
    }
}
