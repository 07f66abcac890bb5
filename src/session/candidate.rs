//! Which of the faces in the picture is the candidate's.

use crate::media::MediaTime;
use crate::signals::FaceObservation;
use crate::vision::FaceTrackId;

/// Seconds for which the candidate's place is kept for a face that is out of sight.
const KEEP_SECS: f64 = 1.0;
/// A face must be so much larger than the candidate's to take over while both are seen.
const TAKE_OVER_AREA_RATIO: f32 = 2.5;
/// Seconds for which it must have been.
const TAKE_OVER_SECS: f64 = 2.0;

/// Follows the candidate: the largest face near the middle, kept while it is there.
///
/// Choosing wrongly is not hidden: whoever is chosen is compared with the person before.
#[derive(Clone, Debug, Default)]
pub(super) struct CandidateFollower {
    current: Option<(FaceTrackId, MediaTime)>,
    rival: Option<(FaceTrackId, MediaTime)>,
}

impl CandidateFollower {
    /// The face that was the candidate's last.
    pub(super) fn face(&self) -> Option<FaceTrackId> {
        self.current.map(|(track, _)| track)
    }

    /// The candidate's face among those of one frame.
    pub(super) fn choose<'a>(
        &mut self,
        at: MediaTime,
        width_px: u32,
        faces: &'a [FaceObservation],
    ) -> Option<&'a FaceObservation> {
        let best = faces.iter().max_by(|a, b| prominence(a, width_px).total_cmp(&prominence(b, width_px)))?;
        let followed = self.current.and_then(|(track, _)| faces.iter().find(|face| face.face_track == track));
        let chosen = match (followed, self.current) {
            (Some(followed), _) => {
                if self.rival_takes_over(at, followed, best) {
                    best
                } else {
                    followed
                }
            }
            (None, Some((_, last_seen))) if at.secs_since(last_seen) < KEEP_SECS && is_small_beside(best, faces) => {
                return None;
            }
            _ => best,
        };
        self.current = Some((chosen.face_track, at));
        Some(chosen)
    }

    fn rival_takes_over(&mut self, at: MediaTime, followed: &FaceObservation, best: &FaceObservation) -> bool {
        let is_rival = best.face_track != followed.face_track
            && best.box_in_frame.area() > followed.box_in_frame.area() * TAKE_OVER_AREA_RATIO;
        if !is_rival {
            self.rival = None;
            return false;
        }
        let since = match self.rival {
            Some((track, since)) if track == best.face_track => since,
            _ => at,
        };
        self.rival = Some((best.face_track, since));
        at.secs_since(since) >= TAKE_OVER_SECS
    }
}

/// Whether the best face is only a bystander: there are several and none stands out.
fn is_small_beside(best: &FaceObservation, faces: &[FaceObservation]) -> bool {
    faces.iter().any(|face| {
        face.face_track != best.face_track && face.box_in_frame.area() * TAKE_OVER_AREA_RATIO > best.box_in_frame.area()
    })
}

/// Area, less for faces away from the middle of the picture.
#[expect(clippy::cast_precision_loss, reason = "picture widths are far below 2^24")]
fn prominence(face: &FaceObservation, width_px: u32) -> f32 {
    let half_width = (width_px as f32 / 2.0).max(1.0);
    let off_center = ((face.box_in_frame.center().x - half_width) / half_width).abs().min(1.0);
    face.box_in_frame.area() * (1.0 - 0.5 * off_center)
}

#[cfg(test)]
mod tests {
    use crate::media::MediaTime;
    use crate::signals::testing::face;
    use crate::vision::{BoxPx, FaceTrackId};

    use super::CandidateFollower;
    use super::FaceObservation;

    fn face_of(track: u32, left: f32, size: f32) -> FaceObservation {
        let mut face = face();
        face.face_track = FaceTrackId(track);
        face.box_in_frame = BoxPx { left, top: 100.0, right: left + size, bottom: 100.0 + size };
        face
    }

    fn at(secs: f64) -> MediaTime {
        MediaTime::from_secs_f64(secs).expect("finite")
    }

    #[test]
    fn the_largest_central_face_is_chosen_and_kept() {
        let mut follower = CandidateFollower::default();
        let faces = [face_of(1, 240.0, 160.0), face_of(2, 0.0, 170.0)];
        assert_eq!(follower.choose(at(0.0), 640, &faces).expect("one").face_track, FaceTrackId(1));
        let grown = [face_of(1, 240.0, 120.0), face_of(2, 200.0, 180.0)];
        assert_eq!(follower.choose(at(0.1), 640, &grown).expect("one").face_track, FaceTrackId(1), "kept");
    }

    #[test]
    fn a_much_larger_face_takes_over_after_a_while() {
        let mut follower = CandidateFollower::default();
        follower.choose(at(0.0), 640, &[face_of(1, 240.0, 80.0)]);
        let both = [face_of(1, 400.0, 80.0), face_of(2, 200.0, 200.0)];
        assert_eq!(follower.choose(at(0.5), 640, &both).expect("one").face_track, FaceTrackId(1));
        assert_eq!(follower.choose(at(3.0), 640, &both).expect("one").face_track, FaceTrackId(2));
    }

    #[test]
    fn whoever_is_alone_is_the_candidate() {
        let mut follower = CandidateFollower::default();
        follower.choose(at(0.0), 640, &[face_of(1, 240.0, 160.0)]);
        assert_eq!(follower.choose(at(0.2), 640, &[face_of(2, 240.0, 160.0)]).expect("one").face_track, FaceTrackId(2));
    }
}
