//! Decoded frames of FFmpeg as checked planes.

use std::slice;

use ffmpeg_the_third::ffi::{AVColorRange, AVColorSpace, AVFrame, AVPixelFormat};
use ffmpeg_the_third::frame;

use crate::media::format::ColorRange;
use crate::media::yuv::{Chroma, Plane, YuvMatrix, YuvPicture, plane_bytes};

/// The frame's pixel format, as FFmpeg numbers it.
pub(in crate::media) fn pixel_format(frame: &frame::Video) -> AVPixelFormat {
    AVPixelFormat(raw(frame).format)
}

/// Whether the decoder had to invent part of the picture.
pub(in crate::media) fn is_damaged(frame: &frame::Video) -> bool {
    frame.is_corrupt() || raw(frame).decode_error_flags != 0
}

/// The frame as 8-bit YUV planes; `None` when its format is another or its planes are not laid out from top to bottom.
pub(in crate::media) fn yuv_picture(frame: &frame::Video) -> Option<YuvPicture<'_>> {
    let (chroma_columns, chroma_rows) = match pixel_format(frame) {
        AVPixelFormat::YUV420P | AVPixelFormat::YUVJ420P | AVPixelFormat::NV12 => (2, 2),
        AVPixelFormat::YUV422P | AVPixelFormat::YUVJ422P => (2, 1),
        AVPixelFormat::YUV444P | AVPixelFormat::YUVJ444P => (1, 1),
        _ => return None,
    };
    let (width, height) = (frame.width() as usize, frame.height() as usize);
    let (chroma_width, chroma_height) = (width.div_ceil(chroma_columns), height.div_ceil(chroma_rows));
    let chroma = if pixel_format(frame) == AVPixelFormat::NV12 {
        Chroma::Interleaved(plane(frame, 1, chroma_width * 2, chroma_height)?)
    } else {
        Chroma::Planar(plane(frame, 1, chroma_width, chroma_height)?, plane(frame, 2, chroma_width, chroma_height)?)
    };
    Some(YuvPicture {
        width,
        height,
        luma: plane(frame, 0, width, height)?,
        chroma,
        chroma_columns,
        chroma_rows,
        matrix: matrix(frame),
        range: range(frame),
    })
}

/// The frame's rows of packed RGB; `None` when its format is another.
pub(in crate::media) fn packed_rgb(frame: &frame::Video) -> Option<impl Iterator<Item = &[u8]>> {
    if pixel_format(frame) != AVPixelFormat::RGB24 {
        return None;
    }
    let row_bytes = frame.width() as usize * 3;
    Some(plane(frame, 0, row_bytes, frame.height() as usize)?.rows(row_bytes))
}

/// Gives `to` the matrix and range of `from`, where `to` was converted without touching either.
pub(in crate::media) fn copy_colour(from: &frame::Video, to: &mut frame::Video) {
    let (colorspace, color_range) = (raw(from).colorspace, raw(from).color_range);
    // SAFETY: the frame is borrowed exclusively and both fields are plain numbers.
    unsafe {
        (*to.as_mut_ptr()).colorspace = colorspace;
        (*to.as_mut_ptr()).color_range = color_range;
    }
}

/// The matrix that the stream states, or the guess by size where it states none that is known here.
fn matrix(frame: &frame::Video) -> YuvMatrix {
    match raw(frame).colorspace {
        AVColorSpace::BT709 => YuvMatrix::Bt709,
        AVColorSpace::BT470BG | AVColorSpace::SMPTE170M | AVColorSpace::FCC => YuvMatrix::Bt601,
        AVColorSpace::BT2020_NCL | AVColorSpace::BT2020_CL => YuvMatrix::Bt2020,
        _ => YuvMatrix::guess(frame.width(), frame.height()),
    }
}

/// Full when the stream or the older "J" formats say so.
fn range(frame: &frame::Video) -> ColorRange {
    let is_full = raw(frame).color_range == AVColorRange::JPEG
        || matches!(pixel_format(frame), AVPixelFormat::YUVJ420P | AVPixelFormat::YUVJ422P | AVPixelFormat::YUVJ444P);
    if is_full { ColorRange::Full } else { ColorRange::Limited }
}

fn raw(frame: &frame::Video) -> &AVFrame {
    // SAFETY: the wrapper owns a frame that was allocated when it was made; it is only read, for as long as it is borrowed.
    unsafe { &*frame.as_ptr() }
}

/// One plane of a frame. Private: `row_bytes` and `n_rows` must follow from the frame's own format and size.
fn plane(frame: &frame::Video, plane_idx: usize, row_bytes: usize, n_rows: usize) -> Option<Plane<'_>> {
    let raw = raw(frame);
    // A negative stride means bottom-up rows: refused, as none of the codecs allowed here makes such frames.
    let stride = usize::try_from(*raw.linesize.get(plane_idx)?).ok()?;
    let first_byte = *raw.data.get(plane_idx)?;
    let n_bytes = plane_bytes(stride, row_bytes, n_rows)?;
    if first_byte.is_null() {
        return None;
    }
    // SAFETY: FFmpeg keeps `linesize` bytes for each row of the frame's height in a plane that it has set, and the bytes
    // are not written while the frame is borrowed.
    let bytes = unsafe { slice::from_raw_parts(first_byte, n_bytes) };
    Plane::new(bytes, stride, row_bytes, n_rows)
}
