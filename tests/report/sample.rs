//! A made-up session with everything in it; no measurement of any person.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::io::Cursor;

use bonafide::audit::{Action, Actor, ActorKind, Event, GENESIS, Outcome, link};
use bonafide::media::MediaTime;
use bonafide::scoring::{Authenticity, Level, Policy, Score, SignalEvidence};
use bonafide::service::ports::{
    AuditRow, Decision, DecisionKind, JournalDigest, LogEnd, Mark, MarkVerdict, Review, ReviewState, ReviewSummary,
    Timeline, TimelinePoint,
};
use bonafide::service::{ParticipantView, ReportContent, ReportPicture, ReportStill, SecondReviewer, SessionView};
use bonafide::session::{
    CandidateId, EvidenceMode, GapCause, ParticipantId, Segment, SegmentState, SessionId, StillGap, StillSubject,
};
use bonafide::signals::{Reason, SignalName};
use jiff::Timestamp;

pub(crate) fn time(secs: i64) -> Timestamp {
    Timestamp::new(1_790_000_000 + secs, 123_456_000).expect("in range")
}

pub(crate) fn participant(id: &str) -> ParticipantId {
    ParticipantId::new(id).expect("a good id")
}

fn media_time(secs: f64) -> MediaTime {
    MediaTime::from_secs_f64(secs).expect("finite")
}

fn signal(name: SignalName, llr: Option<f64>, usable_ratio: f64, reasons: Vec<Reason>) -> SignalEvidence {
    let model = match name {
        SignalName::Identity => {
            Some("models/mobilefacenet@4f1c8e0e6b1f4a0f9f0f6f3c1c7d3a86d8d26c38f4b7f1b0e5f6a7b8c9d0e1f2")
        }
        SignalName::Presentation => {
            Some("models/presentation@aa11bb22cc33dd44ee55ff66007788990011aabb22cc33dd44ee55ff66778899")
        }
        SignalName::Deepfake => {
            Some("models/deepfake@00ff11ee22dd33cc44bb55aa6699778800ff11ee22dd33cc44bb55aa66997788")
        }
        SignalName::Motion | SignalName::Presence | SignalName::Stream => None,
    };
    SignalEvidence { name, llr, usable_ratio, model: model.map(Cow::Borrowed), reasons }
}

fn score(
    level: Level,
    authenticity: Option<Authenticity>,
    signals: Vec<SignalEvidence>,
    reasons: Vec<Reason>,
) -> Score {
    Score {
        authenticity,
        level,
        signals,
        reasons,
        usable_face_secs: 2_481.4,
        window_start_secs: 0.0,
        window_end_secs: 2_702.6,
        policy: "default@5".to_owned(),
        engine: Cow::Borrowed("bonafide 0.1.0"),
    }
}

pub(crate) fn suspicious_signals() -> Vec<SignalEvidence> {
    vec![
        signal(
            SignalName::Identity,
            Some(-5.2),
            0.93,
            vec![
                Reason::new("identity.changed").with("at_secs", 1_214.4).with("similarity", 0.08),
                Reason::new("identity.matches_reference").with("similarity", 0.71),
            ],
        ),
        signal(
            SignalName::Presentation,
            Some(1.84),
            0.88,
            vec![Reason::new("presentation.model").with("attack_score", 0.03).with("blocks", 2_210.0)],
        ),
        signal(
            SignalName::Deepfake,
            Some(-0.61),
            0.81,
            vec![Reason::new("deepfake.model").with("attack_score", 0.34).with("blocks", 2_105.0)],
        ),
        signal(
            SignalName::Motion,
            Some(0.9),
            0.94,
            vec![Reason::new("motion.within_face").with("of_typical_ratio", 0.97)],
        ),
        signal(
            SignalName::Presence,
            Some(-0.3),
            1.0,
            vec![
                Reason::new("presence.no_face").with("secs", 12.5),
                Reason::new("presence.second_face").with("secs", 3.1),
            ],
        ),
        signal(SignalName::Stream, Some(1.1), 1.0, vec![Reason::new("stream.clock").with("interval_millis", 33.0)]),
    ]
}

fn open_signals() -> Vec<SignalEvidence> {
    vec![
        signal(SignalName::Identity, None, 0.0, vec![Reason::new("identity.too_short")]),
        signal(SignalName::Presentation, None, 0.0, vec![Reason::new("presentation.not_measured")]),
        signal(SignalName::Stream, Some(0.4), 1.0, vec![Reason::new("stream.clock").with("interval_millis", 40.0)]),
    ]
}

/// A score that falls at a quarter past the twentieth minute.
fn timeline() -> Vec<TimelinePoint> {
    (0..226)
        .map(|step| {
            let at_secs = f64::from(step) * 12.0 + 2.6;
            let wobble = 0.02 * (at_secs / 37.0).sin();
            let (value, half) = match at_secs {
                at if at < 40.0 => (f64::NAN, 0.0),
                at if at < 1_214.0 => (0.94 + wobble, 0.25 * (40.0 / at).sqrt()),
                at => ((0.9 * (-(at - 1_214.0) / 60.0).exp()).max(0.14) + wobble, 0.12),
            };
            let authenticity = value.is_finite().then(|| Authenticity {
                value,
                low: (value - half).max(0.0),
                high: (value + half / 2.0).min(1.0),
            });
            TimelinePoint { at_secs, level: Level::Clear, authenticity }
        })
        .collect()
}

fn segment(ordinal: u32, span: (f64, f64), level: Level) -> Segment {
    Segment {
        ordinal,
        participant_id: participant("candidate"),
        start: media_time(span.0),
        end: media_time(span.1),
        level,
        state: SegmentState::Closed,
        signals: suspicious_signals(),
    }
}

fn event(secs: i64, actor: (ActorKind, &str), action: Action) -> Event {
    let (kind, name) = actor;
    Event::done(
        time(secs),
        "default",
        Actor { kind, name: name.to_owned() },
        action,
        "sessions/backend-2026-11".to_owned(),
    )
}

/// The newest of these is the report's own.
fn log() -> Vec<AuditRow> {
    let events = [
        event(0, (ActorKind::ApiKey, "platform"), Action::SessionCreate).with("consent_reference", "consent/4711"),
        event(2_710, (ActorKind::ApiKey, "platform"), Action::SessionFinish),
        event(6_000, (ActorKind::User, "anna"), Action::SessionView),
        event(6_050, (ActorKind::User, "anna"), Action::ReviewAssign).with("assignee", "anna"),
        event(6_200, (ActorKind::User, "anna"), Action::ReviewMark).with("segment", "1").with("verdict", "dismissed"),
        event(6_300, (ActorKind::User, "anna"), Action::ReviewMark).with("segment", "2").with("verdict", "confirmed"),
        event(6_320, (ActorKind::User, "carl"), Action::SessionDelete),
        event(6_400, (ActorKind::User, "anna"), Action::ReviewDecide)
            .with("decision", "clarify")
            .with("state", "decided"),
        event(7_000, (ActorKind::User, "anna"), Action::ReportExport),
    ];
    let mut rows: Vec<_> = (4_711..).zip(events).map(|(sequence, event)| AuditRow { sequence, event }).collect();
    rows[6].event.outcome = Outcome::Denied;
    rows
}

/// A small picture of no person.
pub(crate) fn jpeg(width: u32, seed: u8) -> Vec<u8> {
    let picture = image::RgbImage::from_fn(width, 120, |x, y| {
        image::Rgb([seed.wrapping_add(u8::try_from(x / 2).unwrap_or(0)), u8::try_from(y * 2).unwrap_or(0), 128])
    });
    let mut bytes = Cursor::new(Vec::new());
    picture.write_to(&mut bytes, image::ImageFormat::Jpeg).expect("encodes");
    bytes.into_inner()
}

fn still(ordinal: u32, segment: Option<u32>, at_secs: f64) -> ReportStill {
    let seed = u8::try_from(ordinal * 40).unwrap_or(0);
    ReportStill {
        ordinal,
        participant_id: participant("candidate"),
        segment,
        at: media_time(at_secs),
        frame: ReportPicture::new(jpeg(160, seed)),
        chip: (ordinal != 2).then(|| ReportPicture::new(jpeg(120, seed))),
        face_box: Some([0.35, 0.2, 0.65, 0.75]),
        outline: vec![
            vec![[0.5, 0.22], [0.64, 0.5], [0.5, 0.74], [0.36, 0.5]],
            vec![[0.42, 0.4], [0.47, 0.4], [0.45, 0.43]],
        ],
        presentation_score: (ordinal != 1).then_some(0.03),
        deepfake_score: Some(0.34),
    }
}

/// Two marks and a decision.
fn review() -> Review {
    Review {
        summary: ReviewSummary { state: ReviewState::Decided, assignee: "anna".to_owned(), is_held: false },
        marks: vec![
            Mark {
                ordinal: 1,
                verdict: MarkVerdict::Dismissed,
                note: "The candidate bent down to pick up a pen; the camera lost the face for a moment.".to_owned(),
                by: "user:anna".to_owned(),
                time: time(6_200),
            },
            Mark {
                ordinal: 2,
                verdict: MarkVerdict::Confirmed,
                note:
                    "Another man sits down at 20:14 and goes on answering in the first person.\nThe room is the same."
                        .to_owned(),
                by: "user:anna".to_owned(),
                time: time(6_300),
            },
        ],
        decisions: vec![Decision {
            ordinal: 1,
            kind: DecisionKind::Clarify,
            note:
                "Asked for a second interview with an identity check, on the phone with the candidate on 21 September."
                    .to_owned(),
            by: "user:anna".to_owned(),
            time: time(6_400),
        }],
    }
}

/// A suspicious session with two participants.
pub(crate) fn content() -> ReportContent {
    let candidate = score(
        Level::Suspicious,
        Some(Authenticity { value: 0.17, low: 0.04, high: 0.36 }),
        suspicious_signals(),
        vec![Reason::new("segment.worst").with("start_secs", 1_210.0).with("end_secs", 1_236.5)],
    );
    let mut panel = score(
        Level::Inconclusive,
        None,
        open_signals(),
        vec![Reason::new("evidence.too_little_face_time").with("usable_face_secs", 2.4).with("secs_needed", 5.0)],
    );
    panel.usable_face_secs = 2.4;
    panel.window_end_secs = 31.0;
    let review = review();
    let audit = log();
    let log_end = LogEnd { sequence: 4_719, hash: link(&GENESIS, "made up") };
    ReportContent {
        made: time(7_000),
        made_by: Actor { kind: ActorKind::User, name: "anna".to_owned() },
        engine: "bonafide 0.1.0".to_owned(),
        levels: Some(Policy::shipped().levels),
        session: SessionView {
            id: SessionId::new("backend-2026-11").expect("a good id"),
            display_name: "Backend engineer, second round".to_owned(),
            external_ref: "REQ-2026-0417".to_owned(),
            candidate: Some(CandidateId::new("ats-4711").expect("a good id")),
            consent_reference: "consent/4711".to_owned(),
            evidence: EvidenceMode::Stills,
            labels: BTreeMap::from([
                ("team".to_owned(), "platform".to_owned()),
                ("batch".to_owned(), "autumn".to_owned()),
            ]),
            policy: "default@5".to_owned(),
            create_time: time(0),
            end_time: Some(time(2_710)),
            expire_time: Some(time(90 * 86_400)),
            etag: "r1".to_owned(),
            level: Level::Suspicious,
            review: review.summary.clone(),
            participants: vec![
                ParticipantView { participant_id: participant("candidate"), score: candidate },
                ParticipantView { participant_id: participant("panel-2"), score: panel },
            ],
        },
        timelines: vec![
            Timeline { participant_id: participant("candidate"), points: timeline() },
            Timeline {
                participant_id: participant("panel-2"),
                points: vec![
                    TimelinePoint { at_secs: 3.0, level: Level::Inconclusive, authenticity: None },
                    TimelinePoint { at_secs: 31.0, level: Level::Inconclusive, authenticity: None },
                ],
            },
        ],
        segments: vec![
            segment(1, (301.0, 318.2), Level::Suspicious),
            segment(2, (1_210.0, 1_236.5), Level::Alert),
            segment(3, (1_950.5, 1_953.1), Level::Suspicious),
        ],
        n_segments: 3,
        review,
        second_reviewer: SecondReviewer::Decline,
        stills: vec![
            still(1, None, 3.2),
            still(2, None, 5.9),
            still(3, Some(2), 1_211.0),
            still(4, Some(2), 1_214.4),
            still(5, Some(2), 1_220.3),
        ],
        n_stills: 5,
        gaps: vec![
            StillGap {
                participant_id: participant("panel-2"),
                shows: StillSubject::Enrolment,
                cause: GapCause::NoPicture,
            },
            StillGap {
                participant_id: participant("candidate"),
                shows: StillSubject::Segment(3),
                cause: GapCause::Full,
            },
        ],
        journal: JournalDigest { n_entries: 16_214, sha256: link(&GENESIS, "journal") },
        n_audit_rows: audit.len() as u64,
        audit,
        log_end,
    }
}
