//! What a plugin sends and what decoding makes of it.

use bytes::Bytes;

use super::format::{PixelLayout, Rotation, VideoFormat};
use super::picture::Picture;
use super::thumbnail::Thumbnail;
use super::time::MediaTime;

/// One video sample as received, not decoded and not trusted.
#[derive(Clone, Debug)]
pub struct VideoSample {
    /// Strictly increasing on its track; gaps are frames that the plugin dropped.
    pub sequence: u64,
    /// Position on the stream's media clock.
    pub media_time: MediaTime,
    /// What the sender says the bytes are; `None` asks for sniffing (stills only).
    pub format: Option<VideoFormat>,
    /// Needed for raw formats.
    pub layout: Option<PixelLayout>,
    /// Turn that makes the picture upright.
    pub rotation: Rotation,
    /// Whether a coded sample can be decoded without earlier ones.
    pub keyframe: bool,
    /// The payload.
    pub data: Bytes,
}

/// One decoded picture with its place in the stream.
#[derive(Debug)]
pub struct VideoFrame {
    /// Sequence of the sample it came from.
    pub sequence: u64,
    /// Position on the stream's media clock.
    pub media_time: MediaTime,
    /// The upright picture.
    pub picture: Picture,
    /// The same in small: made with the picture, on the thread that decodes.
    pub thumbnail: Thumbnail,
}

impl VideoFrame {
    /// A picture at its place.
    #[must_use]
    pub fn new(sequence: u64, media_time: MediaTime, picture: Picture) -> Self {
        let thumbnail = Thumbnail::of(picture.view());
        Self { sequence, media_time, picture, thumbnail }
    }
}
