use bytes::Bytes;
use proptest::prelude::{prop_assert, prop_assert_eq, proptest};

use super::super::format::{PixelLayout, VideoFormat};
use super::super::image::RgbImage;
use super::super::limits::MediaLimits;
use super::super::picture::{Picture, Region};
use super::super::raw::decode_raw;
use super::Reduction;

/// The means of the squares, one pixel at a time, in floating point.
fn reference(image: &RgbImage, region: Region, factor: u32) -> Vec<f64> {
    let at = |x: u32, y: u32, channel: u32| image.pixels()[((y * image.width() + x) * 3 + channel) as usize];
    let mut means = Vec::new();
    for row in 0..region.height / factor {
        for column in 0..region.width / factor {
            for channel in 0..3 {
                let square = (0..factor).flat_map(|y| (0..factor).map(move |x| (x, y)));
                let left_top = (region.left + column * factor, region.top + row * factor);
                let sum: f64 = square.map(|(x, y)| f64::from(at(left_top.0 + x, left_top.1 + y, channel))).sum();
                means.push(sum / f64::from(factor * factor));
            }
        }
    }
    means
}

fn farthest(pixels: &[u8], means: &[f64]) -> f64 {
    pixels.iter().zip(means).map(|(pixel, mean)| (f64::from(*pixel) - mean).abs()).fold(0.0, f64::max)
}

proptest! {
    #[test]
    fn rgb_is_the_mean_of_its_squares(
        size in (1_u32..60, 1_u32..60),
        wanted in (0_u32..40, 0_u32..40, 1_u32..60, 1_u32..60),
        halvings in 1_u32..5,
    ) {
        let pixels = (0..size.0 * size.1 * 3).map(|idx| (idx.wrapping_mul(97) >> 1).to_le_bytes()[0]).collect();
        let picture = Picture::from(RgbImage::new(size.0, size.1, pixels).expect("sizes agree"));
        let region = Region { left: wanted.0, top: wanted.1, width: wanted.2, height: wanted.3 };
        let reduction = Reduction::at_most(f64::from(1 << halvings));
        let factor = reduction.factor();
        if let Some(window) = picture.view().reduced_window(region, reduction) {
            let got = window.region();
            prop_assert!(got.width.is_multiple_of(factor) && got.height.is_multiple_of(factor), "{:?}", got);
            prop_assert_eq!(window.pixels().len() as u32, got.width / factor * (got.height / factor) * 3);
            prop_assert!(farthest(window.pixels(), &reference(&picture.to_rgb(), got, factor)) <= 0.51);
        }
    }

    #[test]
    fn video_is_the_mean_of_its_squares_within_the_rounding_of_its_planes(
        size in (2_u32..60, 2_u32..60),
        wanted in (0_u32..40, 0_u32..40, 1_u32..60, 1_u32..60),
        halvings in 1_u32..5,
        is_planar in proptest::bool::ANY,
    ) {
        // Nothing near black or white, where the mean of what was cut off is not what is cut off of the mean.
        let level = |idx: u32| 110 + (idx.wrapping_mul(97) >> 1).to_le_bytes()[0] % 36;
        let n_bytes = size.0 * size.1 + 2 * size.0.div_ceil(2) * size.1.div_ceil(2);
        let data: Bytes = (0..n_bytes).map(level).collect();
        let format = if is_planar { VideoFormat::I420 } else { VideoFormat::Nv12 };
        let layout = PixelLayout { width: size.0, height: size.1, ..PixelLayout::default() };
        let limits = MediaLimits { max_aspect_ratio: 1e9, ..MediaLimits::default() };
        let picture = decode_raw(format, Some(&layout), &data, &limits).expect("a picture");
        let region = Region { left: wanted.0, top: wanted.1, width: wanted.2, height: wanted.3 };
        let reduction = Reduction::at_most(f64::from(1 << halvings));
        let factor = reduction.factor();
        if let Some(window) = picture.view().reduced_window(region, reduction) {
            let got = window.region();
            prop_assert!(got.left <= region.left && got.top <= region.top, "{:?}", got);
            let far = farthest(window.pixels(), &reference(&picture.to_rgb(), got, factor));
            prop_assert!(far <= 2.6, "{} levels off", far);
        }
    }
}

#[test]
fn what_holds_no_whole_square_is_nothing() {
    let picture = Picture::from(RgbImage::new(5, 5, vec![9; 75]).expect("sizes agree"));
    let whole = Region { left: 0, top: 0, width: 5, height: 5 };
    assert!(picture.view().reduced_window(whole, Reduction::Eight).is_none());
    let window = picture.view().reduced_window(whole, Reduction::Two).expect("two by two squares");
    assert_eq!((window.region(), window.pixels()), (Region { width: 4, height: 4, ..whole }, &[9; 12][..]));
}

#[test]
fn a_reduction_is_never_stronger_than_asked_for() {
    let factors =
        [0.3, 1.0, 1.99, 2.0, 3.9, 4.0, 11.0, 16.0, 900.0, f64::NAN].map(|ratio| Reduction::at_most(ratio).factor());
    assert_eq!(factors, [1, 1, 1, 2, 2, 4, 8, 16, 16, 1]);
}
