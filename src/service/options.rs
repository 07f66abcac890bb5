//! Bounds of the use cases.

use std::time::Duration;

use serde::Deserialize;

/// How many, how large, how long.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ServiceOptions {
    /// Whether a session needs a consent reference before anything is analysed.
    pub require_consent_reference: bool,
    /// Days after creation on which a session is deleted; 0 = never.
    pub retention_days: u32,
    /// Sessions that are fed at one time; more are refused.
    pub max_live_sessions: usize,
    /// Streams that feed one session at one time.
    pub max_streams_per_session: usize,
    /// Watchers of all sessions together.
    pub max_watchers: usize,
    /// Bytes of samples that may wait on one track; the oldest go first.
    pub max_track_queue_bytes: u64,
    /// Bytes of samples that may wait on all tracks together.
    pub max_total_queue_bytes: u64,
    /// Frames analysed at one time; 0 = two a core.
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
            max_live_sessions: 256,
            max_streams_per_session: 8,
            max_watchers: 1_024,
            max_track_queue_bytes: 32 * 1024 * 1024,
            max_total_queue_bytes: 1024 * 1024 * 1024,
            max_concurrent_analyses: 0,
            commit_interval_millis: 250,
            idle_session_secs: 60,
            finish_wait_secs: 20,
        }
    }
}

impl ServiceOptions {
    pub(super) const fn commit_interval(&self) -> Duration {
        Duration::from_millis(self.commit_interval_millis)
    }

    pub(super) const fn idle_session(&self) -> Duration {
        Duration::from_secs(self.idle_session_secs)
    }

    pub(super) const fn finish_wait(&self) -> Duration {
        Duration::from_secs(self.finish_wait_secs)
    }
}
