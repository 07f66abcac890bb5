//! Packed RGB pictures.

use std::fmt;

use super::error::MediaError;

/// An owned picture: packed RGB, 8 bits a channel, rows from the top, no padding.
///
/// # Shapes
/// `[height, width, 3]`, u8, RGB, 0..=255.
#[derive(Clone, PartialEq, Eq)]
pub struct RgbImage {
    width: u32,
    height: u32,
    pixels: Vec<u8>,
}

impl RgbImage {
    /// Wraps packed RGB bytes.
    ///
    /// # Errors
    /// [`MediaError::PixelCount`] unless `pixels.len() == width * height * 3` and neither side is zero.
    pub fn new(width: u32, height: u32, pixels: Vec<u8>) -> Result<Self, MediaError> {
        let expected_bytes = u64::from(width) * u64::from(height) * 3;
        if expected_bytes == 0 || expected_bytes != pixels.len() as u64 {
            return Err(MediaError::PixelCount { width, height, expected_bytes, actual_bytes: pixels.len() as u64 });
        }
        Ok(Self { width, height, pixels })
    }

    /// Wraps packed RGB bytes that a conversion has made for exactly this size: what is missing would be black.
    pub(super) fn of_converted(width: u32, height: u32, mut pixels: Vec<u8>) -> Self {
        pixels.resize(width as usize * height as usize * 3, 0);
        Self { width, height, pixels }
    }

    /// Pixels a row; never zero.
    #[must_use]
    pub const fn width(&self) -> u32 {
        self.width
    }

    /// Rows; never zero.
    #[must_use]
    pub const fn height(&self) -> u32 {
        self.height
    }

    /// The packed bytes.
    #[must_use]
    pub fn pixels(&self) -> &[u8] {
        &self.pixels
    }

    /// A borrowed picture of the same pixels.
    #[must_use]
    pub fn view(&self) -> RgbView<'_> {
        RgbView { width: self.width, height: self.height, pixels: &self.pixels }
    }

    /// Gives the packed bytes back.
    #[must_use]
    pub fn into_pixels(self) -> Vec<u8> {
        self.pixels
    }
}

impl fmt::Debug for RgbImage {
    /// Size only: pixels never reach a log.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "RgbImage({}x{})", self.width, self.height)
    }
}

/// A borrowed [`RgbImage`].
#[derive(Clone, Copy)]
pub struct RgbView<'a> {
    width: u32,
    height: u32,
    pixels: &'a [u8],
}

impl<'a> RgbView<'a> {
    /// Pixels a row; never zero.
    #[must_use]
    pub const fn width(&self) -> u32 {
        self.width
    }

    /// Rows; never zero.
    #[must_use]
    pub const fn height(&self) -> u32 {
        self.height
    }

    /// The packed bytes, `height * width * 3` of them.
    #[must_use]
    pub const fn pixels(&self) -> &'a [u8] {
        self.pixels
    }
}

impl fmt::Debug for RgbView<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "RgbView({}x{})", self.width, self.height)
    }
}
