//! What a container says of its streams.

use ffmpeg_the_third::ffi::AV_NOPTS_VALUE;
use ffmpeg_the_third::{Stream, media};

use crate::media::error::MediaError;
use crate::media::format::Rotation;
use crate::media::native;
use crate::media::sniff::Container;
use crate::media::time::MediaTime;

use super::codec::{VideoCodec, audio_decoder_names};
use super::source::{Source, media_time, unusable};

/// What a recording holds, as its container states it.
#[derive(Clone, Debug, PartialEq)]
pub struct RecordingInfo {
    /// The family of the file.
    pub container: Container,
    /// Length in seconds; `None` where the container states none, as in files of a browser's recorder.
    pub duration_secs: Option<f64>,
    /// Streams of any kind.
    pub n_streams: u32,
    /// How the pictures are coded.
    pub codec: VideoCodec,
    /// Pixels a row as coded, before `rotation`; zero when the container does not say.
    pub width: u32,
    /// Rows as coded, before `rotation`; zero when the container does not say.
    pub height: u32,
    /// Turn that makes the pictures upright; already applied to the frames that are handed out.
    pub rotation: Rotation,
    /// Position of the first picture on the container's timeline.
    pub start_offset: MediaTime,
    /// Pictures a second on average; `None` when the container does not say.
    pub frame_rate_hz: Option<f64>,
    /// The sound, if there is any that can be read.
    pub audio: Option<AudioInfo>,
}

/// What a recording's sound is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AudioInfo {
    /// Samples a second as recorded.
    pub sample_rate_hz: u32,
    /// Channels as recorded.
    pub n_channels: u32,
    /// Position of the first sample on the container's timeline, the same clock as the pictures.
    pub start_offset: MediaTime,
}

/// The stream of pictures: its index and codec.
pub(super) fn find_video(source: &Source) -> Result<(usize, VideoCodec), MediaError> {
    let best = source.input.streams().best(media::Type::Video).filter(|stream| !native::is_attached_picture(stream));
    let stream = best.ok_or_else(|| unusable("it has no video stream"))?;
    let codec = VideoCodec::from_id(native::codec_id(&stream));
    let codec = codec.ok_or_else(|| {
        unusable("its video codec is not one of H.264, HEVC, VP8, VP9, AV1, MPEG-4 and MJPEG: convert it to H.264")
    })?;
    Ok((stream.index(), codec))
}

/// The stream of sound that can be read: its index and the decoders for it.
pub(super) fn find_audio(source: &Source) -> Option<(usize, &'static [&'static str])> {
    let stream = source.input.streams().best(media::Type::Audio)?;
    Some((stream.index(), audio_decoder_names(native::codec_id(&stream))?))
}

pub(super) fn describe(source: &Source, stream: &Stream<'_>, codec: VideoCodec) -> RecordingInfo {
    let rate = stream.avg_frame_rate();
    let audio = find_audio(source).and_then(|(index, _)| source.input.stream(index));
    RecordingInfo {
        container: source.container,
        duration_secs: source.duration_secs,
        n_streams: source.input.nb_streams(),
        codec,
        width: stream.parameters().width(),
        height: stream.parameters().height(),
        rotation: native::display_matrix(stream).map(upright_turn).unwrap_or_default(),
        start_offset: start_offset(stream),
        frame_rate_hz: (rate.numerator() > 0 && rate.denominator() > 0).then(|| f64::from(rate)),
        audio: audio.map(|stream| AudioInfo {
            sample_rate_hz: stream.parameters().sample_rate(),
            n_channels: stream.parameters().ch_layout().channels(),
            start_offset: start_offset(&stream),
        }),
    }
}

fn start_offset(stream: &Stream<'_>) -> MediaTime {
    match stream.start_time() {
        AV_NOPTS_VALUE => MediaTime::ZERO,
        start => media_time(start, stream.time_base()).unwrap_or_default(),
    }
}

/// The quarter turn that a display matrix asks for; mirroring is left as it is.
///
/// # Source
/// ISO/IEC 14496-12, 6.2.2: a point maps to (a x + c y, b x + d y), so the picture's downward axis maps to (c, d), which a
/// turn by t clockwise makes (-sin t, cos t).
fn upright_turn(matrix: [i32; 9]) -> Rotation {
    let [_, _, _, c, d, ..] = matrix;
    let (across, down) = (i64::from(c), i64::from(d));
    if across.abs() > down.abs() {
        if across < 0 { Rotation::Clockwise90 } else { Rotation::Clockwise270 }
    } else if down < 0 {
        Rotation::Clockwise180
    } else {
        Rotation::None
    }
}

#[cfg(test)]
mod tests {
    use super::{Rotation, upright_turn};

    #[test]
    fn display_matrices_turn_to_the_nearest_quarter() {
        const ONE: i32 = 1 << 16;
        for ([a, b, c, d], expected) in [
            ([ONE, 0, 0, ONE], Rotation::None),
            ([0, ONE, -ONE, 0], Rotation::Clockwise90),
            ([-ONE, 0, 0, -ONE], Rotation::Clockwise180),
            ([0, -ONE, ONE, 0], Rotation::Clockwise270),
            // Mirrored left to right: upright as it is.
            ([-ONE, 0, 0, ONE], Rotation::None),
            // Mirrored top to bottom: upside down.
            ([ONE, 0, 0, -ONE], Rotation::Clockwise180),
            ([0, 0, 0, 0], Rotation::None),
            ([i32::MIN, i32::MIN, i32::MIN, i32::MIN], Rotation::Clockwise180),
        ] {
            assert_eq!(upright_turn([a, b, 0, c, d, 0, 0, 0, 1 << 30]), expected, "{a} {b} {c} {d}");
        }
    }
}
