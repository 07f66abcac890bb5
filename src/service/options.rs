//! Bounds of the use cases.

use std::time::Duration;

use serde::Deserialize;

use crate::error::InvalidOption;
use crate::session::EvidenceMode;

use super::review::SecondReviewer;

/// How many, how large, how long.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ServiceOptions {
    /// Whether a session needs a consent reference before anything is analysed.
    pub require_consent_reference: bool,
    /// Days after creation on which a session is deleted; 0 = never.
    pub retention_days: u32,
    /// Whether sessions keep stills; `no_images` goes before what their creators say.
    pub evidence: EvidenceMode,
    /// Which decisions a second person has to agree with.
    pub second_reviewer: SecondReviewer,
    /// Sessions that are fed at one time; more are refused.
    pub max_live_sessions: usize,
    /// Streams that feed one session at one time.
    pub max_streams_per_session: usize,
    /// Watchers of all sessions together.
    pub max_watchers: usize,
    /// Bytes of samples that may wait on one track; the oldest go first.
    pub max_track_queue_bytes: u64,
    /// Milliseconds between the arrivals of the oldest and the newest sample that wait on one track; the oldest go first.
    pub max_track_queue_millis: u64,
    /// Bytes of samples that may wait on all tracks together.
    pub max_total_queue_bytes: u64,
    /// Frames analysed at one time; 0 = as many as keep the devices busy.
    pub max_concurrent_analyses: usize,
    /// Longest time between an analysed frame and its acknowledgement, in milliseconds.
    pub commit_interval_millis: u64,
    /// Seconds for which a session without streams stays in memory.
    pub idle_session_secs: u64,
    /// Seconds that finishing waits for samples that were accepted already.
    pub finish_wait_secs: u64,
}

impl Default for ServiceOptions {
    fn default() -> Self {
        Self {
            require_consent_reference: true,
            retention_days: 90,
            evidence: EvidenceMode::Stills,
            second_reviewer: SecondReviewer::Decline,
            max_live_sessions: 256,
            max_streams_per_session: 8,
            max_watchers: 1_024,
            max_track_queue_bytes: 32 * 1024 * 1024,
            max_track_queue_millis: 500,
            max_total_queue_bytes: 1024 * 1024 * 1024,
            max_concurrent_analyses: 0,
            commit_interval_millis: 250,
            idle_session_secs: 60,
            finish_wait_secs: 20,
        }
    }
}

impl ServiceOptions {
    /// Checks what the types do not.
    ///
    /// # Errors
    /// [`InvalidOption`] for the first key that is out of range.
    pub fn validate(&self) -> Result<(), InvalidOption> {
        let in_range = InvalidOption::unless_within::<u64>;
        in_range("retention_days", u64::from(self.retention_days), 0..=36_500)?;
        in_range("max_live_sessions", self.max_live_sessions as u64, 1..=100_000)?;
        in_range("max_streams_per_session", self.max_streams_per_session as u64, 1..=64)?;
        in_range("max_watchers", self.max_watchers as u64, 1..=1_000_000)?;
        in_range("max_track_queue_bytes", self.max_track_queue_bytes, 65_536..=1 << 32)?;
        in_range("max_track_queue_millis", self.max_track_queue_millis, 1..=3_600_000)?;
        in_range("max_total_queue_bytes", self.max_total_queue_bytes, self.max_track_queue_bytes..=1 << 40)?;
        in_range("max_concurrent_analyses", self.max_concurrent_analyses as u64, 0..=4_096)?;
        in_range("commit_interval_millis", self.commit_interval_millis, 1..=10_000)?;
        in_range("idle_session_secs", self.idle_session_secs, 1..=86_400)?;
        in_range("finish_wait_secs", self.finish_wait_secs, 0..=3_600)
    }

    /// Whether a session keeps stills whose creator wants `wished`.
    pub(super) fn evidence_mode(&self, wished: Option<EvidenceMode>) -> EvidenceMode {
        match self.evidence {
            EvidenceMode::NoImages => EvidenceMode::NoImages,
            EvidenceMode::Stills => wished.unwrap_or_default(),
        }
    }

    pub(super) fn commit_interval(&self) -> Duration {
        Duration::from_millis(self.commit_interval_millis.max(1))
    }

    pub(super) const fn max_track_queue_span(&self) -> Duration {
        Duration::from_millis(self.max_track_queue_millis)
    }

    pub(super) const fn idle_session(&self) -> Duration {
        Duration::from_secs(self.idle_session_secs)
    }

    pub(super) const fn finish_wait(&self) -> Duration {
        Duration::from_secs(self.finish_wait_secs)
    }
}

#[cfg(test)]
mod tests {
    use super::ServiceOptions;

    #[test]
    fn the_operators_no_goes_before_a_callers_yes() {
        use crate::session::EvidenceMode::{NoImages, Stills};
        for (operator, wished, expected) in [
            (Stills, None, Stills),
            (Stills, Some(NoImages), NoImages),
            (Stills, Some(Stills), Stills),
            (NoImages, None, NoImages),
            (NoImages, Some(Stills), NoImages),
        ] {
            let options = ServiceOptions { evidence: operator, ..ServiceOptions::default() };
            assert_eq!(options.evidence_mode(wished), expected, "{operator:?} {wished:?}");
        }
    }

    #[test]
    fn bad_values_are_named() {
        ServiceOptions::default().validate().expect("the defaults can be used");
        let check = |key: &str, change: fn(&mut ServiceOptions)| {
            let mut options = ServiceOptions::default();
            change(&mut options);
            assert_eq!(options.validate().expect_err(key).key, key);
        };
        check("retention_days", |options| options.retention_days = u32::MAX);
        check("max_live_sessions", |options| options.max_live_sessions = 0);
        check("max_streams_per_session", |options| options.max_streams_per_session = 0);
        check("max_watchers", |options| options.max_watchers = 0);
        check("max_track_queue_bytes", |options| options.max_track_queue_bytes = 0);
        check("max_track_queue_millis", |options| options.max_track_queue_millis = 0);
        check("max_total_queue_bytes", |options| options.max_total_queue_bytes = options.max_track_queue_bytes - 1);
        check("max_concurrent_analyses", |options| options.max_concurrent_analyses = usize::MAX);
        check("commit_interval_millis", |options| options.commit_interval_millis = 0);
        check("idle_session_secs", |options| options.idle_session_secs = 0);
        check("finish_wait_secs", |options| options.finish_wait_secs = u64::MAX);
    }
}
