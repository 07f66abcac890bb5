//! Decoded pictures whose pixels become RGB where they are looked at.
//!
//! Stills are RGB from the start. Video stays in the planes that its decoder filled: most frames of a stream are only
//! glanced at ([`Thumbnail`](super::Thumbnail)), and the others are looked at where the face is.

use std::borrow::Cow;
use std::fmt;

use bytes::Bytes;
use ffmpeg_the_third::frame;

use super::image::{RgbImage, RgbView};
use super::native;
use super::raw::RawPlanes;
use super::reduce::{Reduction, reduce_rgb, reduce_yuv};
use super::yuv::YuvPicture;

/// An owned upright picture.
pub struct Picture {
    pixels: Pixels,
}

enum Pixels {
    Rgb(RgbImage),
    /// A frame that [`native::yuv_picture`] can read.
    Decoded(frame::Video),
    /// A sample whose bytes reach over all its planes.
    Sample(RawPlanes, Bytes),
}

impl Picture {
    /// A decoder's frame as it is; gives back one whose planes are not 8-bit YUV.
    pub(super) fn from_decoded(frame: frame::Video) -> Result<Self, frame::Video> {
        match native::yuv_picture(&frame) {
            Some(_) => Ok(Self { pixels: Pixels::Decoded(frame) }),
            None => Err(frame),
        }
    }

    /// A sample's planes as they came.
    pub(super) const fn from_sample(planes: RawPlanes, data: Bytes) -> Self {
        Self { pixels: Pixels::Sample(planes, data) }
    }

    /// Pixels a row; never zero.
    #[must_use]
    pub fn width(&self) -> u32 {
        match &self.pixels {
            Pixels::Rgb(image) => image.width(),
            Pixels::Decoded(frame) => frame.width(),
            Pixels::Sample(planes, _) => planes.width(),
        }
    }

    /// Rows; never zero.
    #[must_use]
    pub fn height(&self) -> u32 {
        match &self.pixels {
            Pixels::Rgb(image) => image.height(),
            Pixels::Decoded(frame) => frame.height(),
            Pixels::Sample(planes, _) => planes.height(),
        }
    }

    /// A borrowed picture of the same pixels.
    #[must_use]
    pub fn view(&self) -> PictureView<'_> {
        let yuv = match &self.pixels {
            Pixels::Rgb(image) => return image.view().into(),
            Pixels::Decoded(frame) => native::yuv_picture(frame),
            Pixels::Sample(planes, data) => planes.picture(data),
        };
        // Planes were looked at when the picture was made, so that there are some.
        let blank = || YuvPicture::blank(self.width() as usize, self.height() as usize);
        PictureView { width: self.width(), height: self.height(), pixels: ViewedPixels::Yuv(yuv.unwrap_or_else(blank)) }
    }

    /// All of it in packed RGB; costs nothing for what is that already.
    #[must_use]
    pub fn into_rgb(self) -> RgbImage {
        match self.pixels {
            Pixels::Rgb(image) => image,
            Pixels::Decoded(_) | Pixels::Sample(..) => self.view().to_rgb(),
        }
    }

    /// All of it in packed RGB; nothing is copied of what is that already.
    #[must_use]
    pub fn to_rgb(&self) -> Cow<'_, RgbImage> {
        match &self.pixels {
            Pixels::Rgb(image) => Cow::Borrowed(image),
            Pixels::Decoded(_) | Pixels::Sample(..) => Cow::Owned(self.view().to_rgb()),
        }
    }
}

impl From<RgbImage> for Picture {
    fn from(image: RgbImage) -> Self {
        Self { pixels: Pixels::Rgb(image) }
    }
}

impl fmt::Debug for Picture {
    /// Size only: pixels never reach a log.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Picture({}x{})", self.width(), self.height())
    }
}

/// A borrowed [`Picture`].
#[derive(Clone, Copy)]
pub struct PictureView<'a> {
    width: u32,
    height: u32,
    pixels: ViewedPixels<'a>,
}

#[derive(Clone, Copy)]
pub(super) enum ViewedPixels<'a> {
    Rgb(RgbView<'a>),
    Yuv(YuvPicture<'a>),
}

/// A rectangle of whole pixels.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Region {
    /// First column.
    pub left: u32,
    /// First row.
    pub top: u32,
    /// Columns.
    pub width: u32,
    /// Rows.
    pub height: u32,
}

impl<'a> PictureView<'a> {
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

    pub(super) const fn pixels(&self) -> ViewedPixels<'a> {
        self.pixels
    }

    /// Packed RGB that holds the part of `region` that lies in the picture: of YUV that and hardly more, of RGB what there
    /// is, nothing copied. `None` when no pixel of the region lies in the picture.
    #[must_use]
    pub fn window(&self, region: Region) -> Option<RgbWindow<'a>> {
        let (left, width) = overlap(region.left, region.width, self.width)?;
        let (top, height) = overlap(region.top, region.height, self.height)?;
        match self.pixels {
            ViewedPixels::Rgb(view) => {
                let region = Region { left: 0, top: 0, width: self.width, height: self.height };
                Some(RgbWindow { region, factor: 1, pixels: Cow::Borrowed(view.pixels()) })
            }
            ViewedPixels::Yuv(picture) => {
                let region = from_whole_samples(Region { left, top, width, height }, picture);
                Some(RgbWindow { region, factor: 1, pixels: Cow::Owned(cut(picture, region)?.to_rgb()) })
            }
        }
    }

    /// As [`PictureView::window`], made smaller; a rest that fills no square is left out. `None` when there is no whole square.
    #[must_use]
    pub fn reduced_window(&self, region: Region, reduction: Reduction) -> Option<RgbWindow<'a>> {
        if reduction == Reduction::One {
            return self.window(region);
        }
        let factor = reduction.factor();
        let (left, width) = overlap(region.left, region.width, self.width)?;
        let (top, height) = overlap(region.top, region.height, self.height)?;
        let squares = |region: Region| {
            let Region { width, height, .. } = region;
            let (width, height) = (width / factor * factor, height / factor * factor);
            (width > 0 && height > 0).then_some(Region { width, height, ..region })
        };
        let region = Region { left, top, width, height };
        let (region, pixels) = match self.pixels {
            ViewedPixels::Rgb(view) => {
                let region = squares(region)?;
                (region, reduce_rgb(view.pixels(), view.width() as usize * 3, region, reduction))
            }
            ViewedPixels::Yuv(picture) => {
                let region = squares(from_whole_samples(region, picture))?;
                (region, reduce_yuv(cut(picture, region)?, reduction))
            }
        };
        Some(RgbWindow { region, factor, pixels: Cow::Owned(pixels) })
    }

    /// All of it in packed RGB.
    #[must_use]
    pub fn to_rgb(&self) -> RgbImage {
        let pixels = match self.pixels {
            ViewedPixels::Rgb(view) => view.pixels().to_vec(),
            ViewedPixels::Yuv(picture) => picture.to_rgb(),
        };
        RgbImage::of_converted(self.width, self.height, pixels)
    }
}

impl<'a> From<RgbView<'a>> for PictureView<'a> {
    fn from(view: RgbView<'a>) -> Self {
        Self { width: view.width(), height: view.height(), pixels: ViewedPixels::Rgb(view) }
    }
}

impl<'a> From<&'a RgbImage> for PictureView<'a> {
    fn from(image: &'a RgbImage) -> Self {
        image.view().into()
    }
}

impl fmt::Debug for PictureView<'_> {
    /// Size only: pixels never reach a log.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PictureView({}x{})", self.width, self.height)
    }
}

/// Part of a picture in packed RGB.
///
/// # Shapes
/// `[height / factor, width / factor, 3]` of its region, u8, RGB, 0..=255.
pub struct RgbWindow<'a> {
    region: Region,
    factor: u32,
    pixels: Cow<'a, [u8]>,
}

impl RgbWindow<'_> {
    /// Where it lies in the picture.
    #[must_use]
    pub const fn region(&self) -> Region {
        self.region
    }

    /// Pixels a row, and rows.
    #[must_use]
    pub const fn size(&self) -> (u32, u32) {
        (self.region.width / self.factor, self.region.height / self.factor)
    }

    /// Pixels of the picture a side of each of its own.
    #[must_use]
    pub const fn factor(&self) -> u32 {
        self.factor
    }

    /// The packed bytes.
    #[must_use]
    pub fn pixels(&self) -> &[u8] {
        &self.pixels
    }
}

impl fmt::Debug for RgbWindow<'_> {
    /// Place only: pixels never reach a log.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "RgbWindow({:?}, factor {})", self.region, self.factor)
    }
}

/// The part of a stretch that lies within `size`: start and length, not zero.
fn overlap(start: u32, length: u32, size: u32) -> Option<(u32, u32)> {
    let end = start.saturating_add(length).min(size);
    (start < end).then(|| (start, end - start))
}

/// The region from the first pixels of its first chroma sample on.
fn from_whole_samples(region: Region, picture: YuvPicture<'_>) -> Region {
    let (left, width) = whole_samples(region.left, region.width, picture.chroma_columns);
    let (top, height) = whole_samples(region.top, region.height, picture.chroma_rows);
    Region { left, top, width, height }
}

fn cut(picture: YuvPicture<'_>, region: Region) -> Option<YuvPicture<'_>> {
    let Region { left, top, width, height } = region;
    picture.cut([left, top, width, height].map(|side| side as usize))
}

/// A stretch that begins with the first pixel of a chroma sample.
fn whole_samples(start: u32, length: u32, pixels_a_sample: usize) -> (u32, u32) {
    let before = u32::try_from(pixels_a_sample).map_or(0, |pixels| start % pixels.max(1));
    (start - before, length + before)
}

#[cfg(test)]
mod tests;
