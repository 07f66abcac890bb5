//! Stills and what has none.

use bytes::Bytes;

use crate::grpc::field::FieldError;
use crate::grpc::name;
use crate::grpc::proto::v1;
use crate::service::{PictureInfo, SessionStills, StillFace, StillPart, StillView};
use crate::session::{GapCause, SessionId, StillGap, StillSubject};
use crate::vision::{BoxPx, PointPx};

use super::duration_to_wire;
use super::session::timestamp_to_wire;

/// All that a session has to show, for the wire.
pub(in crate::grpc) fn stills_to_wire(id: &SessionId, stills: SessionStills) -> v1::ListStillsResponse {
    v1::ListStillsResponse {
        stills: stills.stills.into_iter().map(|still| still_to_wire(id, still)).collect(),
        gaps: stills.gaps.iter().map(|gap| gap_to_wire(id, gap)).collect(),
    }
}

/// The part that a caller wants.
pub(in crate::grpc) fn still_part_from_wire(field: &'static str, part: i32) -> Result<StillPart, FieldError> {
    match v1::StillPart::try_from(part) {
        Ok(v1::StillPart::Frame) => Ok(StillPart::Frame),
        Ok(v1::StillPart::Chip) => Ok(StillPart::Chip),
        Ok(v1::StillPart::Unspecified) | Err(_) => {
            Err(FieldError::new(field, "is not set or not known: use STILL_PART_FRAME or STILL_PART_CHIP"))
        }
    }
}

fn still_to_wire(id: &SessionId, still: StillView) -> v1::Still {
    v1::Still {
        name: name::still_name(id, still.ordinal),
        participant_id: still.participant_id.as_str().to_owned(),
        segment: subject_to_wire(id, still.shows),
        media_time: Some(duration_to_wire(still.media_time)),
        keep_time: Some(timestamp_to_wire(still.keep_time)),
        frame: Some(picture_to_wire(still.frame)),
        chip: still.chip.map(picture_to_wire),
        face_count: still.facts.n_faces,
        face: still.facts.face.map(face_to_wire),
    }
}

fn subject_to_wire(id: &SessionId, shows: StillSubject) -> String {
    match shows {
        StillSubject::Enrolment => String::new(),
        StillSubject::Segment(ordinal) => name::segment_name(id, ordinal),
    }
}

fn picture_to_wire(picture: PictureInfo) -> v1::PictureInfo {
    v1::PictureInfo {
        width_px: picture.width_px,
        height_px: picture.height_px,
        size_bytes: picture.n_bytes,
        sha256: Bytes::copy_from_slice(&picture.sha256),
    }
}

fn face_to_wire(face: StillFace) -> v1::StillFace {
    let line = |points: &[PointPx]| v1::StillLine {
        points: points.iter().map(|point| v1::StillPoint { x: point.x, y: point.y }).collect(),
    };
    v1::StillFace {
        r#box: Some(box_to_wire(face.box_in_frame)),
        chip: face.chip_in_frame.map(box_to_wire),
        outline: face.outline.map(|outline| outline.lines().map(line).to_vec()).unwrap_or_default(),
        confidence: face.confidence,
        yaw_deg: face.pose.map(|pose| pose.yaw_deg),
        pitch_deg: face.pose.map(|pose| pose.pitch_deg),
        roll_deg: face.pose.map(|pose| pose.roll_deg),
        face_height_px: face.quality.face_height_px,
        sharpness: face.quality.sharpness,
        exposure: face.quality.exposure,
        clipped_ratio: face.quality.clipped_ratio,
        outside_ratio: face.quality.outside_ratio,
        occlusion_ratio: face.quality.occlusion_ratio,
        presentation_attack_score: face.presentation_score,
        deepfake_attack_score: face.deepfake_score,
    }
}

fn box_to_wire(area: BoxPx) -> v1::StillBox {
    v1::StillBox { left: area.left, top: area.top, right: area.right, bottom: area.bottom }
}

fn gap_to_wire(id: &SessionId, gap: &StillGap) -> v1::StillGap {
    let cause = match gap.cause {
        GapCause::NoImages => v1::StillGapCause::NoImages,
        GapCause::NoPicture => v1::StillGapCause::NoPicture,
        GapCause::Full => v1::StillGapCause::Full,
        GapCause::NotKept => v1::StillGapCause::NotKept,
        GapCause::Expired => v1::StillGapCause::Expired,
        GapCause::Broken => v1::StillGapCause::Broken,
    };
    v1::StillGap {
        participant_id: gap.participant_id.as_str().to_owned(),
        segment: subject_to_wire(id, gap.shows),
        cause: cause.into(),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::{gap_to_wire, still_part_from_wire};
    use crate::session::{GapCause, ParticipantId, SessionId, StillGap, StillSubject};

    #[test]
    fn unset_and_unknown_parts_are_refused() {
        for number in [0, -1, 99] {
            assert_eq!(still_part_from_wire("part", number).expect_err("is refused").field, "part");
        }
    }

    #[test]
    fn every_cause_has_a_number_of_its_own() {
        let id = SessionId::new("abcd-1").expect("valid");
        let numbers: BTreeSet<i32> = GapCause::ALL
            .into_iter()
            .map(|cause| {
                let participant_id = ParticipantId::new("candidate").expect("valid");
                let gap = gap_to_wire(&id, &StillGap { participant_id, shows: StillSubject::Segment(2), cause });
                assert_eq!(gap.segment, "sessions/abcd-1/segments/2");
                gap.cause
            })
            .collect();
        assert!(numbers.len() == GapCause::ALL.len() && !numbers.contains(&0));
    }
}
