//! Bare pixels with a layout.

use bytes::Bytes;

use super::error::MediaError;
use super::format::{PixelLayout, VideoFormat};
use super::image::RgbImage;
use super::limits::MediaLimits;
use super::picture::Picture;
use super::yuv::{Chroma, Plane, YuvMatrix, YuvPicture, plane_bytes};

/// Reads a raw sample, not rotated: packed pixels are converted, planes stay as they are.
///
/// I420 and NV12 use BT.601 up to standard definition and BT.709 above (see [`YuvMatrix::guess`]); a chroma sample is
/// repeated over its two by two pixels, and the last column or row of an odd size has a chroma sample of its own.
///
/// # Errors
/// [`MediaError::InvalidField`] when the layout is missing, has a zero side, the wrong number of strides, a stride
/// shorter than a row, or asks for more bytes than `data` has; [`MediaError::OverLimit`] past a limit.
pub(super) fn decode_raw(
    format: VideoFormat,
    layout: Option<&PixelLayout>,
    data: &Bytes,
    limits: &MediaLimits,
) -> Result<Picture, MediaError> {
    let layout = layout.ok_or_else(|| MediaError::InvalidField {
        field: "layout",
        problem: format!("missing, and {format:?} pixels cannot be read without width and height"),
    })?;
    limits.check_picture(layout.width, layout.height)?;
    let planes = Planes { format, layout, data };
    let pixels = match format {
        VideoFormat::Rgb24 => packed::<3>(&planes, [0, 1, 2])?,
        VideoFormat::Bgr24 => packed::<3>(&planes, [2, 1, 0])?,
        VideoFormat::Rgba32 => packed::<4>(&planes, [0, 1, 2])?,
        VideoFormat::Bgra32 => packed::<4>(&planes, [2, 1, 0])?,
        VideoFormat::I420 | VideoFormat::Nv12 => {
            subsampled(&planes)?;
            return Ok(Picture::from_sample(RawPlanes { format, layout: layout.clone() }, data.clone()));
        }
        VideoFormat::Jpeg
        | VideoFormat::Png
        | VideoFormat::WebP
        | VideoFormat::H264
        | VideoFormat::Vp8
        | VideoFormat::Vp9
        | VideoFormat::Av1 => {
            return Err(MediaError::InvalidField { field: "format", problem: format!("{format:?} is not raw pixels") });
        }
    };
    RgbImage::new(layout.width, layout.height, pixels).map(Picture::from)
}

/// How the bytes of an I420 or NV12 sample are divided into planes.
pub(super) struct RawPlanes {
    format: VideoFormat,
    layout: PixelLayout,
}

impl RawPlanes {
    pub(super) const fn width(&self) -> u32 {
        self.layout.width
    }

    pub(super) const fn height(&self) -> u32 {
        self.layout.height
    }

    /// The planes of the sample that the division was made for; `None` for bytes that do not reach over them.
    pub(super) fn picture<'a>(&'a self, data: &'a [u8]) -> Option<YuvPicture<'a>> {
        subsampled(&Planes { format: self.format, layout: &self.layout, data }).ok()
    }
}

/// A sample's bytes as its layout divides them.
struct Planes<'a> {
    format: VideoFormat,
    layout: &'a PixelLayout,
    data: &'a [u8],
}

impl<'a> Planes<'a> {
    /// Splits the data into planes of (bytes a row, rows), one stride each.
    fn split<const N: usize>(&self, shapes: [(usize, usize); N]) -> Result<[Plane<'a>; N], MediaError> {
        let strides = self.strides(shapes)?;
        let mut first_byte = 0_usize;
        let mut planes = Vec::with_capacity(N);
        for (plane_idx, ((row_bytes, n_rows), stride)) in shapes.into_iter().zip(strides).enumerate() {
            let used = plane_bytes(stride, row_bytes, n_rows);
            let end = used.and_then(|used| first_byte.checked_add(used));
            let end = end.ok_or_else(|| self.short(plane_idx, "more than can be addressed"))?;
            let plane = self.data.get(first_byte..end).and_then(|bytes| Plane::new(bytes, stride, row_bytes, n_rows));
            planes.push(plane.ok_or_else(|| self.short(plane_idx, &format!("{end} bytes")))?);
            // The next plane begins after whole rows, padding included.
            first_byte = first_byte.saturating_add(stride.saturating_mul(n_rows));
        }
        planes.try_into().map_err(|_| self.short(N, "as many planes as shapes"))
    }

    fn strides<const N: usize>(&self, shapes: [(usize, usize); N]) -> Result<[usize; N], MediaError> {
        let given = &self.layout.plane_strides;
        if given.is_empty() {
            return Ok(shapes.map(|(row_bytes, _)| row_bytes));
        }
        let invalid = |problem| Err(MediaError::InvalidField { field: "layout.plane_strides", problem });
        let Ok(strides) = <[u32; N]>::try_from(given.as_slice()) else {
            return invalid(format!(
                "{} given, but {:?} has {N} planes: give one a plane, or none for tight rows",
                given.len(),
                self.format
            ));
        };
        for (plane_idx, (stride, (row_bytes, _))) in strides.into_iter().zip(shapes).enumerate() {
            if (stride as usize) < row_bytes {
                return invalid(format!("plane {plane_idx} has {stride} bytes a row, but its pixels take {row_bytes}"));
            }
        }
        Ok(strides.map(|stride| stride as usize))
    }

    fn short(&self, plane_idx: usize, needed: &str) -> MediaError {
        MediaError::InvalidField {
            field: "data",
            problem: format!(
                "{} bytes are too few: {:?} of {}x{} px needs {needed} up to the end of plane {plane_idx}",
                self.data.len(),
                self.format,
                self.layout.width,
                self.layout.height
            ),
        }
    }
}

/// Packed formats of `BYTES` a pixel; `order` says where red, green and blue stand in one.
fn packed<const BYTES: usize>(planes: &Planes<'_>, order: [usize; 3]) -> Result<Vec<u8>, MediaError> {
    let (width, height) = (planes.layout.width as usize, planes.layout.height as usize);
    let row_bytes = width.saturating_mul(BYTES);
    let [plane] = planes.split([(row_bytes, height)])?;
    let mut rgb = Vec::with_capacity(width * height * 3);
    for row in plane.rows(row_bytes) {
        if BYTES == 3 && order == [0, 1, 2] {
            rgb.extend_from_slice(row);
        } else {
            let pixels = row.as_chunks::<BYTES>().0;
            rgb.extend(
                pixels.iter().flat_map(|pixel| order.map(|channel| pixel.get(channel).copied().unwrap_or_default())),
            );
        }
    }
    Ok(rgb)
}

fn subsampled<'a>(planes: &Planes<'a>) -> Result<YuvPicture<'a>, MediaError> {
    let layout = planes.layout;
    let (width, height) = (layout.width as usize, layout.height as usize);
    let (chroma_width, chroma_height) = (width.div_ceil(2), height.div_ceil(2));
    let (luma, chroma) = if planes.format == VideoFormat::I420 {
        let chroma_shape = (chroma_width, chroma_height);
        let [luma, u, v] = planes.split([(width, height), chroma_shape, chroma_shape])?;
        (luma, Chroma::Planar(u, v))
    } else {
        let [luma, uv] = planes.split([(width, height), (chroma_width.saturating_mul(2), chroma_height)])?;
        (luma, Chroma::Interleaved(uv))
    };
    Ok(YuvPicture {
        width,
        height,
        luma,
        chroma,
        chroma_columns: 2,
        chroma_rows: 2,
        matrix: YuvMatrix::guess(layout.width, layout.height),
        range: layout.color_range,
    })
}

#[cfg(test)]
mod tests;
