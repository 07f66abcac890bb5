//! The part of a picture that is not people, in the size in which features are sought.

use super::{MIN_FREE_RATIO, MIN_SIDE_PX, SceneGap, WORK_SIDE_PX};
use crate::media::PictureView;
use crate::vision::error::VisionError;
use crate::vision::geometry::BoxPx;
use crate::vision::resample::{Interpolation, PixelRect, resize_region, side_i32, whole};

/// Luma weights of ITU-R BT.601.
const LUMA_WEIGHTS: [f32; 3] = [0.299, 0.587, 0.114];
/// Faces whose people are left out; a picture of a crowd shows no background anyway.
const MAX_PEOPLE: usize = 64;
/// Least width of a head over the height of its face: faces in profile are narrow, heads are not.
const MIN_WIDTH_RATIO: f32 = 0.75;
/// Hair above a face, in its heights.
const ABOVE_RATIO: f32 = 0.55;
/// How far a person reaches to either side of the middle of the face, in its widths, at heights below the chin in its heights.
const OUTLINE: [(f32, f32); 3] = [(0.0, 0.95), (0.9, 2.0), (1.8, 2.4)];
/// Bars beside or above a picture of another shape: at most so dark, and so even, in levels.
const BAR_LUMA: f32 = 24.0;
const BAR_RANGE: f32 = 8.0;

/// Luma of a picture in which people and black bars are painted over.
pub(super) struct Background {
    width: u16,
    height: u16,
    /// `[height, width]`, 0..=255.
    luma: Vec<f32>,
    /// `[height + 1, width + 1]`: hidden pixels above and to the left.
    hidden_sums: Vec<u32>,
    mean_luma: f64,
}

impl Background {
    /// Makes a picture smaller, or larger, and paints over what is not background.
    pub(super) fn of(picture: PictureView<'_>, people: &[BoxPx]) -> Result<Result<Self, SceneGap>, VisionError> {
        let Some((width, height)) = work_size(picture.width(), picture.height()) else {
            return Ok(Err(SceneGap::TooSmall));
        };
        if people.len() > MAX_PEOPLE {
            return Ok(Err(SceneGap::Hidden));
        }
        if people.iter().any(|face| !(face.is_finite() && face.area() > 0.0)) {
            return Ok(Err(SceneGap::PersonUnknown));
        }
        let whole_frame =
            PixelRect { left: 0, top: 0, width: side_i32(picture.width()), height: side_i32(picture.height()) };
        let is_smaller = picture.width() > u32::from(width);
        let interpolation = if is_smaller { Interpolation::Area } else { Interpolation::Bilinear };
        let chip = resize_region(picture, whole_frame, (width, height), interpolation)?;
        let pixels = chip.pixels()?.as_chunks::<3>().0;
        let mut luma: Vec<f32> = pixels
            .iter()
            .map(|pixel| pixel.iter().zip(LUMA_WEIGHTS).map(|(level, weight)| f32::from(*level) * weight).sum())
            .collect();
        let scale = f32::from(width) / picture.width().max(1) as f32;
        let mut hidden = vec![false; luma.len()];
        for face in people {
            hide_person(&mut hidden, width, face, scale);
        }
        hide_bars(&mut hidden, &luma, width);
        let free = || luma.iter().zip(&hidden).filter(|(_, is_hidden)| !**is_hidden);
        let n_free = free().count();
        if (n_free as f64) < MIN_FREE_RATIO * luma.len() as f64 || n_free == 0 {
            return Ok(Err(SceneGap::Hidden));
        }
        let mean_luma = free().map(|(level, _)| f64::from(*level)).sum::<f64>() / n_free as f64;
        #[expect(clippy::cast_possible_truncation, reason = "a level of 0..=255")]
        let paint = mean_luma as f32;
        for (level, is_hidden) in luma.iter_mut().zip(&hidden) {
            if *is_hidden {
                *level = paint;
            }
        }
        let hidden_sums = sums(&hidden, usize::from(width));
        Ok(Ok(Self { width, height, luma, hidden_sums, mean_luma }))
    }

    /// Pixels a row, and rows.
    pub(super) const fn size(&self) -> (u16, u16) {
        (self.width, self.height)
    }

    /// `[height, width]`, 0..=255.
    pub(super) fn luma(&self) -> &[f32] {
        &self.luma
    }

    /// Mean luma of what is free, in levels.
    pub(super) const fn mean_luma(&self) -> f64 {
        self.mean_luma
    }

    /// Whether no hidden pixel lies in a square around a point; what lies outside the picture does not count.
    pub(super) fn is_free(&self, x: f32, y: f32, radius: f32) -> bool {
        let stretch = |at: f32, side: u16| {
            let place = |edge: f32| usize::try_from(whole(f64::from(edge))).unwrap_or(0).min(usize::from(side));
            (place((at - radius).floor()), place((at + radius).ceil()))
        };
        let ((left, right), (top, bottom)) = (stretch(x, self.width), stretch(y, self.height));
        let row = usize::from(self.width) + 1;
        let sum = |x: usize, y: usize| self.hidden_sums.get(y * row + x).copied().unwrap_or(u32::MAX);
        let before = sum(right, top).wrapping_add(sum(left, bottom));
        sum(left, top).wrapping_add(sum(right, bottom)) == before
    }
}

/// Sides of the working picture; `None` when the shorter one, or the picture itself, is too small.
fn work_size(width: u32, height: u32) -> Option<(u16, u16)> {
    let (longer, shorter) = (width.max(height), width.min(height));
    if shorter < u32::from(MIN_SIDE_PX) {
        return None;
    }
    let shorter = u64::from(shorter) * u64::from(WORK_SIDE_PX) / u64::from(longer.max(1));
    let shorter = u16::try_from(shorter).ok().filter(|side| *side >= MIN_SIDE_PX)?;
    Some(if width >= height { (WORK_SIDE_PX, shorter) } else { (shorter, WORK_SIDE_PX) })
}

/// Marks head, shoulders and everything below them.
fn hide_person(hidden: &mut [bool], width: u16, face: &BoxPx, scale: f32) {
    let [left, top, right, bottom] = [face.left, face.top, face.right, face.bottom].map(|edge| edge * scale);
    let face_height = bottom - top;
    let face_width = (right - left).max(face_height * MIN_WIDTH_RATIO);
    let middle = f32::midpoint(left, right);
    for (row, pixels) in hidden.chunks_exact_mut(usize::from(width)).enumerate() {
        let y = row as f32 + 0.5;
        if y < top - ABOVE_RATIO * face_height {
            continue;
        }
        let reach = face_width * reach_ratio((y - bottom) / face_height);
        let first = whole(f64::from((middle - reach).floor())).clamp(0, i32::from(width));
        let last = whole(f64::from((middle + reach).ceil())).clamp(0, i32::from(width));
        let [first, last] = [first, last].map(|column| usize::try_from(column).unwrap_or(0));
        if let Some(pixels) = pixels.get_mut(first..last) {
            pixels.fill(true);
        }
    }
}

/// How far a person reaches to either side, in widths of the face, so many of its heights below the chin.
fn reach_ratio(below: f32) -> f32 {
    let between = OUTLINE.windows(2).find_map(|pair| match pair {
        [(from, narrow), (to, wide)] if below <= *to => {
            Some(narrow + (wide - narrow) * ((below - from) / (to - from)).clamp(0.0, 1.0))
        }
        _ => None,
    });
    between.or_else(|| OUTLINE.last().map(|(_, reach)| *reach)).unwrap_or(0.0)
}

/// Marks even, dark rows and columns at the edges, as a picture of another shape is framed with.
fn hide_bars(hidden: &mut [bool], luma: &[f32], width: u16) {
    let width = usize::from(width);
    let height = luma.len() / width.max(1);
    let is_bar = |places: &mut dyn Iterator<Item = usize>, hidden: &[bool]| {
        let levels = places.filter(|at| hidden.get(*at) == Some(&false)).filter_map(|at| luma.get(at));
        let range =
            levels.fold((f32::INFINITY, f32::NEG_INFINITY), |(low, high), level| (low.min(*level), high.max(*level)));
        range.1 <= BAR_LUMA && range.1 - range.0 <= BAR_RANGE && range.0 <= range.1
    };
    let row = |y: usize| y * width..(y + 1) * width;
    let column = |x: usize| (x..luma.len()).step_by(width.max(1));
    let of_people = hidden.to_vec();
    let top = (0..height).take_while(|y| is_bar(&mut row(*y), &of_people)).count();
    let bottom = (top..height).rev().take_while(|y| is_bar(&mut row(*y), &of_people)).count();
    let left = (0..width).take_while(|x| is_bar(&mut column(*x), &of_people)).count();
    let right = (left..width).rev().take_while(|x| is_bar(&mut column(*x), &of_people)).count();
    let rows = (0..top).chain(height - bottom..height).flat_map(row);
    let columns = (0..left).chain(width - right..width).flat_map(column);
    for at in rows.chain(columns) {
        if let Some(is_hidden) = hidden.get_mut(at) {
            *is_hidden = true;
        }
    }
}

/// Sums over all that lies above and to the left, with a row and a column of zeros before.
fn sums(hidden: &[bool], width: usize) -> Vec<u32> {
    let mut sums = vec![0; width + 1];
    for row in hidden.chunks_exact(width.max(1)) {
        let above = sums.len() - width;
        let mut in_row = 0;
        sums.push(0);
        for (x, is_hidden) in row.iter().enumerate() {
            in_row += u32::from(*is_hidden);
            let of_above = sums.get(above + x).copied().unwrap_or(0);
            sums.push(of_above + in_row);
        }
    }
    sums
}

#[cfg(test)]
mod tests {
    use super::{Background, reach_ratio};
    use crate::media::RgbImage;
    use crate::vision::geometry::BoxPx;
    use crate::vision::scene::SceneGap;

    fn background(width: u32, height: u32, people: &[BoxPx]) -> Result<Background, SceneGap> {
        let pixels = (0..width * height).flat_map(|at| [((at * 31) % 251) as u8; 3]).collect();
        let frame = RgbImage::new(width, height, pixels).expect("size fits");
        Background::of(frame.view().into(), people).expect("the image library works")
    }

    #[test]
    fn a_person_is_hidden_from_the_hair_to_the_lower_edge() {
        let face = BoxPx { left: 280.0, top: 120.0, right: 360.0, bottom: 220.0 };
        let free = background(640, 480, &[face]).expect("there is room beside");
        let is_free = |x: f32, y: f32| free.is_free(x, y, 1.0);
        for (x, y) in [(320.0, 170.0), (320.0, 75.0), (250.0, 150.0), (200.0, 330.0), (320.0, 475.0), (140.0, 475.0)] {
            assert!(!is_free(x, y), "{x} {y}");
        }
        for (x, y) in [(320.0, 50.0), (200.0, 150.0), (440.0, 150.0), (60.0, 475.0), (600.0, 475.0)] {
            assert!(is_free(x, y), "{x} {y}");
        }
        assert!(free.is_free(5.0, 5.0, 50.0), "what lies outside the picture does not count");
        assert!(!free.is_free(200.0, 150.0, 60.0));
    }

    #[test]
    fn the_outline_widens_and_never_narrows() {
        assert!((reach_ratio(-3.0) - 0.95).abs() < 1e-6 && (reach_ratio(9.0) - 2.4).abs() < 1e-6);
        let reaches: Vec<f32> = (-20_i16..40).map(|step| reach_ratio(f32::from(step) / 10.0)).collect();
        assert!(reaches.windows(2).all(|pair| pair[0] <= pair[1]));
        assert!(reach_ratio(f32::NAN) > 0.0);
    }

    #[test]
    fn pictures_that_cannot_be_used_are_told_by_their_reason() {
        let gap = |width, height, people: &[BoxPx]| background(width, height, people).err();
        assert_eq!(gap(95, 400, &[]), Some(SceneGap::TooSmall));
        assert_eq!(gap(4000, 400, &[]), Some(SceneGap::TooSmall), "64 rows of 640 columns");
        assert_eq!(gap(96, 96, &[]), None);
        let face = BoxPx { left: 100.0, top: 50.0, right: 300.0, bottom: 300.0 };
        assert_eq!(gap(400, 400, &[face]), Some(SceneGap::Hidden));
        for broken in
            [BoxPx { left: f32::NAN, ..face }, BoxPx { right: f32::INFINITY, ..face }, BoxPx { right: 90.0, ..face }]
        {
            assert_eq!(gap(640, 480, &[broken]), Some(SceneGap::PersonUnknown), "{broken:?}");
        }
        assert_eq!(gap(640, 480, &[face; 65]), Some(SceneGap::Hidden));
    }

    #[test]
    fn black_bars_are_no_background() {
        let (width, height) = (640_u32, 480_u32);
        let level = |x: u32, y: u32| {
            if (100..540).contains(&x) { (40 + (x * 7 + y * 13) % 200) as u8 } else { 4 }
        };
        let pixels = (0..height).flat_map(|y| (0..width).flat_map(move |x| [level(x, y); 3])).collect();
        let frame = RgbImage::new(width, height, pixels).expect("size fits");
        let found = Background::of(frame.view().into(), &[]).expect("works").expect("has some");
        assert!(!found.is_free(90.0, 180.0, 2.0) && !found.is_free(550.0, 180.0, 2.0));
        assert!(found.is_free(320.0, 240.0, 100.0) && found.mean_luma() > 100.0);
    }
}
