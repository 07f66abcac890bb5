use bytes::Bytes;
use proptest::prelude::{any, prop_assert, prop_assert_eq, proptest};

use super::super::format::{PixelLayout, VideoFormat};
use super::super::limits::MediaLimits;
use super::super::raw::decode_raw;
use super::{Picture, Region, RgbImage};

/// A raw sample of noise, in planes.
fn noise(format: VideoFormat, width: u32, height: u32, seed: u8) -> Picture {
    let layout = PixelLayout { width, height, ..PixelLayout::default() };
    let n_bytes = width * height + 2 * width.div_ceil(2) * height.div_ceil(2);
    let data: Vec<u8> = (0..n_bytes).map(|idx| (idx.wrapping_mul(73) >> 2).to_le_bytes()[0] ^ seed).collect();
    let limits = MediaLimits { max_aspect_ratio: 1e9, ..MediaLimits::default() };
    decode_raw(format, Some(&layout), &Bytes::from(data), &limits).expect("a picture")
}

/// The pixels of a region, row by row.
fn pixels_of(image: &RgbImage, region: Region) -> Vec<u8> {
    let rows = image.pixels().chunks_exact(image.width() as usize * 3);
    let rows = rows.skip(region.top as usize).take(region.height as usize);
    rows.flat_map(|row| &row[region.left as usize * 3..(region.left + region.width) as usize * 3]).copied().collect()
}

proptest! {
    #[test]
    fn a_window_has_the_pixels_of_the_whole(
        size in (1_u32..70, 1_u32..50),
        wanted in (0_u32..80, 0_u32..60, 0_u32..80, 0_u32..60),
        is_planar in any::<bool>(),
        seed in any::<u8>(),
    ) {
        let format = if is_planar { VideoFormat::I420 } else { VideoFormat::Nv12 };
        let picture = noise(format, size.0, size.1, seed);
        let whole = picture.to_rgb().into_owned();
        let region = Region { left: wanted.0, top: wanted.1, width: wanted.2, height: wanted.3 };
        let is_inside = wanted.0 < size.0 && wanted.1 < size.1 && wanted.2 > 0 && wanted.3 > 0;
        prop_assert_eq!(picture.view().window(region).is_some(), is_inside);
        if let Some(window) = picture.view().window(region) {
            let got = window.region();
            prop_assert_eq!(window.pixels(), pixels_of(&whole, got));
            prop_assert!(got.left <= region.left && got.top <= region.top, "{:?}", got);
            prop_assert!(got.left + got.width == size.0.min(region.left + region.width));
            prop_assert!(got.top + got.height == size.1.min(region.top + region.height));
            prop_assert!(region.left - got.left < 2 && region.top - got.top < 2, "hardly more than was asked for");
        }
    }
}

#[test]
fn rgb_is_lent_and_not_copied() {
    let image = RgbImage::new(4, 2, (0..24).collect()).expect("sizes agree");
    let picture = Picture::from(image.clone());
    let window = picture.view().window(Region { left: 1, top: 1, width: 9, height: 9 }).expect("lies in it");
    assert_eq!(window.region(), Region { left: 0, top: 0, width: 4, height: 2 });
    assert_eq!(window.pixels(), image.pixels());
    assert_eq!(picture.to_rgb().as_ref(), &image);
    assert_eq!(picture.into_rgb(), image);
}

#[test]
fn nothing_of_a_picture_reaches_a_log() {
    let picture = noise(VideoFormat::I420, 6, 4, 0);
    let window = picture.view().window(Region { left: 0, top: 0, width: 2, height: 2 });
    let debug = format!("{picture:?} {:?} {window:?}", picture.view());
    assert_eq!(
        debug,
        "Picture(6x4) PictureView(6x4) Some(RgbWindow(Region { left: 0, top: 0, width: 2, height: 2 }, factor 1))"
    );
}
