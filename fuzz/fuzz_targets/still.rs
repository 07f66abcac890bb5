//! Any bytes as a JPEG, PNG or WebP: a picture within the limits, or an error.
#![no_main]

use bonafide::media::{MediaLimits, decode_still};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let limits = MediaLimits { max_side_px: 256, max_pixels: 256 * 256, ..MediaLimits::default() };
    if let Ok(image) = decode_still(data, &limits) {
        assert!(image.width() <= 256 && image.height() <= 256);
        assert_eq!(image.pixels().len(), image.width() as usize * image.height() as usize * 3);
    }
});
