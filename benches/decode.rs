//! How long it takes to make a frame of 1280x720 out of a JPEG, of raw I420 (all of it in RGB) and of one live H.264 unit.
//!
//! The H.264 clip is made by the `ffmpeg` command; without it that figure is left out, which is said.

mod support;

use std::hint::black_box;
use std::process::Command;

use bonafide::media::{
    FrameDecoder, MediaLimits, MediaTime, PixelLayout, Recording, RgbImage, Rotation, VideoFormat, VideoSample,
    encode_jpeg,
};
use bytes::Bytes;
use criterion::{Criterion, Throughput, criterion_group, criterion_main};

use support::CpuTime;

const WIDTH: u32 = 1_280;
const HEIGHT: u32 = 720;
/// A usual setting of plugins that send stills.
const JPEG_QUALITY: u8 = 80;

fn sample(format: VideoFormat, layout: Option<PixelLayout>, data: Vec<u8>) -> VideoSample {
    VideoSample {
        sequence: 0,
        media_time: MediaTime::ZERO,
        format: Some(format),
        layout,
        rotation: Rotation::None,
        keyframe: false,
        data: Bytes::from(data),
    }
}

/// A picture with some detail, so that the JPEG has a usual size.
fn picture() -> RgbImage {
    let pixel = |x: u32, y: u32| {
        let texture = (x.wrapping_mul(2_654_435_761) ^ y.wrapping_mul(40_503)) >> 28;
        [x / 5 + texture, y / 3 + texture, (x + y) / 8 + texture].map(|level| level.min(255) as u8)
    };
    let pixels = (0..HEIGHT).flat_map(|y| (0..WIDTH).flat_map(move |x| pixel(x, y))).collect();
    RgbImage::new(WIDTH, HEIGHT, pixels).expect("sizes agree")
}

/// Four seconds of moving picture without B-frames, one keyframe a second.
fn h264_units() -> Option<Vec<VideoSample>> {
    let folder = tempfile::tempdir().expect("temporary folder");
    let path = folder.path().join("clip.mp4");
    let status = Command::new("ffmpeg")
        .args(["-nostdin", "-v", "error", "-f", "lavfi", "-i", "testsrc2=s=1280x720:r=30:d=4", "-c:v", "libx264"])
        .args(["-preset", "veryfast", "-tune", "zerolatency", "-g", "30", "-pix_fmt", "yuv420p"])
        .arg(&path)
        .status();
    if !status.is_ok_and(|status| status.success()) {
        eprintln!("SKIPPED: the ffmpeg command is not installed or cannot encode H.264");
        return None;
    }
    let mut recording = Recording::open(&path, &MediaLimits::default()).expect("opens");
    Some(std::iter::from_fn(|| recording.next_coded_sample().expect("reads")).collect())
}

fn decode(criterion: &mut Criterion<CpuTime>) {
    let mut group = criterion.benchmark_group("decode_720p");
    group.throughput(Throughput::Elements(1));

    let jpeg = sample(VideoFormat::Jpeg, None, encode_jpeg(picture().view(), JPEG_QUALITY).expect("encodes"));
    let mut decoder = FrameDecoder::new(MediaLimits::default(), None);
    group.bench_function("jpeg", |bencher| bencher.iter(|| decoder.decode(black_box(&jpeg)).expect("decodes")));

    let layout = PixelLayout { width: WIDTH, height: HEIGHT, ..PixelLayout::default() };
    let n_luma = (WIDTH * HEIGHT) as usize;
    let i420 = sample(VideoFormat::I420, Some(layout), (0..239).cycle().take(n_luma * 3 / 2).collect());
    // Planes are left as they are; what it takes to convert all of them is what a window of the whole picture costs.
    group.bench_function("i420, converted whole", |bencher| {
        bencher.iter(|| decoder.decode(black_box(&i420)).expect("decodes").remove(0).picture.into_rgb());
    });

    if let Some(units) = h264_units() {
        // The clip starts with a keyframe, so it can go round.
        let mut next = units.iter().cycle();
        group.bench_function("h264_unit", |bencher| {
            bencher.iter(|| decoder.decode(black_box(next.next().expect("not empty"))).expect("decodes"));
        });
    }
    group.finish();
}

criterion_group! {
    name = benches;
    config = Criterion::default().with_measurement(CpuTime);
    targets = decode
}
criterion_main!(benches);
