//! Made-up values for tests; no measurement of any person.

use std::collections::BTreeMap;

use jiff::Timestamp;

use crate::audit::{Action, Actor, Event};
use crate::media::{MediaTime, PictureStats};
use crate::scoring::{Authenticity, Level, Score, SignalEvidence};
use crate::service::ports::{ReviewSummary, SessionCommit, SessionRecord};
use crate::session::{
    CandidateId, CaptureDevice, EvidenceMode, JournalEntry, ParticipantId, Segment, SegmentState, SessionId,
    SessionName, SettingProbe, SourceKind, TenantId, Track, TrackId,
};
use crate::signals::{FaceObservation, FaceSearch, FrameObservation, Reason, SignalName};
use crate::vision::{
    BoxPx, DeepfakeOutput, Embedding, FaceQuality, FaceShape, FaceTrackId, HeadPose, PresentationOutput,
};

pub(super) fn tenant() -> TenantId {
    TenantId::default()
}

/// A session of [`tenant`].
pub(super) fn named(id: &str) -> SessionName {
    SessionName { tenant: tenant(), id: SessionId::new(id).expect("a good id") }
}

/// What the audit log is told in tests.
pub(super) fn said() -> Event {
    Event::done(time(0), "default", Actor::system("test"), Action::SessionUpdate, "sessions/abcd-1".to_owned())
}

pub(super) fn participant(id: &str) -> ParticipantId {
    ParticipantId::new(id).expect("a good id")
}

pub(super) fn track(id: &str) -> TrackId {
    TrackId::new(id).expect("a good id")
}

/// A second of the year 2026.
pub(super) fn time(secs: i64) -> Timestamp {
    Timestamp::new(1_790_000_000 + secs, 123_456_000).expect("in range")
}

pub(super) fn record(session: &str, created_secs: i64) -> SessionRecord {
    SessionRecord {
        name: named(session),
        display_name: "Backend engineer, second round".to_owned(),
        external_ref: "req-17".to_owned(),
        candidate: Some(CandidateId::new("ats-4711").expect("a good id")),
        consent_reference: "consent/4711".to_owned(),
        evidence: EvidenceMode::Stills,
        labels: BTreeMap::from([("team".to_owned(), "platform".to_owned())]),
        policy: "default@3".to_owned(),
        create_time: time(created_secs),
        end_time: None,
        expire_time: None,
        revision: 1,
        resume_secret: "00112233445566778899aabbccddeeff".to_owned(),
        journal_len: 0,
        review: ReviewSummary::default(),
        participants: Vec::new(),
    }
}

pub(super) fn score(level: Level, seed: u32) -> Score {
    let share = f64::from(seed) / 13.0;
    Score {
        authenticity: (level != Level::Inconclusive).then_some(Authenticity {
            value: share,
            low: share / 3.0,
            high: share + 0.1,
        }),
        level,
        signals: vec![
            SignalEvidence {
                name: SignalName::Identity,
                llr: Some(-1.0 / f64::from(seed + 1)),
                usable_ratio: 0.7,
                model: Some("models/example@00ff".into()),
                reasons: vec![Reason::new("identity.changed").with("similarity", 0.12).with("at_secs", 31.4)],
            },
            SignalEvidence { name: SignalName::Motion, llr: None, usable_ratio: 0.0, model: None, reasons: Vec::new() },
        ],
        reasons: vec![Reason::new("session.usable_face").with("secs", f64::from(seed))],
        usable_face_secs: f64::from(seed) * 0.1,
        window_start_secs: 0.0,
        window_end_secs: f64::from(seed),
        policy: "default@3".to_owned(),
        engine: "bonafide 0.0.1".into(),
    }
}

pub(super) fn segment(ordinal: u32, state: SegmentState) -> Segment {
    Segment {
        ordinal,
        participant_id: participant("candidate"),
        start: MediaTime::from_millis(i64::from(ordinal) * 1_000),
        end: MediaTime::from_millis(i64::from(ordinal) * 1_000 + 500),
        level: Level::Suspicious,
        state,
        signals: score(Level::Suspicious, ordinal).signals,
    }
}

/// A unit vector that compresses as badly as a real one.
pub(super) fn embedding(seed: u32, n_values: u32) -> Embedding {
    let values: Vec<f32> = (0..n_values)
        .map(|index| {
            let mixed = (seed.wrapping_mul(0x9e37_79b9) ^ index).wrapping_mul(0x85eb_ca6b);
            ((mixed >> 8) % 100_000) as f32 / 50_000.0 - 1.0
        })
        .collect();
    Embedding::from_raw(&values).expect("has a direction")
}

pub(super) fn frame(sequence: u32) -> JournalEntry {
    let share = sequence as f32 / 7.0;
    JournalEntry::Frame {
        track_id: track("camera"),
        observation: FrameObservation {
            sequence: u64::from(sequence),
            media_time: MediaTime::from_millis(i64::from(sequence) * 33),
            arrival: MediaTime::from_millis(i64::from(sequence) * 33 + 5),
            missing_before: 1,
            shed_before: 0,
            picture: PictureStats {
                width_px: 640,
                height_px: 480,
                mean_luma: share,
                luma_deviation: share / 3.0,
                change_levels: Some(f32::MIN_POSITIVE),
                average_hash: 0xf0f0_1234_5678_9abc,
            },
            faces: FaceSearch::Run(vec![face(sequence)]),
        },
    }
}

fn face(seed: u32) -> FaceObservation {
    let share = seed as f32 / 11.0;
    FaceObservation {
        face_track: FaceTrackId(seed),
        box_in_frame: BoxPx { left: -1.5, top: share, right: 120.25, bottom: 240.125 },
        confidence: 0.1 + share,
        pose: Some(HeadPose { yaw_deg: -0.0, pitch_deg: share, roll_deg: 3.3 }),
        shape: Some(FaceShape {
            left_eye_ratio: 0.31,
            right_eye_ratio: 0.32,
            mouth_ratio: 0.01,
            mouth_width_ratio: 0.55,
            left_brow_ratio: 0.2,
            right_brow_ratio: 0.21,
            jaw_ratio: share,
        }),
        quality: FaceQuality {
            face_height_px: 200.5,
            sharpness: 812.3,
            exposure: 0.47,
            clipped_ratio: 0.001,
            outside_ratio: 0.0,
            occlusion_ratio: 0.02,
        },
        embedding: Some(embedding(seed, 512)),
        presentation: Some(PresentationOutput { attack_score: 0.02, context_ratio: 0.9 }),
        deepfake: Some(DeepfakeOutput { attack_score: 0.07 }),
    }
}

/// Every kind of entry, with every optional part once there and once not.
pub(super) fn entries() -> Vec<JournalEntry> {
    let device = CaptureDevice {
        label: "Example Camera".to_owned(),
        platform: "browser/example 1".to_owned(),
        probes: vec![SettingProbe {
            name: "height".to_owned(),
            requested: 720.0,
            reported: 720.0,
            actual: 480.0,
            response_secs: 0.25,
        }],
    };
    let on_track =
        |kind, device| Track { track_id: track("camera"), participant_id: participant("candidate"), kind, device };
    let JournalEntry::Frame { track_id, observation } = frame(3) else { unreachable!("made above") };
    let mut bare = face(4);
    bare.pose = None;
    bare.shape = None;
    bare.embedding = None;
    bare.deepfake = None;
    bare.presentation = Some(PresentationOutput { attack_score: 0.9, context_ratio: f32::INFINITY });
    let with_faces = |faces| JournalEntry::Frame {
        track_id: track_id.clone(),
        observation: FrameObservation { faces, ..observation.clone() },
    };
    vec![
        JournalEntry::TrackUpserted(on_track(SourceKind::Camera, Some(device))),
        JournalEntry::TrackUpserted(on_track(SourceKind::Screen, None)),
        JournalEntry::TrackUpserted(on_track(SourceKind::Microphone, Some(CaptureDevice::default()))),
        JournalEntry::ReferenceEnrolled { participant_id: participant("candidate"), embedding: embedding(1, 128) },
        frame(2),
        with_faces(FaceSearch::NotRun),
        with_faces(FaceSearch::Run(Vec::new())),
        with_faces(FaceSearch::Run(vec![bare, face(5)])),
        JournalEntry::TrackRemoved(track("camera")),
        JournalEntry::Finished { at: MediaTime::from_nanos(-1) },
    ]
}

/// One second of an interview: a frame, a score, now and then a segment.
pub(super) fn commit(session: &str, expected_journal_len: u64) -> SessionCommit {
    let sequence = u32::try_from(expected_journal_len).expect("tests are short");
    SessionCommit {
        name: named(session),
        expected_journal_len,
        journal: vec![frame(sequence)],
        scores: vec![(participant("candidate"), score(Level::Clear, sequence))],
        segments: Vec::new(),
        stills: Vec::new(),
        still_gaps: Vec::new(),
        end_time: None,
        audit: Vec::new(),
    }
}
