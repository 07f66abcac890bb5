//! How light a face's skin looks in a picture, for error rates by group. Never an input of a score.

use super::error::VisionError;
use super::geometry::BoxPx;
use super::resample::{Interpolation, PixelRect, resize_region, side_i32, whole};
use crate::media::PictureView;

/// Side to which the face is reduced first; a pixel is then a patch of skin.
const SIDE: u16 = 24;
/// Where skin is expected, as shares of the box from its upper left corner: forehead, cheeks, nose.
const SKIN: [(f32, f32); 4] = [(0.5, 0.2), (0.28, 0.6), (0.72, 0.6), (0.5, 0.55)];
/// Yellow-blue difference below which a picture has no colour to judge by.
const MIN_YELLOWNESS: f64 = 2.0;
/// White of the D65 illuminant.
const WHITE: [f64; 3] = [0.950_47, 1.0, 1.088_83];

/// Individual typology angle in degrees: above 55 very light, 41 light, 28 intermediate, 10 tan, -30 brown, below dark.
///
/// It depends on the light as much as on the skin, so it is a proxy. `None` for a picture without colour.
///
/// # Errors
/// [`VisionError::DegenerateLandmarks`] when the box holds no pixel of the frame, [`VisionError::Operation`].
///
/// # Source
/// Chardon, Cretois and Hourseau, International Journal of Cosmetic Science 13, 1991: `atan2(L* - 50, b*)`; median over patches.
pub fn skin_tone_ita_deg(frame: PictureView<'_>, box_in_frame: &BoxPx) -> Result<Option<f64>, VisionError> {
    let frame_box = BoxPx { left: 0.0, top: 0.0, right: frame.width() as f32, bottom: frame.height() as f32 };
    let inside = box_in_frame.intersection(&frame_box);
    if !(box_in_frame.is_finite() && inside.width() >= 1.0 && inside.height() >= 1.0) {
        return Err(VisionError::DegenerateLandmarks { problem: "the face box is empty or outside the frame" });
    }
    let (left, top) = (whole(f64::from(inside.left.floor())), whole(f64::from(inside.top.floor())));
    let region = PixelRect {
        left,
        top,
        width: whole(f64::from(inside.width())).clamp(1, side_i32(frame.width()) - left),
        height: whole(f64::from(inside.height())).clamp(1, side_i32(frame.height()) - top),
    };
    let chip = resize_region(frame, region, (SIDE, SIDE), Interpolation::Area)?;
    let pixels = chip.pixels()?;
    let side = usize::from(SIDE);
    let mut angles: Vec<f64> = SKIN
        .iter()
        .filter_map(|(x, y)| {
            let place = |share: f32| usize::try_from(whole(f64::from(share * f32::from(SIDE)))).unwrap_or(0);
            let at = (place(*y) * side + place(*x)) * 3;
            let (lightness, yellowness) = lab(pixels.get(at..at + 3)?.try_into().ok()?);
            (yellowness.abs() >= MIN_YELLOWNESS).then(|| (lightness - 50.0).atan2(yellowness).to_degrees())
        })
        .collect();
    angles.sort_by(f64::total_cmp);
    Ok(angles.get(angles.len() / 2).copied())
}

/// `L*` and `b*` of CIE 1976 of an sRGB pixel.
fn lab(rgb: [u8; 3]) -> (f64, f64) {
    let [red, green, blue] = rgb.map(|level| {
        let value = f64::from(level) / 255.0;
        if value <= 0.040_45 { value / 12.92 } else { ((value + 0.055) / 1.055).powf(2.4) }
    });
    let luminance = 0.212_672_9 * red + 0.715_152_2 * green + 0.072_175 * blue;
    let blueness = (0.019_333_9 * red + 0.119_192 * green + 0.950_304_1 * blue) / WHITE[2];
    let root = |value: f64| if value > 0.008_856 { value.cbrt() } else { 7.787 * value + 16.0 / 116.0 };
    (116.0 * root(luminance) - 16.0, 200.0 * (root(luminance) - root(blueness)))
}

#[cfg(test)]
mod tests {
    use super::{lab, skin_tone_ita_deg};
    use crate::media::RgbImage;
    use crate::vision::geometry::BoxPx;

    fn angle(rgb: [u8; 3]) -> Option<f64> {
        let frame = RgbImage::new(80, 60, rgb.repeat(80 * 60)).expect("size fits");
        let face = BoxPx { left: 10.0, top: -5.0, right: 60.0, bottom: 55.0 };
        skin_tone_ita_deg(frame.view().into(), &face).expect("has pixels")
    }

    #[test]
    fn colours_are_those_of_the_tables() {
        // CIE values of sRGB primaries, from Lindbloom's calculator.
        for (rgb, (lightness, yellowness)) in
            [([255, 255, 255], (100.0, 0.0)), ([255, 0, 0], (53.24, 67.2)), ([0, 0, 255], (32.3, -107.86))]
        {
            let (l, b) = lab(rgb);
            assert!((l - lightness).abs() < 0.1 && (b - yellowness).abs() < 0.1, "{rgb:?}: {l} {b}");
        }
    }

    #[test]
    fn lighter_skin_has_a_larger_angle_and_grey_has_none() {
        let (light, tan, dark) = (angle([240, 205, 185]), angle([190, 140, 105]), angle([80, 50, 38]));
        assert!(light > tan && tan > dark, "{light:?} {tan:?} {dark:?}");
        assert!(light.is_some_and(|angle| angle > 41.0) && dark.is_some_and(|angle| angle < -30.0));
        assert_eq!(angle([120, 120, 120]), None);
    }

    #[test]
    fn boxes_outside_are_errors() {
        let frame = RgbImage::new(8, 8, vec![0; 192]).expect("size fits");
        for left in [f32::NAN, 40.0] {
            let face = BoxPx { left, top: 0.0, right: left + 5.0, bottom: 5.0 };
            assert!(skin_tone_ita_deg(frame.view().into(), &face).is_err(), "{left}");
        }
    }
}
