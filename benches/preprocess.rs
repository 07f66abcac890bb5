//! Time of each `prepare` on a frame of 1280x720, in RGB and in the planes of video: what a frame costs before a model sees it.

mod support;

use std::hint::black_box;

use bonafide::media::{
    FrameDecoder, MediaLimits, MediaTime, Picture, PictureView, PixelLayout, RgbImage, Rotation, Thumbnail,
    VideoFormat, VideoSample, encode_i420,
};
use bonafide::vision::scene::SceneDescriptor;
use bonafide::vision::{
    BoxPx, Detection, FaceRoi, PointPx, align_face, detection, embedding, face_quality, mesh, presentation,
};
use criterion::{Criterion, criterion_group, criterion_main};

use support::CpuTime;

const WIDTH: u32 = 1280;
const HEIGHT: u32 = 720;
/// A face as large as in a usual interview, and one close to the camera, which is reduced before it is warped.
const FACE: BoxPx = BoxPx { left: 540.0, top: 200.0, right: 740.0, bottom: 460.0 };
const CLOSE_FACE: BoxPx = BoxPx { left: 400.0, top: 60.0, right: 880.0, bottom: 660.0 };

/// A picture with some structure everywhere.
fn frame() -> RgbImage {
    let level = |value: u32| u8::try_from(value % 256).unwrap_or(0);
    let pixels = (0..HEIGHT)
        .flat_map(|y| (0..WIDTH).flat_map(move |x| [level(x * 3 + y), level(y * 5), level(x ^ y)]))
        .collect();
    RgbImage::new(WIDTH, HEIGHT, pixels).expect("size fits")
}

fn roi(box_in_frame: BoxPx) -> FaceRoi {
    FaceRoi::from_detection(&Detection { box_in_frame, confidence: 1.0 }).expect("the box has a size")
}

/// The same picture as video brings it.
fn as_video(frame: &RgbImage) -> Picture {
    let layout = PixelLayout { width: WIDTH, height: HEIGHT, ..PixelLayout::default() };
    let sample = VideoSample {
        sequence: 0,
        media_time: MediaTime::ZERO,
        format: Some(VideoFormat::I420),
        layout: Some(layout),
        rotation: Rotation::None,
        keyframe: true,
        data: encode_i420(frame.view()).into(),
    };
    FrameDecoder::new(MediaLimits::default(), None).decode(&sample).expect("a picture").remove(0).picture
}

fn preprocess(criterion: &mut Criterion<CpuTime>) {
    let frame = frame();
    for (name, picture) in [("RGB", Picture::from(frame.clone())), ("I420", as_video(&frame))] {
        prepare(criterion, name, picture.view());
    }
}

fn prepare(criterion: &mut Criterion<CpuTime>, name: &str, view: PictureView<'_>) {
    let points =
        [(590.0, 290.0), (690.0, 294.0), (640.0, 350.0), (600.0, 400.0), (682.0, 403.0)].map(|(x, y)| PointPx { x, y });
    let chip = align_face(view, &points).expect("points are a face");
    let mut group = criterion.benchmark_group(format!("prepare 1280x720 {name}"));
    group.bench_function("thumbnail", |bencher| bencher.iter(|| Thumbnail::of(black_box(view))));
    let mut input = vec![0.0; 3 * 320 * 240];
    group.bench_function("detection", |bencher| bencher.iter(|| detection::prepare(black_box(view), &mut input)));
    let mut input = vec![0.0; 192 * 192 * 3];
    for (name, face) in [("mesh", FACE), ("mesh, close face", CLOSE_FACE)] {
        let roi = roi(face);
        group.bench_function(name, |bencher| bencher.iter(|| mesh::prepare(black_box(view), &roi, &mut input)));
    }
    group.bench_function("align", |bencher| bencher.iter(|| align_face(black_box(view), &points)));
    let mut input = vec![0.0; 3 * 112 * 112];
    group.bench_function("embedding", |bencher| bencher.iter(|| embedding::prepare(black_box(&chip), &mut input)));
    let mut input = vec![0.0; 2 * 3 * 128 * 128];
    group.bench_function("presentation", |bencher| {
        bencher.iter(|| presentation::prepare(black_box(view), &FACE, &mut input));
    });
    group.bench_function("scene", |bencher| {
        bencher.iter(|| SceneDescriptor::of(black_box(view), &[FACE]).expect("the image library works"));
    });
    group.bench_function("quality", |bencher| bencher.iter(|| face_quality(black_box(view), &FACE, None)));
    group.finish();
}

criterion_group! {
    name = benches;
    config = Criterion::default().with_measurement(CpuTime);
    targets = preprocess
}
criterion_main!(benches);
