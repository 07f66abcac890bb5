//! The codecs that recordings may use.

use ffmpeg_the_third::ffi::AVCodecID;

use crate::media::format::VideoFormat;

/// Decoders that may be opened to find out about a file's streams.
pub(super) const PROBING_DECODERS: &str = "h264,hevc,vp8,vp9,libdav1d,libaom-av1,mpeg4,mjpeg,aac,opus,libopus,vorbis,\
     mp3float,mp3,flac,alac,ac3,pcm_s16le,pcm_s16be,pcm_s24le,pcm_f32le,pcm_u8";

/// How a recording's pictures are coded.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum VideoCodec {
    /// H.264 (AVC).
    H264,
    /// H.265 (HEVC), as phones write it.
    Hevc,
    /// VP8.
    Vp8,
    /// VP9.
    Vp9,
    /// AV1.
    Av1,
    /// MPEG-4 part 2, as older AVI files hold it.
    Mpeg4,
    /// A JPEG a frame, as webcams write it.
    Mjpeg,
}

impl VideoCodec {
    /// The format of its units when they are sent as live samples; `None` for codecs that are only read from files.
    #[must_use]
    pub const fn live_format(self) -> Option<VideoFormat> {
        match self {
            Self::H264 => Some(VideoFormat::H264),
            Self::Vp8 => Some(VideoFormat::Vp8),
            Self::Vp9 => Some(VideoFormat::Vp9),
            Self::Av1 => Some(VideoFormat::Av1),
            Self::Hevc | Self::Mpeg4 | Self::Mjpeg => None,
        }
    }

    pub(super) fn from_id(id: AVCodecID) -> Option<Self> {
        match id {
            AVCodecID::H264 => Some(Self::H264),
            AVCodecID::HEVC => Some(Self::Hevc),
            AVCodecID::VP8 => Some(Self::Vp8),
            AVCodecID::VP9 => Some(Self::Vp9),
            AVCodecID::AV1 => Some(Self::Av1),
            AVCodecID::MPEG4 => Some(Self::Mpeg4),
            AVCodecID::MJPEG => Some(Self::Mjpeg),
            _ => None,
        }
    }

    /// Names of FFmpeg's decoders, the preferred one first.
    pub(super) const fn decoder_names(self) -> &'static [&'static str] {
        match self {
            Self::H264 => &["h264"],
            Self::Hevc => &["hevc"],
            Self::Vp8 => &["vp8", "libvpx"],
            Self::Vp9 => &["vp9", "libvpx-vp9"],
            Self::Av1 => &["libdav1d", "libaom-av1"],
            Self::Mpeg4 => &["mpeg4"],
            Self::Mjpeg => &["mjpeg"],
        }
    }
}

/// Names of FFmpeg's decoders for an audio codec, the preferred one first; `None` for codecs that are not read.
pub(super) fn audio_decoder_names(id: AVCodecID) -> Option<&'static [&'static str]> {
    Some(match id {
        AVCodecID::AAC => &["aac"],
        AVCodecID::OPUS => &["opus", "libopus"],
        AVCodecID::VORBIS => &["vorbis"],
        AVCodecID::MP3 => &["mp3float", "mp3"],
        AVCodecID::FLAC => &["flac"],
        AVCodecID::ALAC => &["alac"],
        AVCodecID::AC3 => &["ac3"],
        AVCodecID::PCM_S16LE => &["pcm_s16le"],
        AVCodecID::PCM_S16BE => &["pcm_s16be"],
        AVCodecID::PCM_S24LE => &["pcm_s24le"],
        AVCodecID::PCM_F32LE => &["pcm_f32le"],
        AVCodecID::PCM_U8 => &["pcm_u8"],
        _ => return None,
    })
}
