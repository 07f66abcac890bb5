//! The inputs of a session, in order: what is stored, and replayed to get the session back.

use crate::media::MediaTime;
use crate::signals::FrameObservation;
use crate::vision::Embedding;
use crate::vision::scene::SceneReading;

use super::ids::{ParticipantId, TrackId};

/// What a track carries.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SourceKind {
    /// A camera: scored.
    Camera,
    /// A shared screen: accounted for, never scored.
    Screen,
    /// A microphone: accounted for.
    Microphone,
}

/// One media track and who is behind it.
#[derive(Clone, Debug, PartialEq)]
pub struct Track {
    /// The platform's id of the track.
    pub track_id: TrackId,
    /// The platform's id of the person behind it now.
    pub participant_id: ParticipantId,
    /// What it carries.
    pub kind: SourceKind,
    /// What the capturing side says of its device.
    pub device: Option<CaptureDevice>,
}

/// Self-reported by the capturing side: weak evidence, never a verdict by itself.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct CaptureDevice {
    /// The device's name, such as "OBS Virtual Camera"; empty when not known.
    pub label: String,
    /// The capturing software, such as "browser/chromium 156".
    pub platform: String,
    /// Settings that were asked for and what came of them.
    pub probes: Vec<SettingProbe>,
}

/// One camera setting: asked for, reported back, really delivered.
#[derive(Clone, Debug, PartialEq)]
pub struct SettingProbe {
    /// The setting's name, such as `height` or `frame_rate`.
    pub name: String,
    /// What was asked for.
    pub requested: f64,
    /// What the driver said.
    pub reported: f64,
    /// What came.
    pub actual: f64,
    /// Seconds until it came.
    pub response_secs: f64,
}

/// One input of a session.
#[derive(Clone, Debug, PartialEq)]
pub enum JournalEntry {
    /// A track appeared or changed (device, person behind it).
    TrackUpserted(Track),
    /// A track ended.
    TrackRemoved(TrackId),
    /// The face of a participant's reference image.
    ReferenceEnrolled {
        /// Whose reference.
        participant_id: ParticipantId,
        /// Its identity vector.
        embedding: Embedding,
    },
    /// One frame's measurements.
    Frame {
        /// Which track.
        track_id: TrackId,
        /// What was measured.
        observation: FrameObservation,
    },
    /// What is behind the participant of a camera, as one frame shows it.
    Scene {
        /// Which track.
        track_id: TrackId,
        /// Position of the frame on the media clock.
        at: MediaTime,
        /// The description, or why there is none.
        reading: SceneReading,
    },
    /// A track's samples up to here need no re-sending although the last of them gave no frame: shed, unreadable, not scored.
    Accounted {
        /// Which track.
        track_id: TrackId,
        /// Highest sequence that is done with.
        sequence: u64,
    },
    /// The interview ended; open segments close at the last media time.
    Finished {
        /// Server time since the session was opened.
        at: MediaTime,
    },
}
