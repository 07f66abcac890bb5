//! Wire messages to domain values and back, one file a subject. The wire is not trusted: see [`super::field`].

mod event;
mod evidence;
mod identity;
mod media;
mod review;
mod scene;
mod score;
mod session;
mod stream;
mod track;

pub(super) use self::event::{
    ack_from_wire, ack_to_wire, ended_to_wire, pacing_from_wire, pacing_to_wire, problem_to_wire, sample_error,
};
pub(super) use self::evidence::{still_part_from_wire, stills_to_wire};
pub(super) use self::identity::{
    candidate_to_wire, comparison_to_wire, hunt_to_wire, ledger_to_wire, match_kind_from_wire, match_to_wire,
    match_verdict_from_wire, new_reference_from_wire, reference_to_wire, search_to_wire, subject_from_wire,
    watched_to_wire,
};
pub(super) use self::media::{SampleFromWire, SampleRef, sample_from_wire, video_format_to_wire, video_to_wire};
pub(super) use self::review::{decision_kind_from_wire, review_to_wire, verdict_from_wire};
pub(super) use self::scene::{scene_search_to_wire, scene_subject_from_wire};
pub(super) use self::score::{score_from_wire, score_to_wire, segment_from_wire, segment_to_wire};
pub(super) use self::session::{
    new_session_from_wire, patch_from_wire, session_from_wire, session_to_wire, timestamp_to_wire,
};
pub(super) use self::stream::{config_from_wire, config_to_wire};
pub(super) use self::track::{track_from_wire, track_to_wire};

use crate::media::MediaTime;

/// A position on the media clock, for the wire.
pub(super) fn duration_to_wire(time: MediaTime) -> prost_types::Duration {
    let nanos = time.as_nanos();
    prost_types::Duration {
        seconds: nanos / 1_000_000_000,
        nanos: i32::try_from(nanos % 1_000_000_000).unwrap_or(0), // the remainder is below 1e9 by arithmetic
    }
}

/// Seconds for the wire; what is not finite is absent.
pub(super) fn secs_to_wire(secs: f64) -> Option<prost_types::Duration> {
    MediaTime::from_secs_f64(secs).map(duration_to_wire)
}

/// A length of time for the wire; saturates at 292 years.
pub(super) fn length_to_wire(length: std::time::Duration) -> prost_types::Duration {
    duration_to_wire(MediaTime::ZERO.saturating_add(length))
}
