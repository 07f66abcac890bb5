//! A whole frame through the pipeline, from decoded pixels to measurements, by what the sampler asks for.
//!
//! The frame is a photograph of `BONAFIDE_TEST_MEDIA` (else of `~/.cache/bonafide/media`) in the middle of 1280x720.

mod support;

use std::hint::black_box;
use std::time::Duration;

use bonafide::inference::{Executor, Manifest};
use bonafide::media::{MediaLimits, MediaTime, RgbImage, VideoFrame, decode_still};
use bonafide::scoring::{Policy, Rates, Sampling};
use bonafide::service::{Pipeline, SampleContext};
use bonafide::session::{FaceModels, Standing, StillWish, Urgency};
use bonafide::signals::{FaceSearch, FrameObservation};
use criterion::{BenchmarkGroup, BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};

use support::CpuTime;

const WIDTH: u32 = 1_280;
const HEIGHT: u32 = 720;
/// Time between two frames of a usual camera.
const FRAME_INTERVAL: Duration = Duration::from_nanos(1_000_000_000 / 30);
/// Every frame.
const ALWAYS_HZ: f64 = 1_000.0;
/// Once in a run.
const NEVER_HZ: f64 = 1e-9;

/// The photograph on grey, its top edge at the frame's.
fn picture() -> Option<RgbImage> {
    let path = support::folder("BONAFIDE_TEST_MEDIA", "media")?.join("astronaut.png");
    let Ok(bytes) = std::fs::read(&path) else {
        eprintln!("SKIPPED: {} is not there; scripts/setup fetches it", path.display());
        return None;
    };
    let photograph = decode_still(&bytes, &MediaLimits::default()).expect("a picture");
    let (view, left) = (photograph.view(), (WIDTH - photograph.width()) / 2);
    let mut pixels = vec![128_u8; (WIDTH * HEIGHT * 3) as usize];
    for y in 0..view.height().min(HEIGHT) {
        let (from, to) = ((y * view.width() * 3) as usize, ((y * WIDTH + left) * 3) as usize);
        let row_bytes = view.width() as usize * 3;
        pixels[to..to + row_bytes].copy_from_slice(&photograph.pixels()[from..from + row_bytes]);
    }
    RgbImage::new(WIDTH, HEIGHT, pixels).ok()
}

/// How often faces are followed, and each model is run on them: identity, presentation, deepfake.
fn sampling([track_hz, embedding_hz, presentation_hz, deepfake_hz]: [f64; 4]) -> Sampling {
    Sampling {
        track_hz: Rates::always(track_hz),
        embedding_hz: Rates::always(embedding_hz),
        presentation_hz: Rates::always(presentation_hz),
        deepfake_hz: Rates::always(deepfake_hz),
        ..Policy::shipped().sampling
    }
}

/// What a frame must have had done to it, so that the row measures what its name says.
fn measured(observation: &FrameObservation) -> [bool; 4] {
    match &observation.faces {
        FaceSearch::NotRun => [false; 4],
        FaceSearch::Run(faces) => {
            let face = faces.first().expect("the photograph shows a face");
            [true, face.embedding.is_some(), face.presentation.is_some(), face.deepfake.is_some()]
        }
    }
}

fn frame(criterion: &mut Criterion<CpuTime>) {
    let manifest = Manifest::bundled().expect("a test holds that it is valid");
    let (Some(picture), Some(executor)) = (picture(), support::executor(&manifest)) else { return };
    let context = SampleContext {
        arrival: MediaTime::ZERO,
        missing_before: 0,
        shed_before: 0,
        urgency: Urgency { standing: Standing::Clear, doubts: FaceModels::NONE, settled: FaceModels::NONE },
        waited: Duration::ZERO,
        still: None,
        scene: false,
    };
    let rows = [
        ("no face search", [false; 4]),
        ("tracked", [true, false, false, false]),
        ("tracked, embedded", [true, true, false, false]),
        ("tracked, presentation", [true, false, true, false]),
        ("tracked, deepfake", [true, false, false, true]),
        ("everything", [true; 4]),
    ];
    let mut group = criterion.benchmark_group("frame_720p");
    group.throughput(Throughput::Elements(1));
    for (name, wanted) in rows {
        let sampling = sampling(wanted.map(|is_wanted| if is_wanted { ALWAYS_HZ } else { NEVER_HZ }));
        let limits = MediaLimits::default();
        let pipeline = Pipeline::new(executor.clone(), &manifest, limits, sampling).expect("a model for every task");
        let mut analyst = pipeline.analyst(None);
        let mut frame = VideoFrame::new(0, MediaTime::ZERO, picture.clone().into());
        let mut next = || {
            frame.sequence += 1;
            frame.media_time = frame.media_time.saturating_add(FRAME_INTERVAL);
            analyst.observe(black_box(&frame), &context).expect("models run")
        };
        // The first frame of a track has everything done to it.
        next();
        assert_eq!(measured(&next()), wanted, "{name}");
        group.bench_function(BenchmarkId::from_parameter(name), |bencher| bencher.iter(&mut next));
    }
    still(&mut group, &manifest, executor, &picture, context);
    group.finish();
}

/// A frame of which a still is taken, as once in ten seconds of a clear session and once a second of a suspicious one: to be
/// compared with the row "tracked".
fn still(
    group: &mut BenchmarkGroup<'_, CpuTime>,
    manifest: &Manifest,
    executor: Executor,
    picture: &RgbImage,
    context: SampleContext,
) {
    let sampling = sampling([ALWAYS_HZ, NEVER_HZ, NEVER_HZ, NEVER_HZ]);
    let pipeline = Pipeline::new(executor, manifest, MediaLimits::default(), sampling).expect("a model for every task");
    let mut analyst = pipeline.analyst(None);
    let wish = StillWish { every_secs: 0.0, good_every_secs: 0.0, face: None };
    let context = SampleContext { still: Some(wish), ..context };
    let mut frame = VideoFrame::new(0, MediaTime::ZERO, picture.clone().into());
    let mut next = || {
        frame.sequence += 1;
        frame.media_time = frame.media_time.saturating_add(FRAME_INTERVAL);
        analyst.look(black_box(&frame), &context).expect("models run").still.expect("a still")
    };
    let shot = next();
    println!(
        "a still: frame {} bytes, chip {} bytes",
        shot.frame.jpeg.len(),
        shot.chip.map_or(0, |chip| chip.jpeg.len())
    );
    group.bench_function(BenchmarkId::from_parameter("tracked, still"), |bencher| bencher.iter(&mut next));
}

criterion_group! {
    name = benches;
    config = Criterion::default().with_measurement(CpuTime);
    targets = frame
}
criterion_main!(benches);
