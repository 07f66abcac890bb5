//! Scores and segments. Whatever is not a finite number never reaches the wire as a verdict.

use std::borrow::Cow;
use std::collections::BTreeMap;

use crate::grpc::field::{self, FieldError};
use crate::grpc::name;
use crate::grpc::proto::v1;
use crate::scoring::{Authenticity, Level, Score, SignalEvidence};
use crate::session::{ParticipantId, Segment, SegmentState, SessionId};
use crate::signals::{Reason, SignalName};

/// A score for the wire.
pub(in crate::grpc) fn score_to_wire(participant_id: &ParticipantId, score: &Score) -> v1::Score {
    let is_finite = |value: &Authenticity| [value.value, value.low, value.high].into_iter().all(f64::is_finite);
    let authenticity = score.authenticity.filter(is_finite);
    // A CLEAR without its number would be a claim without evidence.
    let level = if authenticity.is_none() && score.level == Level::Clear { Level::Inconclusive } else { score.level };
    v1::Score {
        participant_id: participant_id.as_str().to_owned(),
        authenticity: authenticity.map(|authenticity| authenticity.value),
        authenticity_low: authenticity.map(|authenticity| authenticity.low),
        authenticity_high: authenticity.map(|authenticity| authenticity.high),
        level: level_to_wire(level).into(),
        signals: score.signals.iter().map(signal_to_wire).collect(),
        usable_face_time: super::secs_to_wire(score.usable_face_secs),
        window_start: super::secs_to_wire(score.window_start_secs),
        window_end: super::secs_to_wire(score.window_end_secs),
        policy: score.policy.clone(),
        engine: score.engine.to_string(),
        reasons: score.reasons.iter().map(reason_to_wire).collect(),
    }
}

/// A score as a client reads it; signals that this build does not know are left out.
pub(in crate::grpc) fn score_from_wire(score: v1::Score) -> Result<(ParticipantId, Score), FieldError> {
    let level = level_from_wire("level", score.level)?;
    let authenticity = match (score.authenticity, score.authenticity_low, score.authenticity_high) {
        (Some(value), Some(low), Some(high)) => Some(Authenticity {
            value: field::finite("authenticity", value)?,
            low: field::finite("authenticity_low", low)?,
            high: field::finite("authenticity_high", high)?,
        }),
        (None, _, _) => None,
        _ => return Err(FieldError::new("authenticity", "comes without its interval")),
    };
    let secs = |field, value| -> Result<f64, FieldError> {
        Ok(field::media_time(field, Some(Option::unwrap_or_default(value)))?.as_secs_f64())
    };
    let read = Score {
        authenticity,
        level,
        signals: score.signals.into_iter().filter_map(signal_from_wire).collect(),
        reasons: score.reasons.into_iter().map(reason_from_wire).collect(),
        usable_face_secs: secs("usable_face_time", score.usable_face_time)?,
        window_start_secs: secs("window_start", score.window_start)?,
        window_end_secs: secs("window_end", score.window_end)?,
        policy: score.policy,
        engine: score.engine.into(),
    };
    Ok((ParticipantId::new(&score.participant_id)?, read))
}

/// A segment for the wire.
pub(in crate::grpc) fn segment_to_wire(session: &SessionId, segment: &Segment) -> v1::Segment {
    let state = match segment.state {
        SegmentState::Open => v1::SegmentState::Open,
        SegmentState::Closed => v1::SegmentState::Closed,
    };
    v1::Segment {
        name: name::segment_name(session, segment.ordinal),
        participant_id: segment.participant_id.as_str().to_owned(),
        start: Some(super::duration_to_wire(segment.start)),
        end: Some(super::duration_to_wire(segment.end)),
        level: level_to_wire(segment.level).into(),
        signals: segment.signals.iter().map(signal_to_wire).collect(),
        state: state.into(),
    }
}

/// A segment as a client reads it.
pub(in crate::grpc) fn segment_from_wire(segment: v1::Segment) -> Result<Segment, FieldError> {
    let state = match field::known("state", segment.state)? {
        v1::SegmentState::Unspecified => return Err(FieldError::new("state", "is not set")),
        v1::SegmentState::Open => SegmentState::Open,
        v1::SegmentState::Closed => SegmentState::Closed,
    };
    Ok(Segment {
        ordinal: name::parse_segment("name", &segment.name)?.1,
        participant_id: ParticipantId::new(&segment.participant_id)?,
        start: field::media_time("start", segment.start)?,
        end: field::media_time("end", segment.end)?,
        level: level_from_wire("level", segment.level)?,
        state,
        signals: segment.signals.into_iter().filter_map(signal_from_wire).collect(),
    })
}

/// A level for the wire.
pub(super) const fn level_to_wire(level: Level) -> v1::Level {
    match level {
        Level::Inconclusive => v1::Level::Inconclusive,
        Level::Clear => v1::Level::Clear,
        Level::Suspicious => v1::Level::Suspicious,
        Level::Alert => v1::Level::Alert,
    }
}

/// A level as a client reads it.
pub(super) fn level_from_wire(field: &'static str, number: i32) -> Result<Level, FieldError> {
    match field::known(field, number)? {
        v1::Level::Unspecified => Err(FieldError::new(field, "is not set")),
        v1::Level::Inconclusive => Ok(Level::Inconclusive),
        v1::Level::Clear => Ok(Level::Clear),
        v1::Level::Suspicious => Ok(Level::Suspicious),
        v1::Level::Alert => Ok(Level::Alert),
    }
}

fn signal_to_wire(signal: &SignalEvidence) -> v1::Signal {
    v1::Signal {
        name: signal.name.as_str().to_owned(),
        llr: signal.llr.filter(|llr| llr.is_finite()),
        usable_ratio: if signal.usable_ratio.is_finite() { signal.usable_ratio.clamp(0.0, 1.0) } else { 0.0 },
        model: signal.model.as_deref().unwrap_or_default().to_owned(),
        reasons: signal.reasons.iter().map(reason_to_wire).collect(),
    }
}

fn signal_from_wire(signal: v1::Signal) -> Option<SignalEvidence> {
    Some(SignalEvidence {
        name: SignalName::from_name(&signal.name)?,
        llr: signal.llr.filter(|llr| llr.is_finite()),
        usable_ratio: signal.usable_ratio,
        model: (!signal.model.is_empty()).then_some(Cow::Owned(signal.model)),
        reasons: signal.reasons.into_iter().map(reason_from_wire).collect(),
    })
}

fn reason_to_wire(reason: &Reason) -> v1::Reason {
    let values = reason.values.iter().filter(|(_, value)| value.is_finite());
    v1::Reason {
        code: reason.code.clone().into_owned(),
        values: values.map(|(key, value)| (key.clone().into_owned(), *value)).collect(),
    }
}

fn reason_from_wire(reason: v1::Reason) -> Reason {
    let values: BTreeMap<_, _> = reason.values.into_iter().map(|(key, value)| (Cow::Owned(key), value)).collect();
    Reason { code: Cow::Owned(reason.code), values }
}

#[cfg(test)]
pub(super) mod tests {
    use crate::grpc::proto::v1;
    use crate::media::MediaTime;
    use crate::scoring::{Authenticity, Level, Score, SignalEvidence};
    use crate::session::{ParticipantId, Segment, SegmentState, SessionId};
    use crate::signals::{Reason, SignalName};

    use super::{score_from_wire, score_to_wire, segment_from_wire, segment_to_wire};

    pub(in crate::grpc::convert) fn score(level: Level, value: Option<f64>) -> Score {
        Score {
            authenticity: value.map(|value| Authenticity { value, low: 0.25, high: 0.75 }),
            level,
            signals: vec![SignalEvidence {
                name: SignalName::Identity,
                llr: Some(1.5),
                usable_ratio: 0.5,
                model: Some("models/face@abc".into()),
                reasons: vec![Reason::new("identity.same").with("similarity", 0.8)],
            }],
            reasons: vec![Reason::new("quality.face_too_small").with("face_height_px", 41.0)],
            usable_face_secs: 12.5,
            window_start_secs: 0.0,
            window_end_secs: 20.25,
            policy: "default@1".into(),
            engine: "bonafide 0.0.1".into(),
        }
    }

    fn someone() -> ParticipantId {
        ParticipantId::new("user-7").expect("valid")
    }

    #[test]
    fn scores_survive_the_round_trip() {
        for (level, value) in [(Level::Clear, Some(0.5)), (Level::Alert, Some(0.0)), (Level::Inconclusive, None)] {
            let score = score(level, value);
            assert_eq!(score_from_wire(score_to_wire(&someone(), &score)), Ok((someone(), score)));
        }
    }

    #[test]
    fn what_is_not_finite_never_reads_as_clear() {
        for value in [f64::NAN, f64::INFINITY] {
            let mut broken = score(Level::Clear, Some(value));
            broken.signals[0].llr = Some(value);
            broken.signals[0].usable_ratio = value;
            let wire = score_to_wire(&someone(), &broken);
            assert_eq!(wire.level, i32::from(v1::Level::Inconclusive));
            assert_eq!((wire.authenticity, wire.authenticity_low, wire.authenticity_high), (None, None, None));
            assert_eq!((wire.signals[0].llr, wire.signals[0].usable_ratio), (None, 0.0));
        }
        let alert = score_to_wire(&someone(), &score(Level::Alert, Some(f64::NAN)));
        assert_eq!(alert.level, i32::from(v1::Level::Alert), "an alert is not softened");
    }

    #[test]
    fn an_unset_level_is_refused() {
        let mut wire = score_to_wire(&someone(), &score(Level::Clear, Some(0.5)));
        for number in [0, 99] {
            wire.level = number;
            assert_eq!(score_from_wire(wire.clone()).expect_err("unset").field, "level");
        }
    }

    #[test]
    fn segments_survive_the_round_trip() {
        let segment = Segment {
            ordinal: 3,
            participant_id: someone(),
            start: MediaTime::from_millis(-20),
            end: MediaTime::from_millis(4_500),
            level: Level::Suspicious,
            state: SegmentState::Closed,
            signals: score(Level::Clear, None).signals,
        };
        let session = SessionId::new("interview-7").expect("valid");
        let wire = segment_to_wire(&session, &segment);
        assert_eq!(wire.name, "sessions/interview-7/segments/3");
        assert_eq!(segment_from_wire(wire), Ok(segment));
    }
}
