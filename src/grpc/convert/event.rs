//! What a live session tells its streams.

use std::time::Duration;

use crate::grpc::field::{self, FieldError};
use crate::grpc::proto::v1;
use crate::grpc::status;
use crate::service::{Acknowledgement, EndCause, FrameTiming, SampleProblem};
use crate::session::{Pacing, TrackId};

/// A pacing hint for the wire; what is not a finite number asks for nothing.
pub(in crate::grpc) fn pacing_to_wire(pacing: &Pacing) -> v1::PacingHint {
    let is_rate = pacing.frames_per_second.is_finite() && pacing.frames_per_second >= 0.0;
    v1::PacingHint {
        track_id: pacing.track_id.as_str().to_owned(),
        frames_per_second: if is_rate { pacing.frames_per_second } else { 0.0 },
        min_height: pacing.min_height_px,
        want_audio: pacing.wants_audio,
    }
}

/// A pacing hint as a client reads it.
pub(in crate::grpc) fn pacing_from_wire(pacing: &v1::PacingHint) -> Result<Pacing, FieldError> {
    Ok(Pacing {
        track_id: TrackId::new(&pacing.track_id)?,
        frames_per_second: field::finite("frames_per_second", pacing.frames_per_second)?,
        min_height_px: pacing.min_height,
        wants_audio: pacing.want_audio,
    })
}

/// An acknowledgement for the wire, with the time since the sample arrived if it is known.
pub(in crate::grpc) fn ack_to_wire(ack: &Acknowledgement, processing_time: Option<Duration>) -> v1::Ack {
    v1::Ack {
        track_id: ack.track_id.as_str().to_owned(),
        sequence: ack.sequence,
        dropped_frames: ack.dropped_frames,
        resume_token: ack.resume_token.clone(),
        processing_time: processing_time.map(super::length_to_wire),
        timing: ack.timing.map(timing_to_wire),
    }
}

fn timing_to_wire(timing: FrameTiming) -> v1::FrameTiming {
    let FrameTiming { queue, decode, preprocess, device, postprocess } = timing;
    let [queue, decode, preprocess, device, postprocess] =
        [queue, decode, preprocess, device, postprocess].map(|length| Some(super::length_to_wire(length)));
    v1::FrameTiming { queue, decode, preprocess, device, postprocess }
}

/// What a client reads of it; `None` when a part is no length of time.
fn timing_from_wire(timing: v1::FrameTiming) -> Option<FrameTiming> {
    let length = |length: Option<prost_types::Duration>| Duration::try_from(length.unwrap_or_default()).ok();
    Some(FrameTiming {
        queue: length(timing.queue)?,
        decode: length(timing.decode)?,
        preprocess: length(timing.preprocess)?,
        device: length(timing.device)?,
        postprocess: length(timing.postprocess)?,
    })
}

/// An acknowledgement as a client reads it.
pub(in crate::grpc) fn ack_from_wire(ack: v1::Ack) -> Result<Acknowledgement, FieldError> {
    Ok(Acknowledgement {
        track_id: TrackId::new(&ack.track_id)?,
        sequence: ack.sequence,
        dropped_frames: ack.dropped_frames,
        resume_token: ack.resume_token,
        timing: ack.timing.and_then(timing_from_wire),
    })
}

/// A sample problem for the wire.
pub(in crate::grpc) fn problem_to_wire(problem: &SampleProblem) -> v1::SampleError {
    sample_error(
        &status::of_kind(problem.kind, &problem.message),
        problem.track_id.as_str().to_owned(),
        problem.sequence,
    )
}

/// A sample error with the details of `status`.
pub(in crate::grpc) fn sample_error(status: &tonic::Status, track_id: String, sequence: u64) -> v1::SampleError {
    // The details of a tonic status are an encoded google.rpc.Status already; without details there are no bytes.
    let decoded = <tonic_types::Status as prost::Message>::decode(status.details()).unwrap_or_default();
    let status = tonic_types::Status {
        code: i32::from(status.code()),
        message: status.message().to_owned(),
        details: decoded.details,
    };
    v1::SampleError { status: Some(status), track_id, sequence }
}

/// The last message of a stream.
pub(in crate::grpc) fn ended_to_wire(cause: Option<EndCause>, resume_token: String) -> v1::StreamEnded {
    let cause = match cause {
        None => v1::StreamEndCause::InputEnded,
        Some(EndCause::Finished) => v1::StreamEndCause::SessionFinished,
        Some(EndCause::Deleted) => v1::StreamEndCause::SessionDeleted,
        Some(EndCause::Draining) => v1::StreamEndCause::Draining,
        Some(EndCause::TakenOver) => v1::StreamEndCause::TakenOver,
        Some(EndCause::Failed) => v1::StreamEndCause::Failed,
    };
    v1::StreamEnded { cause: cause.into(), resume_token }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use tonic_types::StatusExt as _;

    use crate::error::ErrorKind;
    use crate::grpc::field::FieldError;
    use crate::grpc::proto::v1;
    use crate::grpc::status;
    use crate::service::{Acknowledgement, EndCause, FrameTiming, SampleProblem};
    use crate::session::{Pacing, TrackId};

    use super::{
        ack_from_wire, ack_to_wire, ended_to_wire, pacing_from_wire, pacing_to_wire, problem_to_wire, sample_error,
    };

    fn track() -> TrackId {
        TrackId::new("camera-1").expect("valid")
    }

    #[test]
    fn pacing_survives_the_round_trip_and_is_finite() {
        let pacing = Pacing { track_id: track(), frames_per_second: 2.5, min_height_px: 480, wants_audio: true };
        assert_eq!(pacing_from_wire(&pacing_to_wire(&pacing)), Ok(pacing.clone()));
        let broken = Pacing { frames_per_second: f64::NAN, ..pacing };
        assert!(pacing_to_wire(&broken).frames_per_second.abs() < f64::EPSILON);
    }

    #[test]
    fn acks_survive_the_round_trip() {
        let timing = FrameTiming {
            queue: Duration::from_millis(3),
            device: Duration::from_micros(11_500),
            ..FrameTiming::default()
        };
        let ack = Acknowledgement {
            track_id: track(),
            sequence: 9,
            dropped_frames: 2,
            resume_token: "token".into(),
            timing: Some(timing),
        };
        let wire = ack_to_wire(&ack, Some(Duration::from_millis(1_250)));
        assert_eq!(wire.processing_time, Some(prost_types::Duration { seconds: 1, nanos: 250_000_000 }));
        assert_eq!(ack_from_wire(wire), Ok(ack));
    }

    #[test]
    fn sample_errors_carry_place_code_and_field() {
        let problem = SampleProblem {
            track_id: track(),
            sequence: 4,
            kind: ErrorKind::InvalidInput,
            message: "data: not a readable JPEG".into(),
        };
        let wire = problem_to_wire(&problem);
        let status = wire.status.expect("set");
        assert_eq!((wire.track_id.as_str(), wire.sequence, status.code), ("camera-1", 4, 3));
        assert!(status.message.contains("JPEG"));
        let refused = status::of_field(&FieldError::new("video.format", "99 is not known"));
        let wire = sample_error(&refused, "camera-1".into(), 5);
        let details = wire.status.expect("set").details;
        assert_eq!(details.len(), refused.get_error_details_vec().len());
        assert!(!details.is_empty());
    }

    #[test]
    fn every_end_has_its_cause() {
        let cause = |cause| ended_to_wire(cause, "token".into()).cause();
        assert_eq!(cause(None), v1::StreamEndCause::InputEnded);
        assert_eq!(cause(Some(EndCause::Finished)), v1::StreamEndCause::SessionFinished);
        assert_eq!(cause(Some(EndCause::Deleted)), v1::StreamEndCause::SessionDeleted);
        assert_eq!(cause(Some(EndCause::Draining)), v1::StreamEndCause::Draining);
        assert_eq!(cause(Some(EndCause::TakenOver)), v1::StreamEndCause::TakenOver);
        assert_eq!(cause(Some(EndCause::Failed)), v1::StreamEndCause::Failed);
    }
}
