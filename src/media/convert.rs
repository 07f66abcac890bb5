//! Decoded FFmpeg frames to pictures.

use ffmpeg_the_third::ffi::AVPixelFormat;
use ffmpeg_the_third::format::Pixel;
use ffmpeg_the_third::frame;

use super::error::MediaError;
use super::format::Rotation;
use super::image::RgbImage;
use super::limits::MediaLimits;
use super::native::{self, Scaler};
use super::picture::Picture;
use super::rotate::upright;

/// Converts the frames of one decoder; keeps what can be used again.
#[derive(Default)]
pub(super) struct FrameConverter {
    scaler: Option<Scaler>,
}

impl FrameConverter {
    /// The upright picture of a frame: its planes as they are, unless they have to be turned or are not 8-bit YUV.
    ///
    /// # Errors
    /// [`MediaError::OverLimit`] before a pixel is converted, [`MediaError::Decoder`] for a format that FFmpeg cannot
    /// convert.
    pub(super) fn convert(
        &mut self,
        frame: frame::Video,
        rotation: Rotation,
        limits: &MediaLimits,
    ) -> Result<Picture, MediaError> {
        limits.check_picture(frame.width(), frame.height())?;
        let picture = match Picture::from_decoded(frame) {
            Ok(picture) => picture,
            Err(frame) => RgbImage::new(frame.width(), frame.height(), self.convert_rare(&frame)?)?.into(),
        };
        upright(picture, rotation)
    }

    /// Deep, RGB and other formats go through FFmpeg's converter: YUV stays YUV there, so that the matrix and range are
    /// applied by the same code as for every other frame.
    fn convert_rare(&mut self, frame: &frame::Video) -> Result<Vec<u8>, MediaError> {
        let failed = |problem: String| MediaError::Decoder { problem };
        if !self.scaler.as_ref().is_some_and(|scaler| scaler.fits(frame)) {
            let target = if is_yuv(frame) { Pixel::YUV444P } else { Pixel::RGB24 };
            self.scaler = Some(Scaler::new(frame, target).map_err(|source| failed(source.to_string()))?);
        }
        let scaler = self.scaler.as_mut().ok_or_else(|| failed("no converter".to_owned()))?;
        let mut converted = scaler.convert(frame).map_err(|source| failed(source.to_string()))?;
        native::copy_colour(frame, &mut converted);
        if let Some(picture) = native::yuv_picture(&converted) {
            return Ok(picture.to_rgb());
        }
        let rows = native::packed_rgb(&converted).ok_or_else(|| failed("converter gave no picture".to_owned()))?;
        let mut pixels = Vec::with_capacity(frame.width() as usize * frame.height() as usize * 3);
        rows.for_each(|row| pixels.extend_from_slice(row));
        Ok(pixels)
    }
}

/// The deep YUV formats that H.264, HEVC, VP9 and AV1 decoders give.
fn is_yuv(frame: &frame::Video) -> bool {
    matches!(
        native::pixel_format(frame),
        AVPixelFormat::YUV420P10LE
            | AVPixelFormat::YUV422P10LE
            | AVPixelFormat::YUV444P10LE
            | AVPixelFormat::YUV420P12LE
            | AVPixelFormat::YUV422P12LE
            | AVPixelFormat::YUV444P12LE
            | AVPixelFormat::YUV440P
            | AVPixelFormat::YUV411P
            | AVPixelFormat::YUV410P
            | AVPixelFormat::YUVA420P
            | AVPixelFormat::YUVA444P
    )
}
