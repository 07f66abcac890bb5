use super::{FaceTracker, TrackFrame, TrackerOptions};
use crate::media::MediaTime;
use crate::vision::canonical::synthetic_mesh;
use crate::vision::face::{Detection, FaceMesh, FaceTrackId};
use crate::vision::landmark::face_box;

/// A frontal face about 100 px wide, moved by so many pixels from the middle of 640x480.
fn face_at(x: f32, y: f32) -> FaceMesh {
    let mut mesh = synthetic_mesh(0.0, 0.0, 0.0, 100.0);
    for point in mesh.points_in_frame.iter_mut() {
        point[0] += x;
        point[1] += y;
    }
    mesh
}

fn detection_of(mesh: &FaceMesh) -> Detection {
    Detection { box_in_frame: face_box(mesh), confidence: 0.9 }
}

fn frame(millis: i64) -> TrackFrame {
    TrackFrame { media_time: MediaTime::from_millis(millis), width: 640, height: 480, scene_changed: false }
}

/// One frame in which the detector (when asked for) and the mesh model see exactly these faces, each where it is nearest.
fn step(tracker: &mut FaceTracker, frame: TrackFrame, faces: &[FaceMesh]) -> Vec<FaceTrackId> {
    let detections: Option<Vec<_>> = tracker.plan(frame).detect.then(|| faces.iter().map(detection_of).collect());
    let regions = tracker.begin(frame, detections.as_deref());
    let results = regions
        .iter()
        .map(|(id, roi)| {
            let distance = |mesh: &FaceMesh| {
                let (a, b) = (face_box(mesh).center(), roi.center());
                (a.x - b.x).hypot(a.y - b.y)
            };
            let nearest = faces.iter().min_by(|a, b| distance(a).total_cmp(&distance(b)));
            (*id, nearest.filter(|mesh| distance(mesh) < roi.side_px()).cloned())
        })
        .collect();
    tracker.finish(results).into_iter().map(|face| face.face_track).collect()
}

fn tracker() -> FaceTracker {
    FaceTracker::new(TrackerOptions::default())
}

#[test]
fn a_face_that_stays_keeps_its_track_and_the_detector_rests() {
    let mut tracker = tracker();
    let first = step(&mut tracker, frame(0), &[face_at(0.0, 0.0)]);
    assert_eq!(first.len(), 1);
    let mut detector_runs = 0;
    for i in 1..=30_u8 {
        let now = frame(i64::from(i) * 100);
        detector_runs += u32::from(tracker.plan(now).detect);
        assert_eq!(step(&mut tracker, now, &[face_at(f32::from(i) * 4.0, f32::from(i))]), first, "frame {i}");
    }
    assert_eq!(detector_runs, 2, "once past every second");
}

#[test]
fn a_lost_face_comes_back_under_another_track() {
    let mut tracker = tracker();
    let first = step(&mut tracker, frame(0), &[face_at(0.0, 0.0)]);
    assert!(step(&mut tracker, frame(100), &[]).is_empty());
    assert!(tracker.plan(frame(200)).detect, "nothing is followed");
    let second = step(&mut tracker, frame(200), &[face_at(0.0, 0.0)]);
    assert_eq!(second.len(), 1);
    assert_ne!(first, second);
}

#[test]
fn cuts_resolution_changes_gaps_and_time_jumps_end_every_track() {
    let breaks = [
        TrackFrame { scene_changed: true, ..frame(100) },
        TrackFrame { width: 1280, height: 720, ..frame(100) },
        frame(60_000),
        frame(-100),
    ];
    for broken in breaks {
        let mut tracker = tracker();
        let first = step(&mut tracker, frame(0), &[face_at(0.0, 0.0)]);
        assert!(tracker.plan(broken).detect, "{broken:?}");
        let second = step(&mut tracker, broken, &[face_at(0.0, 0.0)]);
        assert_eq!(second.len(), 1, "{broken:?}");
        assert_ne!(first, second, "{broken:?}");
    }
}

#[test]
fn a_face_that_jumps_or_grows_at_once_is_another_face() {
    let far = face_at(120.0, 0.0);
    let near = synthetic_mesh(0.0, 0.0, 0.0, 220.0);
    for other in [far, near] {
        let mut tracker = tracker();
        let start = frame(0);
        let id = step(&mut tracker, start, &[face_at(0.0, 0.0)])[0];
        tracker.begin(frame(100), None);
        assert!(tracker.finish(vec![(id, Some(other))]).is_empty());
        assert!(tracker.plan(frame(200)).detect);
    }
}

#[test]
fn faces_that_cross_both_end() {
    let mut tracker = tracker();
    let apart = step(&mut tracker, frame(0), &[face_at(-100.0, 0.0), face_at(100.0, 0.0)]);
    assert_eq!(apart.len(), 2);
    let mut seen = apart.clone();
    for i in 1..=20_u8 {
        let x = 100.0 - 10.0 * f32::from(i);
        seen = step(&mut tracker, frame(i64::from(i) * 50), &[face_at(-x, 0.0), face_at(x, 0.0)]);
    }
    assert_eq!(seen.len(), 2, "both are followed again");
    assert!(seen.iter().all(|id| !apart.contains(id)), "{apart:?} {seen:?}");
}

#[test]
fn two_faces_side_by_side_keep_their_tracks() {
    let mut tracker = tracker();
    let first = step(&mut tracker, frame(0), &[face_at(-120.0, 0.0), face_at(120.0, 0.0)]);
    for i in 1..=20_u8 {
        let sway = if i % 2 == 0 { 10.0 } else { -10.0 };
        let seen =
            step(&mut tracker, frame(i64::from(i) * 100), &[face_at(-120.0 + sway, 0.0), face_at(120.0 + sway, 0.0)]);
        assert_eq!(seen, first, "frame {i}");
    }
}

#[test]
fn a_face_that_the_detector_overlooks_twice_ends() {
    let mut tracker = tracker();
    let first = step(&mut tracker, frame(0), &[face_at(0.0, 0.0)]);
    let mesh = || vec![(first[0], Some(face_at(0.0, 0.0)))];
    tracker.begin(frame(1_100), Some(&[]));
    assert_eq!(tracker.finish(mesh()).len(), 1, "once may be a profile");
    assert!(tracker.plan(frame(1_200)).detect, "and is asked about at once");
    assert!(tracker.begin(frame(1_200), Some(&[])).is_empty());
    assert!(tracker.finish(mesh()).is_empty());
}

#[test]
fn weak_missing_and_unknown_results_are_no_faces() {
    let faint = FaceMesh { presence: 0.2, ..face_at(0.0, 0.0) };
    let broken = FaceMesh { presence: f32::NAN, ..face_at(0.0, 0.0) };
    let flat = FaceMesh { points_in_frame: Box::new([[f32::NAN; 3]; 468]), presence: 1.0 };
    for result in [Some(faint), Some(broken), Some(flat), None] {
        let mut tracker = tracker();
        let id = step(&mut tracker, frame(0), &[face_at(0.0, 0.0)])[0];
        tracker.begin(frame(100), None);
        assert!(tracker.finish(vec![(id, result)]).is_empty());
    }
    let mut tracker = tracker();
    step(&mut tracker, frame(0), &[face_at(0.0, 0.0)]);
    tracker.begin(frame(100), None);
    assert!(tracker.finish(vec![(FaceTrackId(99), Some(face_at(0.0, 0.0)))]).is_empty());
}

#[test]
fn the_number_of_faces_is_bounded_and_the_largest_win() {
    let mut tracker = tracker();
    let places = [-250.0, -125.0, 0.0, 125.0, 250.0];
    let mut faces: Vec<_> = places.iter().map(|x| face_at(*x, 0.0)).collect();
    faces[4] = {
        let mut small = synthetic_mesh(0.0, 0.0, 0.0, 60.0);
        small.points_in_frame.iter_mut().for_each(|point| point[0] += 250.0);
        small
    };
    let detections: Vec<_> = faces.iter().map(detection_of).collect();
    let regions = tracker.begin(frame(0), Some(&detections));
    assert_eq!(regions.len(), 4);
    assert!(regions.iter().all(|(_, roi)| roi.side_px() > 110.0), "the small face is ignored");
}

#[test]
fn a_frame_with_the_detector_hands_out_its_boxes() {
    let mut tracker = tracker();
    let mesh = face_at(0.0, 0.0);
    let regions = tracker.begin(frame(0), Some(&[detection_of(&mesh)]));
    let faces = tracker.finish(vec![(regions[0].0, Some(mesh.clone()))]);
    assert_eq!(faces[0].detection, Some(detection_of(&mesh)));
    let regions = tracker.begin(frame(100), None);
    let faces = tracker.finish(vec![(regions[0].0, Some(mesh))]);
    assert_eq!(faces[0].detection, None);
}

#[test]
fn a_mesh_that_the_detector_does_not_share_is_looked_for_where_the_face_is() {
    let mut tracker = tracker();
    step(&mut tracker, frame(0), &[face_at(0.0, 0.0)]);
    let followed = |tracker: &mut FaceTracker, at: TrackFrame, face: &FaceMesh| {
        let regions = tracker.begin(at, Some(&[detection_of(face)]));
        assert_eq!(regions.len(), 1, "the same face");
        let is_box = !regions[0].1.is_refined();
        tracker.finish(vec![(regions[0].0, Some(face.clone()))]);
        is_box
    };
    assert!(!followed(&mut tracker, frame(1_100), &face_at(5.0, 0.0)), "they agree");
    assert!(followed(&mut tracker, frame(2_200), &face_at(45.0, 0.0)), "half a face off");
}

#[test]
fn a_doubt_asks_the_detector_once() {
    let mut tracker = tracker();
    step(&mut tracker, frame(0), &[face_at(0.0, 0.0)]);
    assert!(!tracker.plan(frame(100)).detect);
    tracker.doubt();
    assert!(tracker.plan(frame(100)).detect);
    step(&mut tracker, frame(100), &[face_at(0.0, 0.0)]);
    assert!(!tracker.plan(frame(200)).detect);
}

#[test]
fn an_empty_picture_is_searched_in_parts_now_and_then() {
    let mut tracker = FaceTracker::new(TrackerOptions::default());
    let mut searched = Vec::new();
    for millis in (0..1_300).step_by(100) {
        let plan = tracker.plan(frame(millis));
        assert!(plan.detect, "nothing is followed");
        if plan.search_parts {
            tracker.parts_searched(frame(millis));
            searched.push(millis);
        }
        tracker.begin(frame(millis), Some(&[]));
    }
    assert_eq!(searched, [0, 600, 1_200]);
    assert!(tracker.plan(TrackFrame { scene_changed: true, ..frame(1_300) }).search_parts, "another picture");
    assert!(tracker.plan(frame(100)).search_parts, "a clock that went back");
}
