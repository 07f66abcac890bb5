//! Time of each `prepare` on a frame of 1280x720: what every frame costs before a model sees it.

mod support;

use std::hint::black_box;

use bonafide::media::RgbImage;
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

fn preprocess(criterion: &mut Criterion<CpuTime>) {
    let frame = frame();
    let view = frame.view().into();
    let points =
        [(590.0, 290.0), (690.0, 294.0), (640.0, 350.0), (600.0, 400.0), (682.0, 403.0)].map(|(x, y)| PointPx { x, y });
    let chip = align_face(view, &points).expect("points are a face");
    let mut group = criterion.benchmark_group("prepare 1280x720");
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
    group.bench_function("quality", |bencher| bencher.iter(|| face_quality(black_box(view), &FACE, None)));
    group.finish();
}

criterion_group! {
    name = benches;
    config = Criterion::default().with_measurement(CpuTime);
    targets = preprocess
}
criterion_main!(benches);
