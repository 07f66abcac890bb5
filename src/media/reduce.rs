//! Pictures made smaller: each pixel is the mean of a square of 2, 4, 8 or 16 pixels a side.
//!
//! A large face is reduced before it is warped into a model's input, lest it aliases; video is reduced in its planes, so that
//! only what is left is converted.

#![expect(clippy::inline_always, reason = "inlined bodies are compiled once for each instruction set of their callers")]

use super::native;
use super::picture::Region;
use super::yuv::{Chroma, Plane, YuvPicture};

/// Pixels a side of a square, as a power of two.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reduction {
    /// None.
    One,
    /// 2 by 2.
    Two,
    /// 4 by 4.
    Four,
    /// 8 by 8.
    Eight,
    /// 16 by 16: of more than these the sum would not fit into 16 bits.
    Sixteen,
}

impl Reduction {
    /// The strongest that is not above `ratio`.
    #[must_use]
    pub fn at_most(ratio: f64) -> Self {
        let all = [Self::Sixteen, Self::Eight, Self::Four, Self::Two];
        all.into_iter().find(|reduction| f64::from(reduction.factor()) <= ratio).unwrap_or(Self::One)
    }

    /// Pixels a side.
    #[must_use]
    pub const fn factor(self) -> u32 {
        1 << self.halvings()
    }

    /// How often the sides are halved.
    const fn halvings(self) -> u32 {
        match self {
            Self::One => 0,
            Self::Two => 1,
            Self::Four => 2,
            Self::Eight => 3,
            Self::Sixteen => 4,
        }
    }
}

/// Part of packed RGB made smaller; the region lies in the picture and its sides are multiples of the factor.
pub(super) fn reduce_rgb(pixels: &[u8], row_bytes: usize, region: Region, reduction: Reduction) -> Vec<u8> {
    let Region { left, top, width, height } = region;
    let (first_byte, width) = (left as usize * 3, width as usize * 3);
    let rows = pixels.chunks_exact(row_bytes).skip(top as usize).take(height as usize);
    native::reduce_rows::<3>(
        rows.filter_map(|row| row.get(first_byte..first_byte + width)),
        width,
        [reduction.halvings(); 2],
    )
}

/// YUV made smaller, in packed RGB; its sides are multiples of the factor.
pub(super) fn reduce_yuv(picture: YuvPicture<'_>, reduction: Reduction) -> Vec<u8> {
    let YuvPicture { width, height, chroma_columns, chroma_rows, .. } = picture;
    let halvings = reduction.halvings();
    let luma = native::reduce_rows::<1>(picture.luma.rows(width), width, [halvings; 2]);
    // Chroma that is halved already is halved once less.
    let of_chroma = [chroma_columns, chroma_rows].map(|pixels| halvings - u32::from(pixels > 1));
    let chroma_width = width / chroma_columns;
    let (width, height) = (width >> halvings, height >> halvings);
    let plane = |bytes, bytes_a_pixel| Plane::new(bytes, width * bytes_a_pixel, width * bytes_a_pixel, height);
    let convert = |chroma| {
        let luma = plane(&luma, 1)?;
        Some(YuvPicture { width, height, luma, chroma, chroma_columns: 1, chroma_rows: 1, ..picture }.to_rgb())
    };
    let rgb = match picture.chroma {
        Chroma::Planar(u, v) => {
            let [u, v] =
                [u, v].map(|plane| native::reduce_rows::<1>(plane.rows(chroma_width), chroma_width, of_chroma));
            plane(&u, 1).zip(plane(&v, 1)).and_then(|(u, v)| convert(Chroma::Planar(u, v)))
        }
        Chroma::Interleaved(uv) => {
            let uv = native::reduce_rows::<2>(uv.rows(chroma_width * 2), chroma_width * 2, of_chroma);
            plane(&uv, 2).and_then(|uv| convert(Chroma::Interleaved(uv)))
        }
    };
    rgb.unwrap_or_default()
}

/// The means of rectangles of `2^columns` by `2^rows` pixels of `CHANNELS` bytes; inlined into one function per instruction set
/// by [`native::reduce_rows`].
#[inline(always)]
pub(super) fn reduce_rows<'a, const CHANNELS: usize>(
    rows: impl Iterator<Item = &'a [u8]>,
    row_bytes: usize,
    [columns, rows_a_sum]: [u32; 2],
) -> Vec<u8> {
    let (mut sums, mut halved) = (vec![0_u16; row_bytes], vec![0_u16; row_bytes]);
    let mut means = Vec::new();
    let (n_rows, shift) = (1_usize << rows_a_sum, columns + rows_a_sum);
    let half = (1_u16 << shift) >> 1;
    for (row_idx, row) in rows.enumerate() {
        if row_idx % n_rows == 0 {
            sums.fill(0);
        }
        add_row(row, &mut sums);
        if row_idx % n_rows == n_rows - 1 {
            let mut length = row_bytes;
            for _ in 0..columns {
                length = add_neighbours::<CHANNELS>(&sums, length, &mut halved);
                std::mem::swap(&mut sums, &mut halved);
            }
            let of_row = sums.iter().take(length);
            means.extend(of_row.map(|sum| ((sum + half) >> shift).to_le_bytes()[0]));
        }
    }
    means
}

/// Adds one row to the sums of its columns; inlined as [`reduce_rows`] is.
#[inline(always)]
pub(super) fn add_row(row: &[u8], columns: &mut [u16]) {
    for (sum, level) in columns.iter_mut().zip(row) {
        *sum += u16::from(*level);
    }
}

/// Adds every second pixel to the one before it; returns how many values there are then.
#[inline(always)]
fn add_neighbours<const CHANNELS: usize>(sums: &[u16], length: usize, halved: &mut [u16]) -> usize {
    let pixels = sums.get(..length).unwrap_or_default().as_chunks::<CHANNELS>().0;
    let pairs = pixels.as_chunks::<2>().0;
    for (target, [first, second]) in halved.as_chunks_mut::<CHANNELS>().0.iter_mut().zip(pairs) {
        for ((target, first), second) in target.iter_mut().zip(first).zip(second) {
            *target = first + second;
        }
    }
    pairs.len() * CHANNELS
}

#[cfg(test)]
mod tests;
