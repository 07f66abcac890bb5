//! Pictures of one size to another, as a plugin scales its camera's.

use image::imageops::{FilterType, resize};
use image::{ImageBuffer, Rgb};

use super::error::MediaError;
use super::image::{RgbImage, RgbView};

/// Scales a picture to the largest size of its own shape within `width` x `height` pixels, up or down; sides are even, so that
/// halved chroma has no half pixels. Nothing is added at the edges.
///
/// # Errors
/// [`MediaError::PixelCount`] when the given size holds no such picture.
pub fn fit_within(view: RgbView<'_>, (width, height): (u32, u32)) -> Result<RgbImage, MediaError> {
    let scale = (f64::from(width) / f64::from(view.width())).min(f64::from(height) / f64::from(view.height()));
    let side = |from: u32, most: u32| {
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "at most `most`, and not negative")]
        let pixels = (f64::from(from) * scale / 2.0).round().max(1.0) as u32 * 2;
        pixels.min(most)
    };
    let (fitted_width, fitted_height) = (side(view.width(), width), side(view.height(), height));
    if (fitted_width, fitted_height) == (view.width(), view.height()) {
        return RgbImage::new(fitted_width, fitted_height, view.pixels().to_vec());
    }
    let source = ImageBuffer::<Rgb<u8>, &[u8]>::from_raw(view.width(), view.height(), view.pixels());
    let scaled = source.map(|source| resize(&source, fitted_width, fitted_height, FilterType::Triangle));
    RgbImage::new(fitted_width, fitted_height, scaled.map(ImageBuffer::into_raw).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use crate::media::RgbImage;

    use super::fit_within;

    #[test]
    fn the_shape_is_kept_within_the_size() {
        for (from, within, expected) in [
            ((1_280, 720), (640, 480), (640, 360)),
            ((720, 1_280), (640, 480), (270, 480)),
            ((176, 144), (640, 480), (586, 480)),
            ((640, 480), (640, 480), (640, 480)),
            ((4_000, 2), (640, 480), (640, 2)),
        ] {
            let image = RgbImage::new(from.0, from.1, vec![90; from.0 as usize * from.1 as usize * 3]).expect("fits");
            let fitted = fit_within(image.view(), within).expect("fits");
            assert_eq!((fitted.width(), fitted.height()), expected, "{from:?}");
            assert!(fitted.pixels().iter().all(|level| *level == 90), "nothing is added");
        }
    }

    #[test]
    fn no_room_is_an_error() {
        let image = RgbImage::new(2, 2, vec![0; 12]).expect("fits");
        assert!(fit_within(image.view(), (0, 480)).is_err());
    }
}
