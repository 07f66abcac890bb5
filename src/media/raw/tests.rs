use bytes::Bytes;
use proptest::prelude::{Just, any, prop_assert_eq, prop_oneof, proptest};

use super::super::format::ColorRange;
use super::{MediaError, MediaLimits, PixelLayout, VideoFormat, decode_raw};

/// Fixed point against floating point: half a level of rounding each.
const TOLERANCE_LEVELS: f64 = 0.51;

fn tight(width: u32, height: u32) -> PixelLayout {
    PixelLayout { width, height, ..PixelLayout::default() }
}

fn decode(format: VideoFormat, layout: &PixelLayout, data: &[u8]) -> Vec<u8> {
    decode_raw(format, Some(layout), &Bytes::copy_from_slice(data), &MediaLimits::default())
        .expect("valid picture")
        .into_rgb()
        .into_pixels()
}

fn refuse(format: VideoFormat, layout: &PixelLayout, data: &[u8]) -> String {
    decode_raw(format, Some(layout), &Bytes::copy_from_slice(data), &MediaLimits::default())
        .expect_err("must be refused")
        .to_string()
}

/// The conversion as the standards write it, in floating point, one pixel at a time.
#[expect(clippy::many_single_char_names, reason = "the standards' symbols")]
fn reference([y, u, v]: [u8; 3], red: f64, blue: f64, range: ColorRange) -> [f64; 3] {
    let (y, pb, pr) = match range {
        ColorRange::Limited => {
            ((f64::from(y) - 16.0) / 219.0, (f64::from(u) - 128.0) / 224.0, (f64::from(v) - 128.0) / 224.0)
        }
        ColorRange::Full => (f64::from(y) / 255.0, (f64::from(u) - 128.0) / 255.0, (f64::from(v) - 128.0) / 255.0),
    };
    let r = y + 2.0 * (1.0 - red) * pr;
    let b = y + 2.0 * (1.0 - blue) * pb;
    let g = (y - red * r - blue * b) / (1.0 - red - blue);
    [r, g, b].map(|channel| (channel * 255.0).clamp(0.0, 255.0))
}

#[test]
fn packed_formats_differ_only_in_order() {
    let layout = tight(2, 1);
    let expected = [1, 2, 3, 4, 5, 6];
    for (format, data) in [
        (VideoFormat::Rgb24, &[1, 2, 3, 4, 5, 6][..]),
        (VideoFormat::Bgr24, &[3, 2, 1, 6, 5, 4]),
        (VideoFormat::Rgba32, &[1, 2, 3, 99, 4, 5, 6, 0]),
        (VideoFormat::Bgra32, &[3, 2, 1, 99, 6, 5, 4, 0]),
    ] {
        assert_eq!(decode(format, &layout, data), expected, "{format:?}");
    }
}

#[test]
fn colour_bars_have_their_published_values() {
    // 100 % bars in 8-bit limited range: BT.601 (625-line) and BT.709 code values, in order white, yellow, red, blue.
    let rgb = [[255, 255, 255], [255, 255, 0], [255, 0, 0], [0, 0, 255]];
    for (width, height, bars) in [
        (16, 16, [(235, 128, 128), (210, 16, 146), (81, 90, 240), (41, 240, 110)]),
        (2, 578, [(235, 128, 128), (210, 16, 146), (81, 90, 240), (41, 240, 110)]),
        (578, 578, [(235, 128, 128), (219, 16, 138), (63, 102, 240), (32, 240, 118)]),
        (1_280, 2, [(235, 128, 128), (219, 16, 138), (63, 102, 240), (32, 240, 118)]),
    ] {
        let limits = MediaLimits { max_aspect_ratio: 1e9, ..MediaLimits::default() };
        let n_luma = (width * height) as usize;
        for (bar, expected) in bars.into_iter().zip(rgb) {
            let mut data = vec![bar.0; n_luma];
            data.extend(vec![bar.1; n_luma / 4]);
            data.extend(vec![bar.2; n_luma / 4]);
            let layout = tight(width, height);
            let image = decode_raw(VideoFormat::I420, Some(&layout), &data.into(), &limits).expect("valid").into_rgb();
            for (channel, expected) in image.pixels().iter().zip(expected) {
                assert!(channel.abs_diff(expected) <= 2, "{width}x{height} {bar:?}: {channel} for {expected}");
            }
        }
    }
}

#[test]
fn missing_and_contradictory_layouts_name_the_field() {
    let missing = decode_raw(VideoFormat::Rgb24, None, &Bytes::from_static(&[0; 12]), &MediaLimits::default())
        .expect_err("no layout");
    assert!(missing.to_string().starts_with("layout: missing"), "{missing}");
    let strided = |plane_strides: &[u32]| PixelLayout { plane_strides: plane_strides.to_vec(), ..tight(4, 4) };
    for (format, layout, n_bytes, begin) in [
        (VideoFormat::Rgb24, tight(0, 4), 64, "width, height: "),
        (VideoFormat::I420, tight(4, 0), 64, "width, height: "),
        (VideoFormat::Rgb24, tight(4, 4), 47, "data: 47 bytes are too few"),
        (VideoFormat::Rgba32, tight(4, 4), 63, "data: "),
        (VideoFormat::I420, tight(4, 4), 23, "data: 23 bytes are too few: I420 of 4x4 px needs 24 bytes"),
        (VideoFormat::Nv12, tight(3, 3), 16, "data: "),
        (VideoFormat::I420, tight(4, 4), 0, "data: "),
        (VideoFormat::I420, strided(&[4]), 64, "layout.plane_strides: 1 given, but I420 has 3 planes"),
        (VideoFormat::Nv12, strided(&[4, 4, 4]), 64, "layout.plane_strides: 3 given, but Nv12 has 2 planes"),
        (VideoFormat::Nv12, strided(&[4, 3]), 64, "layout.plane_strides: plane 1 has 3 bytes a row"),
        (VideoFormat::Rgb24, strided(&[0]), 64, "layout.plane_strides: plane 0 has 0 bytes a row"),
        (VideoFormat::Rgb24, strided(&[u32::MAX]), 64, "data: "),
        (VideoFormat::I420, strided(&[u32::MAX, u32::MAX, u32::MAX]), 64, "data: "),
        (VideoFormat::Rgb24, tight(u32::MAX, u32::MAX), 64, "longer side in px is "),
        (VideoFormat::Jpeg, tight(4, 4), 64, "format: Jpeg is not raw"),
    ] {
        let message = refuse(format, &layout, &vec![0; n_bytes]);
        assert!(message.starts_with(begin), "{format:?} {layout:?} {n_bytes}: {message}");
    }
}

#[test]
fn the_padding_of_the_last_row_may_be_left_out() {
    let layout = PixelLayout { plane_strides: vec![8], ..tight(2, 2) };
    let data = [1, 2, 3, 4, 5, 6, 0, 0, 7, 8, 9, 10, 11, 12];
    assert_eq!(decode(VideoFormat::Rgb24, &layout, &data), [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12]);
}

/// Splits one picture's samples into planes with padding after each row.
fn pad(rows: &[Vec<u8>], padding: usize) -> Vec<u8> {
    rows.iter().flat_map(|row| row.iter().copied().chain(std::iter::repeat_n(0xaa, padding))).collect()
}

proptest! {
    #[test]
    fn subsampled_formats_match_the_standards_arithmetic(
        (width, height) in (1_u32..40, 1_u32..12),
        wide in any::<bool>(),
        full in any::<bool>(),
        paddings in [0_usize..5, 0_usize..5, 0_usize..5],
        seed in any::<u64>(),
    ) {
        // Wide pictures are high definition, so that both matrices are met.
        let width = if wide { width + 1_280 } else { width };
        let limits = MediaLimits { max_aspect_ratio: 1e9, ..MediaLimits::default() };
        let (red, blue) = if wide { (0.2126, 0.0722) } else { (0.299, 0.114) };
        let color_range = if full { ColorRange::Full } else { ColorRange::Limited };
        let (w, h) = (width as usize, height as usize);
        let mut state = seed | 1;
        let mut rows = |w: usize, h: usize| -> Vec<Vec<u8>> {
            let mut byte = || { state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1); (state >> 56) as u8 };
            (0..h).map(|_| (0..w).map(|_| byte()).collect()).collect()
        };
        let (cw, ch) = (w.div_ceil(2), h.div_ceil(2));
        let (y, u, v) = (rows(w, h), rows(cw, ch), rows(cw, ch));
        let stride = |row: usize, plane: usize| u32::try_from(row + paddings[plane]).expect("small");

        let i420 = [pad(&y, paddings[0]), pad(&u, paddings[1]), pad(&v, paddings[2])].concat();
        let layout = PixelLayout { width, height, plane_strides: vec![stride(w, 0), stride(cw, 1), stride(cw, 2)], color_range };
        let from_i420 = decode_raw(VideoFormat::I420, Some(&layout), &i420.into(), &limits).expect("valid").into_rgb().into_pixels();

        let uv: Vec<Vec<u8>> = u.iter().zip(&v).map(|(u, v)| u.iter().zip(v).flat_map(|(u, v)| [*u, *v]).collect()).collect();
        let nv12 = [pad(&y, paddings[0]), pad(&uv, paddings[1])].concat();
        let layout = PixelLayout { plane_strides: vec![stride(w, 0), stride(cw * 2, 1)], ..layout };
        let from_nv12 = decode_raw(VideoFormat::Nv12, Some(&layout), &nv12.into(), &limits).expect("valid").into_rgb().into_pixels();
        prop_assert_eq!(&from_i420, &from_nv12);

        for row in 0..h {
            for column in 0..w {
                let expected = reference([y[row][column], u[row / 2][column / 2], v[row / 2][column / 2]], red, blue, color_range);
                let first = (row * w + column) * 3;
                for (actual, expected) in from_i420[first..first + 3].iter().zip(expected) {
                    assert!((f64::from(*actual) - expected).abs() < TOLERANCE_LEVELS, "{row},{column}: {actual} for {expected}");
                }
            }
        }
    }

    #[test]
    fn no_layout_and_no_bytes_can_panic(
        format in prop_oneof![
            Just(VideoFormat::Rgb24), Just(VideoFormat::Bgr24), Just(VideoFormat::Rgba32),
            Just(VideoFormat::Bgra32), Just(VideoFormat::I420), Just(VideoFormat::Nv12),
        ],
        width in prop_oneof![0_u32..70, any::<u32>()],
        height in prop_oneof![0_u32..70, any::<u32>()],
        plane_strides in proptest::collection::vec(prop_oneof![0_u32..200, any::<u32>()], 0..5),
        n_bytes in 0_usize..20_000,
    ) {
        let layout = PixelLayout { width, height, plane_strides, color_range: ColorRange::Full };
        match decode_raw(format, Some(&layout), &vec![7; n_bytes].into(), &MediaLimits::default()) {
            Ok(image) => prop_assert_eq!((image.width(), image.height()), (width, height)),
            Err(error) => assert!(
                matches!(error, MediaError::InvalidField { .. } | MediaError::OverLimit { .. }), "{error}"
            ),
        }
    }
}
