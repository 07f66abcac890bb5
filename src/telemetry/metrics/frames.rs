//! Frames on their way through the pipeline, and the queues between.

use std::time::{Duration, Instant};

use ::metrics::{counter, describe_counter, describe_gauge, describe_histogram, gauge, histogram};

use super::guard::GaugeGuard;

const RECEIVED: &str = "bonafide_service_frames_received_total";
const DECODED: &str = "bonafide_service_frames_decoded_total";
const ANALYSED: &str = "bonafide_service_frames_analysed_total";
const DROPPED: &str = "bonafide_service_frames_dropped_total";
const STAGE: &str = "bonafide_service_stage_seconds";
const QUEUE_ITEMS: &str = "bonafide_service_queue_items";
const QUEUE_BYTES: &str = "bonafide_service_queue_bytes";

/// Why a frame was not analysed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DropReason {
    /// Pushed out of a full queue by a newer one.
    QueueFull,
    /// Not worth analysing, says the sampler.
    NotSampled,
    /// Of a track that is not a camera's.
    NotScored,
    /// A coded unit that gave no picture, or none yet.
    NoPicture,
    /// A picture that builds upon one that was lost.
    AwaitsKeyframe,
    /// The bytes could not be decoded.
    Undecodable,
    /// Over a limit of size, pixels or rate.
    OverLimit,
    /// A sequence that was seen before.
    Repeated,
    /// A model or another step of the analysis failed.
    Inference,
    /// Its message could not be used, or named a track that its stream does not feed.
    Refused,
    /// The session ended before its turn came.
    SessionEnded,
}

impl DropReason {
    /// Every reason.
    pub const ALL: [Self; 11] = [
        Self::QueueFull,
        Self::NotSampled,
        Self::NotScored,
        Self::NoPicture,
        Self::AwaitsKeyframe,
        Self::Undecodable,
        Self::OverLimit,
        Self::Repeated,
        Self::Inference,
        Self::Refused,
        Self::SessionEnded,
    ];

    const fn label(self) -> &'static str {
        match self {
            Self::QueueFull => "queue_full",
            Self::NotSampled => "not_sampled",
            Self::NotScored => "not_scored",
            Self::NoPicture => "no_picture",
            Self::AwaitsKeyframe => "awaits_keyframe",
            Self::Undecodable => "undecodable",
            Self::OverLimit => "over_limit",
            Self::Repeated => "repeated",
            Self::Inference => "inference",
            Self::Refused => "refused",
            Self::SessionEnded => "session_ended",
        }
    }
}

/// A step that a frame goes through.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    /// Waiting for its turn.
    Queue,
    /// Bytes to pixels.
    Decode,
    /// Finding faces, with its model.
    Detect,
    /// Face mesh and pose, with its model.
    Mesh,
    /// Sharpness, exposure and the like.
    Quality,
    /// Identity vector, with its model.
    Embed,
    /// Presentation-attack model.
    Presentation,
    /// Deepfake model.
    Deepfake,
    /// Encoding a still.
    Still,
    /// Describing what is behind a person.
    Scene,
    /// The session's step: signals, score, segments.
    Score,
    /// Making it durable.
    Store,
}

impl Stage {
    /// Every stage, in order.
    pub const ALL: [Self; 12] = [
        Self::Queue,
        Self::Decode,
        Self::Detect,
        Self::Mesh,
        Self::Quality,
        Self::Embed,
        Self::Presentation,
        Self::Deepfake,
        Self::Still,
        Self::Scene,
        Self::Score,
        Self::Store,
    ];

    const fn label(self) -> &'static str {
        match self {
            Self::Queue => "queue",
            Self::Decode => "decode",
            Self::Detect => "detect",
            Self::Mesh => "mesh",
            Self::Quality => "quality",
            Self::Embed => "embed",
            Self::Presentation => "presentation",
            Self::Deepfake => "deepfake",
            Self::Still => "still",
            Self::Scene => "scene",
            Self::Score => "score",
            Self::Store => "store",
        }
    }
}

/// A bounded queue of the pipeline.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Queue {
    /// Received frames that wait to be decoded.
    Frames,
    /// Events that wait for a client to take them.
    Events,
}

impl Queue {
    const fn label(self) -> &'static str {
        match self {
            Self::Frames => "frames",
            Self::Events => "events",
        }
    }
}

/// Counts a frame that came in, usable or not: each one ends as analysed or as dropped.
pub fn frame_received() {
    counter!(RECEIVED).increment(1);
}

/// Counts a frame that became pixels.
pub fn frame_decoded() {
    counter!(DECODED).increment(1);
}

/// Counts a frame whose faces were looked for.
pub fn frame_analysed() {
    counter!(ANALYSED).increment(1);
}

/// Counts a frame that was not analysed.
pub fn frame_dropped(reason: DropReason) {
    counter!(DROPPED, "reason" => reason.label()).increment(1);
}

/// Records how long one frame spent in a stage.
pub fn stage_took(stage: Stage, took: Duration) {
    histogram!(STAGE, "stage" => stage.label()).record(took);
}

/// Does a step and records how long it took, whatever came of it.
pub fn timed<T>(stage: Stage, step: impl FnOnce() -> T) -> T {
    let began = Instant::now();
    let outcome = step();
    stage_took(stage, began.elapsed());
    outcome
}

/// One item waits in a queue while the guard lives.
pub fn queued(queue: Queue) -> GaugeGuard {
    GaugeGuard::new(gauge!(QUEUE_ITEMS, "queue" => queue.label()), 1.0)
}

/// So many bytes wait in a queue while the guard lives.
pub fn queued_bytes(queue: Queue, n_bytes: u64) -> GaugeGuard {
    GaugeGuard::new(gauge!(QUEUE_BYTES, "queue" => queue.label()), n_bytes as f64)
}

pub(super) fn describe() {
    describe_counter!(RECEIVED, "Frames received from plugins, usable or not.");
    describe_counter!(DECODED, "Frames that became pixels.");
    describe_counter!(ANALYSED, "Frames whose faces were looked for.");
    describe_counter!(DROPPED, "Frames that were not analysed, by reason.");
    describe_histogram!(STAGE, "Seconds that one frame, or one of its faces, spent in a stage.");
    describe_gauge!(QUEUE_ITEMS, "Items that wait in a queue now.");
    describe_gauge!(QUEUE_BYTES, "Bytes that wait in a queue now.");
}
