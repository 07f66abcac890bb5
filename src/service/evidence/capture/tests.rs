use std::sync::OnceLock;
use std::time::Duration;

use super::{CHIP_SIDE_PX, Camera, FRAME_SIDE_PX, MAX_PICTURE_BYTES, Shot};
use crate::media::{MediaLimits, MediaTime, RgbImage, decode_still};
use crate::session::StillWish;
use crate::signals::testing::{face, frame_at};
use crate::signals::{FaceObservation, FaceSearch, FrameObservation};
use crate::vision::{BoxPx, FaceMesh, FaceTrackId, MESH_POINTS, TrackedFace};

const WIDTH: u32 = 1_280;
const HEIGHT: u32 = 720;
const WISH: StillWish = StillWish { every_secs: 10.0, good_every_secs: 1.0, face: None };

/// Left half dark, right half noise; nothing that any model would take for a face.
fn picture() -> &'static RgbImage {
    static PICTURE: OnceLock<RgbImage> = OnceLock::new();
    PICTURE.get_or_init(made_picture)
}

fn made_picture() -> RgbImage {
    let mut state = 1_u32;
    let pixels = (0..WIDTH * HEIGHT).flat_map(|at| {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        [if at % WIDTH < WIDTH / 2 { 30 } else { state.to_be_bytes()[0] }; 3]
    });
    RgbImage::new(WIDTH, HEIGHT, pixels.collect()).expect("size fits")
}

fn tracked(face: &FaceObservation) -> TrackedFace {
    let center = face.box_in_frame.center();
    TrackedFace {
        face_track: face.face_track,
        box_in_frame: face.box_in_frame,
        mesh: FaceMesh { points_in_frame: Box::new([[center.x, center.y, 0.0]; MESH_POINTS]), presence: 1.0 },
        detection: None,
    }
}

fn frame(at: f64, faces: Vec<FaceObservation>) -> (FrameObservation, Vec<TrackedFace>) {
    let tracked = faces.iter().map(tracked).collect();
    let mut observation = frame_at(at);
    observation.faces = FaceSearch::Run(faces);
    (observation, tracked)
}

fn take(camera: &mut Camera, at: f64, faces: Vec<FaceObservation>, wish: StillWish) -> Option<Shot> {
    let (observation, tracked) = frame(at, faces);
    camera.take(picture().into(), &observation, &tracked, (wish, Duration::ZERO)).expect("encodes")
}

#[test]
fn a_still_is_a_small_frame_and_the_face_in_it() {
    let shot = take(&mut Camera::default(), 3.0, vec![face()], WISH).expect("the first is taken");
    let limits = MediaLimits::default();
    let frame = decode_still(&shot.frame.jpeg, &limits).expect("is a picture");
    assert_eq!((frame.width(), frame.height()), (u32::from(FRAME_SIDE_PX), 360));
    assert_eq!((shot.frame.width_px, shot.frame.height_px), (frame.width(), frame.height()));
    let chip = shot.chip.as_ref().expect("a face");
    let pixels = decode_still(&chip.jpeg, &limits).expect("is a picture");
    assert_eq!((pixels.width(), pixels.height()), (256, 256));
    assert!(pixels.width() <= u32::from(CHIP_SIDE_PX));
    assert!(shot.frame.jpeg.len() <= MAX_PICTURE_BYTES && chip.jpeg.len() <= MAX_PICTURE_BYTES);
    assert_eq!(shot.look.n_bytes as usize, shot.frame.jpeg.len() + chip.jpeg.len());
    assert_eq!(shot.look.at, MediaTime::from_millis(3_000));
    let known = shot.facts.face.as_ref().expect("a face");
    // 240..400, 120..280 in a frame of twice the size.
    assert_eq!(known.box_in_frame, BoxPx { left: 120.0, top: 60.0, right: 200.0, bottom: 140.0 });
    let outline = known.outline.as_ref().expect("a mesh");
    assert!(outline.oval.iter().all(|point| (point.x - 160.0).abs() < 0.1 && (point.y - 100.0).abs() < 0.1));
    let square = known.chip_in_frame.expect("a chip");
    assert!((square.width() - 128.0).abs() < 1.0 && square.contains(&known.box_in_frame.center()));
}

#[test]
fn stills_are_as_far_apart_as_is_wished() {
    let mut camera = Camera::default();
    let taken = |camera: &mut Camera, faces: &dyn Fn() -> Vec<FaceObservation>, wish| {
        (0..200).filter(|tick| take(camera, f64::from(*tick) / 10.0, faces(), wish).is_some()).count()
    };
    assert_eq!(taken(&mut camera, &|| vec![face()], WISH), 20, "good ones every second");
    let mut dark = face();
    dark.quality.exposure = 0.01;
    assert_eq!(taken(&mut Camera::default(), &|| vec![dark.clone()], WISH), 2, "others every ten");
    assert_eq!(taken(&mut Camera::default(), &Vec::new, WISH), 2, "as those without a face");
    // A clock that goes back begins anew.
    assert!(take(&mut camera, 1.0, vec![face()], WISH).is_some());
}

#[test]
fn a_server_that_is_behind_takes_half_as_many() {
    let mut camera = Camera::default();
    let late = Duration::from_millis(61);
    let n_taken = (0..20).filter(|secs| {
        let (observation, tracked) = frame(f64::from(*secs), vec![face()]);
        camera.take(picture().into(), &observation, &tracked, (WISH, late)).expect("encodes").is_some()
    });
    assert_eq!(n_taken.count(), 10);
}

#[test]
fn frames_in_which_nobody_looked_for_faces_are_not_kept() {
    let outcome = Camera::default().take(picture().into(), &frame_at(0.0), &[], (WISH, Duration::ZERO));
    assert_eq!(outcome.expect("no failure"), None);
}

#[test]
fn the_followed_face_is_cut_out_and_not_the_largest() {
    let mut beside = face();
    beside.face_track = FaceTrackId(9);
    beside.box_in_frame = BoxPx { left: 800.0, top: 300.0, right: 900.0, bottom: 400.0 };
    let wish = StillWish { face: Some(FaceTrackId(9)), ..WISH };
    let shot = take(&mut Camera::default(), 0.0, vec![face(), beside.clone()], wish).expect("taken");
    let known = shot.facts.face.expect("a face");
    assert!((known.box_in_frame.left - 400.0).abs() < 0.1 && shot.facts.n_faces == 2, "{known:?}");
    let gone = StillWish { face: Some(FaceTrackId(77)), ..WISH };
    let shot = take(&mut Camera::default(), 0.0, vec![face(), beside], gone).expect("taken");
    assert!((shot.facts.face.expect("a face").box_in_frame.left - 120.0).abs() < 0.1, "the largest when it is gone");
}

#[test]
fn what_is_no_number_spoils_no_still() {
    let mut broken = face();
    broken.box_in_frame.left = f32::NAN;
    broken.quality.sharpness = f32::NAN;
    let shot = take(&mut Camera::default(), 0.0, vec![broken], WISH).expect("taken");
    assert!(shot.chip.is_none() && shot.look.quality <= 0.0 && !shot.look.is_good);
    assert_eq!(shot.facts.face.expect("a face").box_in_frame, BoxPx::default());
}
