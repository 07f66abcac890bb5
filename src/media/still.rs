//! JPEG, PNG and WebP pictures: in with every bound checked, and JPEG out.

use std::fs::File;
use std::io::{Cursor, Read};
use std::path::Path;

use image::codecs::jpeg::{JpegDecoder, JpegEncoder};
use image::codecs::png::PngDecoder;
use image::codecs::webp::WebPDecoder;
use image::{DynamicImage, ExtendedColorType, ImageDecoder, ImageEncoder, ImageResult, Limits};

use super::error::MediaError;
use super::fit::fit_within;
use super::format::VideoFormat;
use super::image::{RgbImage, RgbView};
use super::limits::MediaLimits;
use super::sniff::sniff;

/// Bytes a pixel at most in a decoder: 16-bit RGBA beside the 8-bit RGB that is made of it.
const DECODER_BYTES_PER_PX: u64 = 12;
/// What a decoder may use beside pixels: tables, one row, metadata.
const DECODER_OVERHEAD_BYTES: u64 = 4 * 1024 * 1024;
/// JPEG quality below which fewer pixels show more.
const MIN_QUALITY: u8 = 30;
/// By how much the quality is lowered when a picture is too large: about a quarter of its bytes.
const QUALITY_STEP: u8 = 15;
/// Side from which a picture is not made smaller to save bytes.
const MIN_SIDE_PX: u32 = 16;
/// The formats that are tried, for messages.
const STILLS: &str = "JPEG, PNG or WebP picture";

/// Decodes a still of whatever format its bytes are, upright by its EXIF orientation.
///
/// Alpha is dropped, grey and 16-bit pictures are converted, of an animation the first picture is taken.
///
/// # Errors
/// [`MediaError::OverLimit`] by the size its header states, before a pixel is decoded; [`MediaError::Undecodable`] when
/// the bytes are no still or a damaged one.
pub fn decode_still(data: &[u8], limits: &MediaLimits) -> Result<RgbImage, MediaError> {
    limits.check_sample_bytes(data.len())?;
    let cursor = Cursor::new(data);
    match sniff(data) {
        Some(VideoFormat::Jpeg) => decode(JpegDecoder::new(cursor), "JPEG", limits),
        Some(VideoFormat::Png) => decode(PngDecoder::with_limits(cursor, decoder_limits(limits)), "PNG", limits),
        Some(VideoFormat::WebP) => decode(WebPDecoder::new(cursor), "WebP", limits),
        _ => Err(MediaError::Undecodable {
            expected: STILLS,
            problem: format!(
                "{} bytes that begin with none of their magic numbers; set format to what they are",
                data.len()
            ),
        }),
    }
}

/// Reads and decodes a still from a file, whatever its name.
///
/// # Errors
/// [`MediaError::Io`] when it cannot be read, otherwise as [`decode_still`].
pub fn still_from_file(path: &Path, limits: &MediaLimits) -> Result<RgbImage, MediaError> {
    let io = |source| MediaError::Io { source };
    let mut data = Vec::new();
    let file = File::open(path).map_err(io)?;
    file.take(limits.max_sample_bytes.saturating_add(1)).read_to_end(&mut data).map_err(io)?;
    decode_still(&data, limits)
}

/// Encodes a picture as baseline JPEG.
///
/// # Units
/// `quality` is 1 (smallest) to 100 (best); other values are brought into that range.
///
/// # Errors
/// [`MediaError::OverLimit`] when a side is over the 65 535 px that JPEG can state.
pub fn encode_jpeg(view: RgbView<'_>, quality: u8) -> Result<Vec<u8>, MediaError> {
    let longer = view.width().max(view.height());
    if longer > u32::from(u16::MAX) {
        return Err(MediaError::OverLimit {
            what: "longer side in px",
            actual: f64::from(longer),
            limit: f64::from(u16::MAX),
            remedy: "scale the picture down",
        });
    }
    let mut encoded = Vec::new();
    JpegEncoder::new_with_quality(&mut encoded, quality.clamp(1, 100))
        .write_image(view.pixels(), view.width(), view.height(), ExtendedColorType::Rgb8)
        .map_err(|source| MediaError::Decoder { problem: source.to_string() })?;
    Ok(encoded)
}

/// A JPEG that was made to fit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FittedJpeg {
    /// The encoded bytes.
    pub jpeg: Vec<u8>,
    /// Pixels a row, which may be fewer than those of the picture.
    pub width: u32,
    /// Rows.
    pub height: u32,
    /// The quality that fitted: to begin with for the next picture alike.
    pub quality: u8,
}

/// Encodes a picture as baseline JPEG of at most `max_bytes`: at `quality` if that fits, else at a lower one, at last with a
/// quarter of the pixels as often as it takes.
///
/// # Errors
/// As [`encode_jpeg`].
pub fn encode_jpeg_within(view: RgbView<'_>, max_bytes: usize, quality: u8) -> Result<FittedJpeg, MediaError> {
    let mut quality = quality.clamp(MIN_QUALITY, 100);
    let mut smaller: Option<RgbImage> = None;
    loop {
        let view = smaller.as_ref().map_or(view, RgbImage::view);
        let jpeg = encode_jpeg(view, quality)?;
        if jpeg.len() <= max_bytes || view.width().max(view.height()) <= MIN_SIDE_PX {
            return Ok(FittedJpeg { jpeg, width: view.width(), height: view.height(), quality });
        }
        if quality > MIN_QUALITY {
            quality = quality.saturating_sub(QUALITY_STEP).max(MIN_QUALITY);
        } else {
            smaller = Some(fit_within(view, ((view.width() / 2).max(2), (view.height() / 2).max(2)))?);
        }
    }
}

fn decoder_limits(limits: &MediaLimits) -> Limits {
    let mut bounds = Limits::default();
    bounds.max_image_width = Some(limits.max_side_px);
    bounds.max_image_height = Some(limits.max_side_px);
    bounds.max_alloc =
        Some(limits.max_pixels.saturating_mul(DECODER_BYTES_PER_PX).saturating_add(DECODER_OVERHEAD_BYTES));
    bounds
}

/// `opened` has read the header only.
fn decode<D: ImageDecoder>(
    opened: ImageResult<D>,
    expected: &'static str,
    limits: &MediaLimits,
) -> Result<RgbImage, MediaError> {
    let undecodable = |source: image::ImageError| MediaError::Undecodable { expected, problem: source.to_string() };
    let mut decoder = opened.map_err(undecodable)?;
    let (width, height) = decoder.dimensions();
    limits.check_picture(width, height)?;
    decoder.set_limits(decoder_limits(limits)).map_err(undecodable)?;
    let orientation = decoder.orientation().map_err(undecodable)?;
    let mut picture = DynamicImage::from_decoder(decoder).map_err(undecodable)?;
    picture.apply_orientation(orientation);
    let rgb = picture.into_rgb8();
    RgbImage::new(rgb.width(), rgb.height(), rgb.into_raw())
}

#[cfg(test)]
mod tests;
