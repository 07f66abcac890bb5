//! A small grey picture of a frame, and what it says beside the one before.

use super::native;
use super::picture::{PictureView, ViewedPixels};
use super::picture_stats::PictureStats;

/// Weights of red, green and blue in luma, of 65 536.
///
/// # Source
/// ITU-R BT.601-7; gamma-coded values are weighted as they are, as luma is defined.
const LUMA_WEIGHTS: [u32; 3] = [19_595, 38_470, 7_471];
const LUMA_SHIFT: u32 = 16;
/// Rows of bytes whose sum a `u16` holds.
const MAX_ROWS_A_SUM: usize = 256;
const HASH_SIDE: usize = 8;
/// The largest luma level.
const WHITE_LEVEL: f64 = 255.0;

/// Luma of a frame, area-averaged to a fixed size whatever the frame's shape.
///
/// # Shapes
/// `[HEIGHT, WIDTH]`, f32, 8-bit levels (0..=255) with fractions.
#[derive(Clone, PartialEq)]
pub struct Thumbnail {
    levels: Box<[f32]>,
}

impl Thumbnail {
    /// Cells a row.
    pub const WIDTH: usize = 64;
    /// Rows.
    pub const HEIGHT: usize = 36;

    /// Averages the luma of `view` over each cell.
    ///
    /// Each pixel belongs to exactly one cell. A frame narrower or lower than the thumbnail repeats its nearest pixel. The luma
    /// of video is what the video says it is, brought to full range; it is not converted for this.
    #[must_use]
    pub fn of(view: PictureView<'_>) -> Self {
        let size = (view.width() as usize, view.height() as usize);
        let levels = match view.pixels() {
            ViewedPixels::Rgb(view) => {
                let row_bytes = size.0 * LUMA_WEIGHTS.len();
                let weights = LUMA_WEIGHTS.map(|weight| f64::from(weight) / f64::from(1_u32 << LUMA_SHIFT));
                let rows = |row_idx| view.pixels().get(row_idx * row_bytes..(row_idx + 1) * row_bytes);
                average(size, rows, |means: [f64; 3]| {
                    means.iter().zip(weights).map(|(mean, weight)| mean * weight).sum()
                })
            }
            ViewedPixels::Yuv(picture) => {
                let (black, span) = picture.range.luma_levels();
                let rows = |row_idx| picture.luma.row(row_idx, size.0);
                average(size, rows, |[luma]| ((luma - black) * WHITE_LEVEL / span).clamp(0.0, WHITE_LEVEL))
            }
        };
        Self { levels: levels.into_boxed_slice() }
    }

    /// The cells, row by row from the top.
    #[must_use]
    pub fn levels(&self) -> &[f32] {
        &self.levels
    }

    /// The figures of this frame, whose full size was `width_px` x `height_px`, beside the frame before it.
    #[must_use]
    pub fn stats(&self, width_px: u32, height_px: u32, previous: Option<&Self>) -> PictureStats {
        let n_cells = self.levels.len() as f64;
        let mean = self.levels.iter().copied().map(f64::from).sum::<f64>() / n_cells;
        let variance = self.levels.iter().map(|&level| (f64::from(level) - mean).powi(2)).sum::<f64>() / n_cells;
        let change = previous.map(|previous| {
            let pairs = self.levels.iter().zip(&previous.levels);
            to_f32(pairs.map(|(now, before)| f64::from((now - before).abs())).sum::<f64>() / n_cells)
        });
        PictureStats {
            width_px,
            height_px,
            mean_luma: to_f32(mean / WHITE_LEVEL),
            luma_deviation: to_f32(variance.sqrt() / WHITE_LEVEL),
            change_levels: change,
            average_hash: self.average_hash(),
        }
    }

    /// One bit a cell of an 8 x 8 grid, row by row from the top left at the highest bit: set where the cell is brighter
    /// than the mean of the grid.
    fn average_hash(&self) -> u64 {
        let mut grid = Vec::with_capacity(HASH_SIDE * HASH_SIDE);
        for (top, bottom) in cells(Self::HEIGHT, HASH_SIDE) {
            for (left, right) in cells(Self::WIDTH, HASH_SIDE) {
                let rows = self.levels.chunks_exact(Self::WIDTH).skip(top).take(bottom - top);
                let sum: f64 = rows.flat_map(|row| row.iter().take(right).skip(left)).copied().map(f64::from).sum();
                grid.push(sum / ((bottom - top) * (right - left)) as f64);
            }
        }
        let mean = grid.iter().sum::<f64>() / grid.len() as f64;
        grid.iter().fold(0, |hash, &cell| (hash << 1) | u64::from(cell > mean))
    }
}

impl std::fmt::Debug for Thumbnail {
    /// Size only: pixels never reach a log.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Thumbnail({}x{})", Self::WIDTH, Self::HEIGHT)
    }
}

/// Figures are summed in f64 and kept in f32.
#[expect(clippy::cast_possible_truncation, reason = "no figure here is above 255; the lost digits are below the noise")]
fn to_f32(value: f64) -> f32 {
    value as f32
}

/// Divides `length` into `n` consecutive spans, none of them empty.
fn cells(length: usize, n: usize) -> impl Iterator<Item = (usize, usize)> {
    (0..n).map(move |cell| {
        let begin = (cell * length / n).min(length.saturating_sub(1));
        (begin, ((cell + 1) * length / n).max(begin + 1))
    })
}

/// The luma of each cell of a picture of `width` by `height` pixels with `CHANNELS` bytes a pixel, from the means of the
/// channels over the cell.
fn average<'a, const CHANNELS: usize>(
    (width, height): (usize, usize),
    row: impl Fn(usize) -> Option<&'a [u8]>,
    luma: impl Fn([f64; CHANNELS]) -> f64,
) -> Vec<f32> {
    let mut columns = vec![0_u16; width * CHANNELS];
    let mut levels = Vec::with_capacity(Thumbnail::WIDTH * Thumbnail::HEIGHT);
    for (top, bottom) in cells(height, Thumbnail::HEIGHT) {
        let mut sums = [[0_u64; CHANNELS]; Thumbnail::WIDTH];
        for first in (top..bottom).step_by(MAX_ROWS_A_SUM) {
            columns.fill(0);
            (first..bottom.min(first + MAX_ROWS_A_SUM))
                .filter_map(&row)
                .for_each(|row| native::add_row(row, &mut columns));
            add_cells(&columns, cells(width, Thumbnail::WIDTH), &mut sums);
        }
        levels.extend(sums.iter().zip(cells(width, Thumbnail::WIDTH)).map(|(sum, (left, right))| {
            let n_pixels = ((right - left) * (bottom - top)) as f64;
            to_f32(luma(sum.map(|sum| sum as f64 / n_pixels)))
        }));
    }
    levels
}

/// Adds the sums of each cell's columns, channel by channel.
fn add_cells<const CHANNELS: usize>(
    columns: &[u16],
    cells: impl Iterator<Item = (usize, usize)>,
    sums: &mut [[u64; CHANNELS]],
) {
    let columns = columns.as_chunks::<CHANNELS>().0;
    for (sum, (left, right)) in sums.iter_mut().zip(cells) {
        for pixel in columns.get(left..right).unwrap_or_default() {
            for (total, level) in sum.iter_mut().zip(pixel) {
                *total += u64::from(*level);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::{any, proptest};

    use super::super::image::RgbImage;
    use super::Thumbnail;

    fn image(width: u32, height: u32, pixel: impl Fn(u32, u32) -> [u8; 3]) -> RgbImage {
        let pixels = (0..height).flat_map(|y| (0..width).map(move |x| (x, y))).flat_map(|(x, y)| pixel(x, y)).collect();
        RgbImage::new(width, height, pixels).expect("sizes agree")
    }

    #[test]
    fn a_flat_picture_has_its_level_and_no_deviation() {
        for (width, height) in [(1, 1), (7, 3), (64, 36), (65, 37), (640, 360), (33, 700)] {
            let thumbnail = Thumbnail::of(image(width, height, |_, _| [51, 51, 51]).view().into());
            assert_eq!(thumbnail.levels().len(), Thumbnail::WIDTH * Thumbnail::HEIGHT);
            let stats = thumbnail.stats(width, height, None);
            assert!((stats.mean_luma - 0.2).abs() < 1e-4, "{stats:?}");
            assert!(stats.luma_deviation < 1e-4, "{stats:?}");
            assert_eq!((stats.width_px, stats.height_px, stats.change_levels), (width, height, None));
        }
    }

    #[test]
    fn each_cell_is_the_mean_of_its_own_pixels() {
        // 128 x 72: each cell is two by two pixels; the left column of each pair is black, the right one white.
        let thumbnail = Thumbnail::of(image(128, 72, |x, _| [255 * (x % 2) as u8; 3]).view().into());
        assert!(thumbnail.levels().iter().all(|level| (level - 127.5).abs() < 0.01));
    }

    #[test]
    fn luma_weighs_green_most() {
        let level = |pixel| Thumbnail::of(image(64, 36, |_, _| pixel).view().into()).levels()[0];
        for (pixel, expected) in [([255, 0, 0], 76.245), ([0, 255, 0], 149.685), ([0, 0, 255], 29.07)] {
            assert!((level(pixel) - expected).abs() < 0.01, "{pixel:?}: {}", level(pixel));
        }
    }

    #[test]
    fn a_change_of_a_fraction_of_a_level_is_seen() {
        let before = Thumbnail::of(image(640, 360, |_, _| [100, 100, 100]).view().into());
        // One row of ten is a level brighter.
        let after = Thumbnail::of(image(640, 360, |_, y| [100 + u8::from(y % 10 == 0); 3]).view().into());
        let change = after.stats(640, 360, Some(&before)).change_levels.expect("there is a previous one");
        assert!((change - 0.1).abs() < 0.001, "{change}");
        assert_eq!(after.stats(640, 360, Some(&after)).change_levels, Some(0.0));
    }

    #[test]
    fn the_hash_has_its_first_bit_at_the_top_left() {
        // Blocks stay clear of the cells' borders, which do not fall on whole rows.
        let bright = |x0: u32, y0: u32| {
            let inside = move |x, y| x / 80 == x0 && (45 * y0 + 5..45 * y0 + 40).contains(&y);
            image(640, 360, move |x, y| [if inside(x, y) { 250 } else { 10 }; 3])
        };
        let hash = |image: &RgbImage| Thumbnail::of(image.view().into()).stats(640, 360, None).average_hash;
        assert_eq!(hash(&bright(0, 0)), 1 << 63);
        assert_eq!(hash(&bright(7, 7)), 1);
        assert_eq!(hash(&bright(3, 0)), 1 << 60);
    }

    proptest! {
        #[test]
        fn figures_are_finite_and_in_range(width in 1_u32..200, height in 1_u32..200, seed in any::<u32>()) {
            let noise = |x: u32, y: u32| [(x * 31) ^ y.wrapping_mul(seed), x ^ seed, y + x].map(|word| word.to_le_bytes()[0]);
            let thumbnail = Thumbnail::of(image(width, height, noise).view().into());
            let stats = thumbnail.stats(width, height, Some(&thumbnail));
            assert!((0.0..=1.0).contains(&stats.mean_luma), "{stats:?}");
            assert!((0.0..=0.5).contains(&stats.luma_deviation), "{stats:?}");
            assert_eq!(stats.change_levels, Some(0.0));
        }
    }
}
