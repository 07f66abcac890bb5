//! Pictures that were seen before, in the same order: a loop.

use std::collections::{HashMap, VecDeque};

use crate::media::{MediaTime, PictureStats};

/// Shortest loop that is told from a person who sits still.
const MIN_PERIOD_SECS: f64 = 2.0;
/// Consecutive matches, in the order of the first time, that make a repeat.
const MIN_RUN: u32 = 8;
/// Different pictures among them: a still scene repeats too, but only one picture.
const MIN_DISTINCT: u32 = 5;
/// Pictures remembered: four minutes at 15 a second.
const MAX_REMEMBERED: usize = 3_600;
/// Earlier pictures compared with each new one, newest first.
const MAX_COMPARED: usize = 48;
/// Width of a cell of luma mean and deviation in 8-bit levels. Exact repeats give the same figures to the last bit; pictures
/// of a real camera differ by noise of about this size even when nothing moves.
const CELL_LEVELS: f32 = 1.0 / 32.0;

/// A picture sequence seen before.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Repeat {
    /// Seconds since it was seen the time before.
    pub(super) period_secs: f64,
}

/// Finds loops by fingerprints of mean, deviation and average hash.
#[derive(Clone, Debug, Default)]
pub(super) struct RepeatWatch {
    remembered: VecDeque<(MediaTime, Fingerprint)>,
    n_forgotten: u64,
    places: HashMap<Fingerprint, VecDeque<u64>>,
    runs: HashMap<u64, Run>,
    last: Option<Fingerprint>,
}

/// (mean luma, luma deviation, average hash), the first two in cells.
type Fingerprint = (i32, i32, u64);

#[derive(Clone, Copy, Debug, Default)]
struct Run {
    length: u32,
    distinct: u32,
}

impl RepeatWatch {
    /// Takes one picture; `Some` while a sequence repeats.
    pub(super) fn observe(&mut self, at: MediaTime, picture: &PictureStats) -> Option<Repeat> {
        let fingerprint = fingerprint(picture)?;
        let place = self.n_forgotten + self.remembered.len() as u64;
        let is_new_picture = self.last.replace(fingerprint) != Some(fingerprint);
        let mut runs = HashMap::new();
        let mut found: Option<Repeat> = None;
        for earlier in self.places.get(&fingerprint).into_iter().flatten().rev().take(MAX_COMPARED) {
            let Some((earlier_at, _)) = self.remembered.get(usize::try_from(earlier - self.n_forgotten).ok()?) else {
                continue;
            };
            let period_secs = at.secs_since(*earlier_at);
            if period_secs < MIN_PERIOD_SECS {
                continue;
            }
            let offset = place - earlier;
            let before = self.runs.get(&offset).copied().unwrap_or_default();
            let run = Run { length: before.length + 1, distinct: before.distinct + u32::from(is_new_picture) };
            runs.insert(offset, run);
            if run.length >= MIN_RUN
                && run.distinct >= MIN_DISTINCT
                && found.is_none_or(|shortest| period_secs < shortest.period_secs)
            {
                found = Some(Repeat { period_secs });
            }
        }
        self.runs = runs;
        self.remember(at, fingerprint, place);
        found
    }

    fn remember(&mut self, at: MediaTime, fingerprint: Fingerprint, place: u64) {
        if self.remembered.len() == MAX_REMEMBERED
            && let Some((_, oldest)) = self.remembered.pop_front()
        {
            self.n_forgotten += 1;
            if let Some(places) = self.places.get_mut(&oldest) {
                places.pop_front();
                if places.is_empty() {
                    self.places.remove(&oldest);
                }
            }
        }
        self.remembered.push_back((at, fingerprint));
        self.places.entry(fingerprint).or_default().push_back(place);
    }
}

fn fingerprint(picture: &PictureStats) -> Option<Fingerprint> {
    let cell = |luma: f32| {
        let cell = (luma * 255.0 / CELL_LEVELS).round();
        #[expect(clippy::cast_possible_truncation, reason = "luma is 0..=1, so that cells stay below 10,000")]
        let cell = cell as i32;
        (0.0..=1.0).contains(&luma).then_some(cell)
    };
    Some((cell(picture.mean_luma)?, cell(picture.luma_deviation)?, picture.average_hash))
}
