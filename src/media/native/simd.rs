//! Functions compiled for more than one instruction set.

use crate::media::reduce;
use crate::media::yuv::{YuvPicture, convert_rows};

/// Converts `picture` into `rgb` (`[height, width, 3]`) with the widest vectors that this CPU has.
///
/// The arithmetic is integer and the same in each variant, so the pixels are, too.
pub(in crate::media) fn convert_yuv(picture: YuvPicture<'_>, rgb: &mut [u8]) {
    #[cfg(target_arch = "x86_64")]
    if std::arch::is_x86_feature_detected!("avx2") {
        // SAFETY: the CPU has AVX2, which is all that the function asks for.
        unsafe { convert_rows_avx2(picture, rgb) };
        return;
    }
    convert_rows(picture, rgb);
}

/// [`convert_rows`], compiled with 256-bit vectors: a third of the time of the baseline build.
#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2")]
fn convert_rows_avx2(picture: YuvPicture<'_>, rgb: &mut [u8]) {
    convert_rows(picture, rgb);
}

/// [`reduce::reduce_rows`] with the widest vectors that this CPU has; the same arithmetic in each variant.
pub(in crate::media) fn reduce_rows<'a, const CHANNELS: usize>(
    rows: impl Iterator<Item = &'a [u8]>,
    row_bytes: usize,
    halvings: [u32; 2],
) -> Vec<u8> {
    #[cfg(target_arch = "x86_64")]
    if std::arch::is_x86_feature_detected!("avx2") {
        // SAFETY: the CPU has AVX2, which is all that the function asks for.
        return unsafe { reduce_rows_avx2::<CHANNELS>(rows, row_bytes, halvings) };
    }
    reduce::reduce_rows::<CHANNELS>(rows, row_bytes, halvings)
}

/// [`reduce::reduce_rows`], compiled with 256-bit vectors.
#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2")]
fn reduce_rows_avx2<'a, const CHANNELS: usize>(
    rows: impl Iterator<Item = &'a [u8]>,
    row_bytes: usize,
    halvings: [u32; 2],
) -> Vec<u8> {
    reduce::reduce_rows::<CHANNELS>(rows, row_bytes, halvings)
}

/// [`reduce::add_row`] with the widest vectors that this CPU has.
pub(in crate::media) fn add_row(row: &[u8], columns: &mut [u16]) {
    #[cfg(target_arch = "x86_64")]
    if std::arch::is_x86_feature_detected!("avx2") {
        // SAFETY: the CPU has AVX2, which is all that the function asks for.
        unsafe { add_row_avx2(row, columns) };
        return;
    }
    reduce::add_row(row, columns);
}

/// [`reduce::add_row`], compiled with 256-bit vectors.
#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2")]
fn add_row_avx2(row: &[u8], columns: &mut [u16]) {
    reduce::add_row(row, columns);
}
