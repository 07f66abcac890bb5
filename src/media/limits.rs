//! Bounds that are checked before anything is decoded.

use serde::Deserialize;

/// How much a sample or a recording may ask of the decoder.
#[derive(Clone, Copy, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct MediaLimits {
    /// Bytes of one video sample. A 1080p RGBA frame has 8.3 MB.
    pub max_sample_bytes: u64,
    /// Pixels a side.
    pub max_side_px: u32,
    /// Pixels a picture (width x height).
    pub max_pixels: u64,
    /// Longer side over shorter side.
    pub max_aspect_ratio: f64,
    /// Bytes of one recording.
    pub max_recording_bytes: u64,
    /// Seconds of one recording.
    pub max_recording_secs: f64,
    /// Streams (video, audio, subtitles, data) of one recording.
    pub max_streams: u32,
}

impl Default for MediaLimits {
    fn default() -> Self {
        Self {
            max_sample_bytes: 16 * 1024 * 1024,
            max_side_px: 4_096,
            max_pixels: 4_096 * 2_304,
            max_aspect_ratio: 4.0,
            max_recording_bytes: 16 * 1024 * 1024 * 1024,
            max_recording_secs: 6.0 * 3_600.0,
            max_streams: 16,
        }
    }
}
