//! When samples came, so that an acknowledgement can say how long they took.

use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

use crate::session::TrackId;

/// Samples remembered a stream; at 30 frames a second these are 17 seconds.
const MAX_REMEMBERED: usize = 512;

/// The latest samples of one stream.
#[derive(Debug, Default)]
pub(super) struct Arrivals {
    samples: Mutex<VecDeque<(TrackId, u64, Instant)>>,
}

impl Arrivals {
    /// Remembers that a sample came now; the oldest is forgotten when there are too many.
    pub(super) fn note(&self, track_id: &TrackId, sequence: u64) {
        let mut samples = self.samples.lock().unwrap_or_else(PoisonError::into_inner);
        if samples.len() == MAX_REMEMBERED {
            samples.pop_front();
        }
        samples.push_back((track_id.clone(), sequence, Instant::now()));
    }

    /// Forgets the track's samples up to `sequence`; gives back how long ago that very sample came.
    pub(super) fn settle(&self, track_id: &TrackId, sequence: u64) -> Option<Duration> {
        let mut samples = self.samples.lock().unwrap_or_else(PoisonError::into_inner);
        let is_it = |(track, number, _): &&(TrackId, u64, Instant)| track == track_id && *number == sequence;
        let waited = samples.iter().find(is_it).map(|(_, _, came)| came.elapsed());
        samples.retain(|(track, number, _)| track != track_id || *number > sequence);
        waited
    }
}

#[cfg(test)]
mod tests {
    use super::{Arrivals, MAX_REMEMBERED, TrackId};

    #[test]
    fn a_sample_is_settled_once_with_its_predecessors_and_alone_on_its_track() {
        let (arrivals, track) = (Arrivals::default(), TrackId::new("camera-1").expect("valid"));
        let other = TrackId::new("camera-2").expect("valid");
        for (track, sequence) in [(&track, 1), (&other, 1), (&track, 2)] {
            arrivals.note(track, sequence);
        }
        assert!(arrivals.settle(&track, 2).is_some());
        assert_eq!(arrivals.settle(&track, 1), None, "settled with its successor");
        assert!(arrivals.settle(&other, 1).is_some());
        assert_eq!(arrivals.settle(&other, 9), None);
    }

    #[test]
    fn memory_is_bounded() {
        let (arrivals, track) = (Arrivals::default(), TrackId::new("camera-1").expect("valid"));
        for sequence in 0..2_000 {
            arrivals.note(&track, sequence);
        }
        assert_eq!(arrivals.samples.lock().expect("not poisoned").len(), MAX_REMEMBERED);
        assert_eq!(arrivals.settle(&track, 0), None);
    }
}
