//! A track of samples of any format, layout and turn through one decoder: frames within the limits, or errors.
//!
//! A sample is ten bytes of claims and up to 65,535 of data; the claims are drawn so that most are nearly right.
#![no_main]

use bonafide::media::{ColorRange, FrameDecoder, MediaLimits, MediaTime, PixelLayout, Rotation, VideoFormat, VideoSample};
use libfuzzer_sys::fuzz_target;

const FORMATS: [Option<VideoFormat>; 14] = [
    None,
    Some(VideoFormat::Jpeg),
    Some(VideoFormat::Png),
    Some(VideoFormat::WebP),
    Some(VideoFormat::Rgb24),
    Some(VideoFormat::Bgr24),
    Some(VideoFormat::Rgba32),
    Some(VideoFormat::Bgra32),
    Some(VideoFormat::I420),
    Some(VideoFormat::Nv12),
    Some(VideoFormat::H264),
    Some(VideoFormat::Vp8),
    Some(VideoFormat::Vp9),
    Some(VideoFormat::Av1),
];
const ROTATIONS: [Rotation; 4] = [Rotation::None, Rotation::Clockwise90, Rotation::Clockwise180, Rotation::Clockwise270];

fuzz_target!(|data: &[u8]| {
    let limits = MediaLimits { max_side_px: 256, max_pixels: 256 * 256, ..MediaLimits::default() };
    let mut decoder = FrameDecoder::new(limits, None);
    let mut rest = data;
    for sequence in 1.. {
        let Some((claims, more)) = rest.split_first_chunk::<10>() else { break };
        let length = usize::from(u16::from_le_bytes([claims[8], claims[9]])).min(more.len());
        let (payload, after) = more.split_at(length);
        rest = after;
        let sample = VideoSample {
            sequence,
            media_time: MediaTime::from_millis(i64::from(claims[6])),
            format: FORMATS[usize::from(claims[0]) % FORMATS.len()],
            layout: (claims[7] & 1 == 0).then(|| PixelLayout {
                width: u32::from(claims[2]),
                height: u32::from(claims[3]),
                plane_strides: vec![u32::from(claims[4]) * 3; usize::from(claims[5] % 5)],
                color_range: if claims[7] & 2 == 0 { ColorRange::Limited } else { ColorRange::Full },
            }),
            rotation: ROTATIONS[usize::from(claims[1]) % ROTATIONS.len()],
            keyframe: claims[7] & 4 == 0,
            data: bytes::Bytes::copy_from_slice(payload),
        };
        let _dependence = decoder.dependence(&sample);
        for frame in decoder.decode(&sample).unwrap_or_default() {
            assert!(frame.sequence <= sequence);
            assert!(u64::from(frame.image.width()) * u64::from(frame.image.height()) <= limits.max_pixels);
        }
    }
    decoder.finish();
});
