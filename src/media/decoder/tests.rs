use bytes::Bytes;
use proptest::prelude::{Just, any, prop_oneof, proptest};

use super::super::format::{PixelLayout, Rotation};
use super::super::image::RgbImage;
use super::super::still::encode_jpeg;
use super::super::testing::{Clip, LIVE_CODECS, step_of, steps};
use super::super::time::MediaTime;
use super::{Dependence, FrameDecoder, MediaError, MediaLimits, VideoFormat, VideoFrame, VideoSample};

fn sample(format: Option<VideoFormat>, data: impl Into<Bytes>) -> VideoSample {
    VideoSample {
        sequence: 7,
        media_time: MediaTime::from_millis(1_234),
        format,
        layout: None,
        rotation: Rotation::None,
        keyframe: false,
        data: data.into(),
    }
}

fn decoder() -> FrameDecoder {
    FrameDecoder::new(MediaLimits::default(), None)
}

fn picture(width: u32, height: u32) -> RgbImage {
    let pixels = (0..width * height * 3).map(|i| (i % 251) as u8).collect();
    RgbImage::new(width, height, pixels).expect("sizes agree")
}

fn png(image: &RgbImage) -> Vec<u8> {
    use image::ImageEncoder;
    let mut bytes = Vec::new();
    image::codecs::png::PngEncoder::new(&mut bytes)
        .write_image(image.pixels(), image.width(), image.height(), image::ExtendedColorType::Rgb8)
        .expect("encodes");
    bytes
}

/// What belongs to the sample of a sequence number, when those begin at 0.
fn at<T>(items: &[T], sequence: u64) -> &T {
    &items[usize::try_from(sequence).expect("a position")]
}

/// Decodes all units; each must give pictures or nothing.
fn decode_all(decoder: &mut FrameDecoder, units: &[VideoSample]) -> Vec<VideoFrame> {
    let mut frames: Vec<VideoFrame> = units
        .iter()
        .flat_map(|unit| decoder.decode(unit).unwrap_or_else(|error| panic!("{}: {error}", unit.sequence)))
        .collect();
    frames.extend(decoder.finish());
    frames
}

#[test]
fn a_wrong_claim_about_a_still_does_no_harm() {
    let image = picture(12, 10);
    for claim in [None, Some(VideoFormat::Jpeg), Some(VideoFormat::Png), Some(VideoFormat::WebP)] {
        let frames = decoder().decode(&sample(claim, png(&image))).expect("decodes");
        assert_eq!(frames.len(), 1);
        assert_eq!((frames[0].sequence, frames[0].media_time), (7, MediaTime::from_millis(1_234)));
        assert_eq!(frames[0].picture.to_rgb().as_ref(), &image, "{claim:?}");
    }
}

#[test]
fn unknown_bytes_and_empty_ones_name_the_field() {
    for (claim, bytes, begin) in [
        (None, &b"what is this"[..], "data: not a readable JPEG, PNG or WebP"),
        (Some(VideoFormat::Jpeg), b"what is this", "data: not a readable JPEG, PNG or WebP"),
        (Some(VideoFormat::H264), b"what is this", "data: not a readable H.264 access unit: no Annex B start code"),
        (Some(VideoFormat::Vp8), b"\0\0\0\0\0\0", "data: not a readable VP8 frame"),
        (Some(VideoFormat::Rgb24), b"123", "layout: missing"),
        (None, b"", "data: empty"),
    ] {
        let message = decoder().decode(&sample(claim, bytes)).expect_err("refused").to_string();
        assert!(message.starts_with(begin), "{claim:?}: {message}");
    }
}

#[test]
fn the_default_format_stands_in_and_can_change() {
    let layout = Some(PixelLayout { width: 2, height: 1, ..PixelLayout::default() });
    let raw = VideoSample { layout, ..sample(None, &[1, 2, 3, 4, 5, 6][..]) };
    let mut decoder = FrameDecoder::new(MediaLimits::default(), Some(VideoFormat::Rgb24));
    assert_eq!(decoder.decode(&raw).expect("decodes")[0].picture.to_rgb().pixels(), [1, 2, 3, 4, 5, 6]);
    decoder.set_default_format(Some(VideoFormat::Bgr24));
    assert_eq!(decoder.decode(&raw).expect("decodes")[0].picture.to_rgb().pixels(), [3, 2, 1, 6, 5, 4]);
    decoder.set_default_format(None);
    decoder.decode(&raw).expect_err("nothing says what the bytes are");
}

#[test]
fn the_senders_rotation_is_applied_to_every_kind() {
    let turned = |format, layout, data: Vec<u8>| {
        let sample = VideoSample { rotation: Rotation::Clockwise90, layout, ..sample(format, data) };
        decoder().decode(&sample).expect("decodes").remove(0).picture.into_rgb()
    };
    let image = picture(6, 4);
    let still = turned(None, None, png(&image));
    assert_eq!((still.width(), still.height()), (4, 6));
    let layout = Some(PixelLayout { width: 6, height: 4, ..PixelLayout::default() });
    assert_eq!(turned(Some(VideoFormat::Rgb24), layout, image.into_pixels()), still);
}

#[test]
fn live_units_come_out_as_their_recording_does() {
    for (name, encoder) in LIVE_CODECS {
        let Some(clip) = Clip::make(name, &format!("{} {encoder}", steps("64x48", 10, 25))) else { return };
        let expected = clip.frames();
        assert_eq!(expected.iter().map(step_of).collect::<Vec<_>>(), (0..25).collect::<Vec<_>>(), "{name}");
        let frames = decode_all(&mut decoder(), &clip.units());
        assert_eq!(frames.len(), expected.len(), "{name}");
        for (frame, expected) in frames.iter().zip(&expected) {
            assert_eq!(frame.media_time, expected.media_time, "{name}");
            assert_eq!(frame.picture.to_rgb(), expected.picture.to_rgb(), "{name} at {:?}", frame.media_time);
        }
    }
}

#[test]
fn low_delay_units_give_their_own_picture_at_once() {
    for (name, encoder) in LIVE_CODECS {
        let Some(clip) = Clip::make(name, &format!("{} {encoder}", steps("64x48", 10, 12))) else { return };
        let mut decoder = decoder();
        for unit in clip.units() {
            let frames = decoder.decode(&unit).expect("decodes");
            let sequences: Vec<u64> = frames.iter().map(|frame| frame.sequence).collect();
            assert_eq!(sequences, [unit.sequence], "{name}");
        }
    }
}

#[test]
fn reordered_pictures_keep_the_time_of_their_own_sample() {
    let encoder = "-c:v libx264 -pix_fmt yuv420p -bf 3 -b_strategy 0 -g 30 -crf 12";
    let Some(clip) = Clip::make("b.mp4", &format!("{} {encoder}", steps("64x48", 10, 20))) else { return };
    let units = clip.units();
    assert!(!units.is_sorted_by_key(|unit| unit.media_time), "the clip has B-frames");
    let mut frames = decode_all(&mut decoder(), &units);
    frames.sort_by_key(|frame| frame.media_time);
    let first = frames[0].media_time;
    for frame in &frames {
        let steps_off = frame.media_time.secs_since(first) * 10.0 - f64::from(step_of(frame));
        assert!(steps_off.abs() < 0.5, "{steps_off}");
        assert_eq!(at(&units, frame.sequence).media_time, frame.media_time);
    }
    assert!(frames.len() >= 18, "{} of 20 pictures", frames.len());
}

#[test]
fn joining_in_the_middle_waits_for_a_keyframe() {
    for (name, encoder) in LIVE_CODECS {
        let Some(clip) = Clip::make(name, &format!("{} {encoder}", steps("64x48", 10, 25))) else { return };
        let (mut decoder, expected) = (decoder(), clip.frames());
        let mut n_refused = 0;
        let mut n_frames = 0;
        for unit in clip.units().into_iter().skip(4).map(|unit| VideoSample { keyframe: false, ..unit }) {
            match decoder.decode(&unit) {
                Ok(frames) => {
                    for frame in frames {
                        n_frames += 1;
                        assert_eq!(
                            frame.picture.to_rgb(),
                            at(&expected, frame.sequence).picture.to_rgb(),
                            "{name} {}",
                            frame.sequence
                        );
                    }
                }
                Err(MediaError::NeedsKeyframe { .. }) if n_frames == 0 => n_refused += 1,
                Err(error) => panic!("{name} {}: {error}", unit.sequence),
            }
        }
        assert_eq!((n_refused, n_frames), (6, 15), "{name}");
    }
}

#[test]
fn a_false_keyframe_flag_is_an_error_and_the_real_one_still_works() {
    for (name, encoder) in LIVE_CODECS {
        let Some(clip) = Clip::make(name, &format!("{} {encoder}", steps("64x48", 10, 12))) else { return };
        let units = clip.units();
        let mut decoder = decoder();
        let lying = VideoSample { keyframe: true, ..units[5].clone() };
        let frames = decoder.decode(&lying).map_or(0, |frames| frames.len());
        assert_eq!(frames, 0, "{name}: a picture out of nothing");
        assert_eq!(decoder.decode(&units[10]).expect("decodes")[0].sequence, 10, "{name}");
    }
}

#[test]
fn a_damaged_unit_costs_that_sample_only() {
    for (name, encoder) in LIVE_CODECS {
        let Some(clip) = Clip::make(name, &format!("{} {encoder}", steps("64x48", 10, 20))) else { return };
        let mut units = clip.units();
        units[3].data = Bytes::from_static(b"\0\0\x01\x41garbage garbage garbage garbage");
        units[4].data = Bytes::from_static(&[0xff; 40]);
        let mut decoder = decoder();
        let mut came = Vec::new();
        for unit in &units {
            if let Ok(frames) = decoder.decode(unit) {
                came.extend(frames.iter().map(|frame| frame.sequence));
            }
        }
        // Later pictures of the same group may be lost, those from the next keyframe on may not.
        assert!((0..3).chain(10..20).all(|sequence| came.contains(&sequence)), "{name}: {came:?}");
        assert!(!came.contains(&4), "{name}: {came:?}");
    }
}

#[test]
fn a_lost_keyframe_is_waited_for() {
    let (name, encoder) = LIVE_CODECS[1];
    let Some(clip) = Clip::make(name, &format!("{} {encoder}", steps("64x48", 10, 25))) else { return };
    let mut units = clip.units();
    // A frame tag of a keyframe and nothing behind it that could be one.
    units[10].data = Bytes::from_static(b"\x10\xff\xff\x9d\x01\x2a\x40\0\x30\0\xff");
    let mut decoder = decoder();
    for unit in &units {
        let frames = decoder.decode(unit);
        match unit.sequence {
            10 => assert!(matches!(frames, Err(MediaError::Undecodable { .. })), "{frames:?}"),
            11..20 => assert!(matches!(frames, Err(MediaError::NeedsKeyframe { .. })), "{frames:?}"),
            _ => assert_eq!(frames.expect("decodes").len(), 1),
        }
    }
}

#[test]
fn resolution_and_coding_switch_in_mid_stream() {
    let mut decoder = decoder();
    let mut n_frames = 0;
    for (name, encoder) in LIVE_CODECS {
        for size in ["64x48", "322x178", "98x130"] {
            let Some(clip) = Clip::make(name, &format!("{} {encoder}", steps(size, 10, 4))) else { return };
            let expected = clip.frames();
            for unit in clip.units() {
                for frame in decoder.decode(&unit).expect("decodes") {
                    assert_eq!(frame.picture.to_rgb(), at(&expected, frame.sequence).picture.to_rgb(), "{name} {size}");
                    n_frames += 1;
                }
            }
        }
    }
    assert_eq!(n_frames, 4 * 3 * 4);
}

#[test]
fn pictures_over_the_limit_are_refused_before_conversion() {
    for (name, encoder) in LIVE_CODECS {
        let Some(clip) = Clip::make(name, &format!("{} {encoder}", steps("320x180", 10, 2))) else { return };
        let units = clip.units();
        let limits = MediaLimits { max_side_px: 319, ..MediaLimits::default() };
        let error = FrameDecoder::new(limits, None).decode(&units[0]).expect_err("too wide");
        assert!(matches!(error, MediaError::OverLimit { what: "longer side in px", .. }), "{name}: {error}");
        // Far over the limit the decoder itself refuses to allocate.
        let limits = MediaLimits { max_side_px: 16, max_pixels: 256, ..MediaLimits::default() };
        let error = FrameDecoder::new(limits, None).decode(&units[0]).expect_err("too large");
        assert!(matches!(error, MediaError::OverLimit { .. } | MediaError::Undecodable { .. }), "{name}: {error}");
        let limits = MediaLimits { max_sample_bytes: 10, ..MediaLimits::default() };
        let error = FrameDecoder::new(limits, None).decode(&units[0]).expect_err("too many bytes");
        assert!(matches!(error, MediaError::OverLimit { what: "data bytes", .. }), "{name}: {error}");
    }
}

#[test]
fn parameter_sets_may_come_in_a_sample_of_their_own() {
    let (name, encoder) = LIVE_CODECS[0];
    let Some(clip) = Clip::make(name, &format!("{} {encoder}", steps("64x48", 10, 3))) else { return };
    let units = clip.units();
    let first = &units[0];
    let idr = first.data.windows(4).position(|w| w[..3] == [0, 0, 1] && w[3] & 0x1f == 5).expect("has a keyframe");
    let (sets, picture) = (first.data.slice(..idr), first.data.slice(idr..));
    let mut decoder = decoder();
    let frames = decoder.decode(&VideoSample { data: sets, keyframe: false, ..first.clone() });
    assert!(frames.expect("no picture is no error").is_empty());
    assert_eq!(decoder.decode(&VideoSample { data: picture, ..first.clone() }).expect("decodes").len(), 1);
}

#[test]
fn what_a_loss_makes_worthless_is_told_by_the_bytes() {
    let check = |format, data: &'static [u8], keyframe, expected| {
        let unit = VideoSample { keyframe, ..sample(format, data) };
        assert_eq!(decoder().dependence(&unit), expected, "{format:?} {data:02x?}");
    };
    for (format, key, delta) in [
        (VideoFormat::H264, &b"\0\0\0\x01\x65\x88"[..], &b"\0\0\0\x01\x41\x9a"[..]),
        (VideoFormat::Vp9, b"\x82\x49", b"\x86\0"),
    ] {
        check(Some(format), delta, false, Dependence::OnEarlier);
        check(Some(format), delta, true, Dependence::Free);
        check(Some(format), key, false, Dependence::Free);
    }
    let (parameters, delta) = (&b"\0\0\0\x01\x67\x42\0\0\0\x01\x68\xce"[..], &b"\0\0\0\x01\x41\x9a"[..]);
    check(Some(VideoFormat::H264), parameters, false, Dependence::NoPicture);
    check(Some(VideoFormat::Vp8), b"", false, Dependence::NoPicture);
    check(Some(VideoFormat::Jpeg), b"\xff\xd8\xff", false, Dependence::Free);
    check(None, delta, false, Dependence::Free);
    let mut by_default = decoder();
    by_default.set_default_format(Some(VideoFormat::H264));
    assert_eq!(by_default.dependence(&sample(None, delta)), Dependence::OnEarlier);
}

#[test]
fn stills_and_coded_video_mix_on_one_track() {
    let (name, encoder) = LIVE_CODECS[0];
    let Some(clip) = Clip::make(name, &format!("{} {encoder}", steps("64x48", 10, 6))) else { return };
    let jpeg = sample(Some(VideoFormat::Jpeg), encode_jpeg(picture(20, 10).view(), 90).expect("encodes"));
    let mut decoder = decoder();
    for unit in clip.units() {
        assert_eq!(decoder.decode(&unit).expect("decodes").len(), 1);
        assert_eq!(decoder.decode(&jpeg).expect("decodes")[0].picture.width(), 20);
    }
}

proptest! {
    #![proptest_config(proptest::prelude::ProptestConfig::with_cases(64))]
    #[test]
    fn no_bytes_can_panic(
        format in prop_oneof![
            Just(None), Just(Some(VideoFormat::H264)), Just(Some(VideoFormat::Vp8)),
            Just(Some(VideoFormat::Vp9)), Just(Some(VideoFormat::Av1)), Just(Some(VideoFormat::Jpeg)),
        ],
        begin in prop_oneof![
            Just(&b""[..]), Just(&b"\0\0\x01\x65"[..]), Just(&b"\x10\0\0\x9d\x01\x2a\x40\0\x30\0"[..]),
            Just(&b"\x82\x49\x83\x42\0"[..]), Just(&b"\x12\0\x0a\x0b"[..]), Just(&b"\xff\xd8\xff"[..]),
        ],
        rest in proptest::collection::vec(any::<u8>(), 0..300),
        keyframe in any::<bool>(),
    ) {
        let mut decoder = decoder();
        let sample = VideoSample { keyframe, ..sample(format, [begin, &rest].concat()) };
        for _ in 0..3 {
            if let Ok(frames) = decoder.decode(&sample) {
                assert!(frames.len() <= 32);
            }
        }
        decoder.finish();
    }
}
