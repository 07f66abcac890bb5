//! Bytes to frames: stills, raw pixels, coded live video and recordings, all with exact media time.
//!
//! In: bytes and what the sender says of them (sniffed, never trusted) or a path. Out: upright [`VideoFrame`]s with their time
//! on the media clock, in RGB where somebody looks ([`PictureView::window`]). Limits are checked before anything is decoded.
//! Deliberately not here: faces, models, async, any clock.

mod coded;
mod convert;
mod decoder;
mod error;
mod fit;
mod format;
mod i420;
mod image;
mod limits;
mod native;
mod picture;
mod picture_stats;
mod raw;
mod recording;
mod reduce;
mod rotate;
mod sample;
mod sniff;
mod still;
#[cfg(test)]
mod testing;
mod thumbnail;
mod time;
mod unit;
mod yuv;

pub use self::decoder::{Dependence, FrameDecoder};
pub use self::error::MediaError;
pub use self::fit::fit_within;
pub use self::format::{ColorRange, PixelLayout, Rotation, VideoFormat};
pub use self::i420::encode_i420;
pub use self::image::{RgbImage, RgbView};
pub use self::limits::MediaLimits;
pub use self::picture::{Picture, PictureView, Region, RgbWindow};
pub use self::picture_stats::PictureStats;
pub use self::recording::{AudioChunk, AudioInfo, AudioReader, Recording, RecordingInfo, VideoCodec};
pub use self::reduce::Reduction;
pub use self::sample::{VideoFrame, VideoSample};
pub use self::sniff::{Container, sniff, sniff_container};
pub use self::still::{FittedJpeg, decode_still, encode_jpeg, encode_jpeg_within, still_from_file};
pub use self::thumbnail::Thumbnail;
pub use self::time::MediaTime;
