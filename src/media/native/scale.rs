//! FFmpeg's converter, for pixel formats that are rare here.

use ffmpeg_the_third::format::Pixel;
use ffmpeg_the_third::software::scaling::{Context, Flags};
use ffmpeg_the_third::{Error, frame};

/// Converts frames of one size and format into another format of the same size.
pub(in crate::media) struct Scaler {
    context: Context,
}

// SAFETY: the context is owned by this value alone and FFmpeg ties it to no thread.
unsafe impl Send for Scaler {}

impl Scaler {
    /// A converter for frames like `frame`.
    pub(in crate::media) fn new(frame: &frame::Video, target: Pixel) -> Result<Self, Error> {
        let (width, height) = (frame.width(), frame.height());
        let flags = Flags::BICUBIC | Flags::ACCURATE_RND | Flags::FULL_CHR_H_INT | Flags::BITEXACT;
        Ok(Self { context: Context::get(frame.format(), width, height, target, width, height, flags)? })
    }

    /// Whether this converter is for frames like `frame`.
    pub(in crate::media) fn fits(&self, frame: &frame::Video) -> bool {
        let input = self.context.input();
        (input.format, input.width, input.height) == (frame.format(), frame.width(), frame.height())
    }

    /// Converts one frame.
    pub(in crate::media) fn convert(&mut self, frame: &frame::Video) -> Result<frame::Video, Error> {
        let mut converted = frame::Video::empty();
        self.context.run(frame, &mut converted)?;
        Ok(converted)
    }
}
