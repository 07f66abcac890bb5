//! What a descriptor promises: people do not matter, cameras may move, bare walls say nothing.

use rand::rngs::StdRng;
use rand::{RngExt as _, SeedableRng as _};

use super::{MAX_FEATURES, MIN_FEATURES, SceneBytesError, SceneDescriptor, SceneGap, compare};
use crate::media::RgbImage;
use crate::vision::geometry::BoxPx;

const WIDTH: u32 = 640;
const HEIGHT: u32 = 480;
const FACE: BoxPx = BoxPx { left: 270.0, top: 150.0, right: 370.0, bottom: 280.0 };

/// A room: boxes of random place, size and level, smoothed as a lens does. Seen through `frame_from_view`.
struct Room {
    boxes: Vec<([f32; 4], f32)>,
}

impl Room {
    fn new(seed: u64) -> Self {
        let mut random = StdRng::seed_from_u64(seed);
        let boxes = (0..160)
            .map(|_| {
                let (x, y) = (random.random_range(-40.0..680.0), random.random_range(-40.0..520.0));
                let (width, height) = (random.random_range(8.0..90.0), random.random_range(8.0..70.0));
                ([x, y, x + width, y + height], random.random_range(20.0..235.0))
            })
            .collect();
        Self { boxes }
    }

    /// What a camera sees: `zoom` larger, from `(x, y)` on, with four samples a pixel; `light` changes levels.
    fn view(&self, zoom: f32, from: (f32, f32), light: impl Fn(f32) -> f32) -> RgbImage {
        self.sized((WIDTH, HEIGHT), zoom, from, light)
    }

    fn sized(
        &self,
        (width, height): (u32, u32),
        zoom: f32,
        (x, y): (f32, f32),
        light: impl Fn(f32) -> f32,
    ) -> RgbImage {
        let (columns, rows) = (2 * width as usize, 2 * height as usize);
        let mut samples = vec![128.0; columns * rows];
        for ([left, top, right, bottom], level) in &self.boxes {
            let at = |edge: f32, from: f32, last: usize| (((edge - from) * zoom * 2.0).max(0.0) as usize).min(last);
            for row in at(*top, y, rows)..at(*bottom, y, rows) {
                samples[row * columns + at(*left, x, columns)..row * columns + at(*right, x, columns)].fill(*level);
            }
        }
        let pixels = (0..rows / 2).flat_map(|row| (0..columns / 2).map(move |column| (2 * row, 2 * column)));
        let pixels = pixels.flat_map(|(row, column)| {
            let places = [(row, column), (row, column + 1), (row + 1, column), (row + 1, column + 1)];
            let sum: f32 = places.iter().map(|(row, column)| samples[row * columns + column]).sum();
            [light(sum / 4.0).clamp(0.0, 255.0) as u8; 3]
        });
        RgbImage::new(width, height, pixels.collect()).expect("size fits")
    }

    fn plainly(&self) -> RgbImage {
        self.view(1.0, (0.0, 0.0), |level| level)
    }
}

fn described(picture: &RgbImage, people: &[BoxPx]) -> SceneDescriptor {
    SceneDescriptor::of(picture.view().into(), people).expect("the image library works").expect("has a background")
}

fn gap(picture: &RgbImage, people: &[BoxPx]) -> Option<SceneGap> {
    SceneDescriptor::of(picture.view().into(), people).expect("the image library works").err()
}

/// Paints a whole person, as wide as what is left out, with whatever it is given.
fn with_person(picture: &RgbImage, mut level: impl FnMut(u32, u32) -> u8) -> RgbImage {
    let mut pixels = picture.pixels().to_vec();
    let (face_width, face_height) = (FACE.width(), FACE.height());
    for (at, pixel) in pixels.chunks_exact_mut(3).enumerate() {
        let (x, y) = ((at % WIDTH as usize) as u32, (at / WIDTH as usize) as u32);
        let (across, down) = ((x as f32 - FACE.center().x).abs() / face_width, (y as f32 - FACE.bottom) / face_height);
        let reach = if down < 0.0 { 0.9 } else { 0.9 + down.min(1.8) * 0.75 };
        if y as f32 > FACE.top - 0.5 * face_height && across < reach {
            pixel.fill(level(x, y));
        }
    }
    RgbImage::new(WIDTH, HEIGHT, pixels).expect("size fits")
}

#[test]
fn pixels_of_a_person_never_matter() {
    let room = Room::new(1).plainly();
    let mut random = StdRng::seed_from_u64(2);
    let noise = with_person(&room, |_, _| random.random());
    let stripes = with_person(&room, |x, y| if (x / 6 + y / 9) % 2 == 0 { 250 } else { 5 });
    let black = with_person(&room, |_, _| 0);
    let first = described(&noise, &[FACE]);
    assert_eq!(first.to_bytes(), described(&stripes, &[FACE]).to_bytes());
    assert_eq!(first.to_bytes(), described(&black, &[FACE]).to_bytes());
    assert_ne!(first.to_bytes(), described(&stripes, &[]).to_bytes(), "without a face the person is background");
}

#[test]
fn one_place_is_known_again() {
    let room = Room::new(3);
    let first = described(&room.plainly(), &[]);
    let check = |name: &str, other: &SceneDescriptor, least: f32| {
        let found = compare(&first, other);
        assert!(found.score >= least && !found.is_mirrored, "{name}: {found:?}");
        assert!(found.n_matched >= 12, "{name}: {found:?}");
    };
    check("itself", &first, 0.99);
    let darker = room.view(1.0, (0.0, 0.0), |level| level * 0.55 + 4.0);
    check("darker", &described(&darker, &[]), 0.5);
    let curved = room.view(1.0, (0.0, 0.0), |level| (level / 255.0).powf(1.5) * 255.0);
    check("another gamma", &described(&curved, &[]), 0.5);
    check("nearer and to the side", &described(&room.view(1.25, (60.0, 40.0), |level| level), &[]), 0.3);
    check("farther", &described(&room.view(0.8, (-30.0, -20.0), |level| level), &[]), 0.3);
    let behind = described(&with_person(&room.plainly(), |_, _| 90), &[FACE]);
    check("with a person before it", &behind, 0.2);
    let half = room.sized((WIDTH / 2, HEIGHT / 2), 0.5, (0.0, 0.0), |level| level);
    check("half as large", &described(&half, &[]), 0.2);
}

#[test]
fn a_mirror_image_is_the_same_place() {
    let room = Room::new(4).plainly();
    let rows = room.pixels().chunks_exact(WIDTH as usize * 3);
    let pixels =
        rows.flat_map(|row| row.as_chunks::<3>().0.iter().rev().copied().flatten().collect::<Vec<u8>>()).collect();
    let mirror = RgbImage::new(WIDTH, HEIGHT, pixels).expect("size fits");
    let (first, second) = (described(&room, &[]), described(&mirror, &[]));
    let found = compare(&first, &second);
    assert!(found.is_mirrored && found.score > 0.8, "{found:?}");
    assert!(compare(&first.mirrored(), &second).score > 0.8);
    assert_eq!(first.mirrored().mirrored(), first);
}

#[test]
fn different_places_hardly_agree() {
    let rooms: Vec<SceneDescriptor> = (10..18).map(|seed| described(&Room::new(seed).plainly(), &[])).collect();
    for (at, first) in rooms.iter().enumerate() {
        for second in rooms.iter().skip(at + 1) {
            let found = compare(first, second);
            assert!(found.score < 0.12, "{found:?}");
        }
    }
}

#[test]
fn what_says_nothing_is_told_by_its_reason() {
    let picture = |level: fn(u32, u32) -> u8| {
        let places = (0..HEIGHT).flat_map(|y| (0..WIDTH).map(move |x| (x, y)));
        RgbImage::new(WIDTH, HEIGHT, places.flat_map(|(x, y)| [level(x, y); 3]).collect()).expect("size fits")
    };
    assert_eq!(gap(&picture(|_, _| 180), &[]), Some(SceneGap::Plain), "a bare wall");
    assert_eq!(gap(&picture(|x, y| (100 + x / 10 + y / 20) as u8), &[FACE]), Some(SceneGap::Plain), "a lit wall");
    assert_eq!(gap(&picture(|x, _| if x < 300 { 60 } else { 190 }), &[]), Some(SceneGap::Plain), "an edge");
    let poster = |x: u32, y: u32| {
        if (500..560).contains(&x) && (40..90).contains(&y) { (x * 37 % 97 * 2 + y * 53 % 61) as u8 } else { 170 }
    };
    assert_eq!(gap(&picture(poster), &[]), Some(SceneGap::Plain), "one poster is no place");
    assert_eq!(gap(&picture(|x, y| ((x / 9 + y / 7) % 3) as u8), &[]), Some(SceneGap::Hidden), "all black bars");
    let dark = |x: u32, y: u32| if (x, y) == (320, 240) { 60 } else { (10 + (x / 60 + y / 60) % 2) as u8 };
    assert!(matches!(gap(&picture(dark), &[]), Some(SceneGap::Dark | SceneGap::Hidden)));
    let near = BoxPx { left: 100.0, top: 40.0, right: 540.0, bottom: 460.0 };
    assert_eq!(gap(&Room::new(5).plainly(), &[near]), Some(SceneGap::Hidden));
    assert_eq!(gap(&RgbImage::new(1, 1, vec![0; 3]).expect("size fits"), &[]), Some(SceneGap::TooSmall));
    let names: std::collections::BTreeSet<_> = SceneGap::ALL.iter().map(|gap| gap.name()).collect();
    assert_eq!(names.len(), SceneGap::ALL.len());
}

#[test]
fn faces_without_a_place_are_no_reason_to_look_at_people() {
    let room = Room::new(6).plainly();
    for broken in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY] {
        assert_eq!(gap(&room, &[FACE, BoxPx { right: broken, ..FACE }]), Some(SceneGap::PersonUnknown));
    }
    assert_eq!(gap(&room, &[BoxPx { top: 300.0, ..FACE }]), Some(SceneGap::PersonUnknown), "upside down");
}

#[test]
fn a_picture_has_one_descriptor() {
    let room = Room::new(7).plainly();
    let (first, second) = (described(&room, &[FACE]), described(&room, &[FACE]));
    assert_eq!(first, second);
    assert!((MIN_FEATURES..=MAX_FEATURES).contains(&first.features().len()));
    assert!(!format!("{first:?}").contains("code"), "counts only");
}

#[test]
fn what_was_kept_compares_as_what_was_not() {
    let (first, other) = (described(&Room::new(8).plainly(), &[]), described(&Room::new(9).plainly(), &[FACE]));
    let bytes = first.to_bytes();
    assert!(bytes.len() <= 6 * 1024, "{}", bytes.len());
    let kept = SceneDescriptor::from_bytes(&bytes).expect("is one");
    assert_eq!(kept, first);
    assert_eq!(compare(&kept, &other), compare(&first, &other));
}

#[test]
fn other_bytes_are_refused() {
    let bytes = described(&Room::new(8).plainly(), &[]).to_bytes();
    let damaged = |bytes: &[u8]| matches!(SceneDescriptor::from_bytes(bytes), Err(SceneBytesError::Damaged { .. }));
    for length in 0..bytes.len() {
        assert!(damaged(&bytes[..length]), "{length}");
    }
    assert!(damaged(&[bytes.as_slice(), &[0]].concat()));
    let changed = |at: usize, to: u8| {
        let mut bytes = bytes.clone();
        bytes[at] = to;
        bytes
    };
    assert_eq!(SceneDescriptor::from_bytes(&changed(4, 2)), Err(SceneBytesError::Version { found: 2 }));
    for (at, to) in [(0, b'X'), (5, 0), (6, 255), (9, 255), (10, 255), (12, 255), (14, 255)] {
        assert!(damaged(&changed(at, to)), "byte {at}");
    }
    let mut random = StdRng::seed_from_u64(1);
    for _ in 0..2_000 {
        // Whatever is read is in range, and comparing it does not fail.
        let at = random.random_range(11..bytes.len());
        if let Ok(read) = SceneDescriptor::from_bytes(&changed(at, random.random())) {
            assert!(compare(&read, &read).score <= 1.0);
        }
    }
}
