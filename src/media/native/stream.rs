//! What a demuxer knows of its streams, read as plain numbers.

use ffmpeg_the_third::ffi::{
    AV_DISPOSITION_ATTACHED_PIC, AVCodecID, AVDurationEstimationMethod, AVPacketSideDataType,
    av_fmt_ctx_get_duration_estimation_method,
};
use ffmpeg_the_third::format::context::Input;
use ffmpeg_the_third::{Rational, Stream, codec};

/// The stream's codec, as FFmpeg numbers it.
pub(in crate::media) fn codec_id(stream: &Stream<'_>) -> AVCodecID {
    // SAFETY: a stream and its parameters live as long as the demuxer that `stream` borrows.
    unsafe { (*(*stream.as_ptr()).codecpar).codec_id }
}

/// Whether the stream is a cover picture rather than a video.
pub(in crate::media) fn is_attached_picture(stream: &Stream<'_>) -> bool {
    // SAFETY: as above.
    unsafe { (*stream.as_ptr()).disposition & AV_DISPOSITION_ATTACHED_PIC != 0 }
}

/// The display matrix of a stream: nine numbers, 16.16 fixed point but for the third column.
pub(in crate::media) fn display_matrix(stream: &Stream<'_>) -> Option<[i32; 9]> {
    let mut entries = stream.side_data().filter(|entry| {
        // SAFETY: the entry is one of the stream's array and only read.
        unsafe { (*entry.as_ptr()).type_ == AVPacketSideDataType::DISPLAYMATRIX }
    });
    let entry = entries.next()?;
    let mut matrix = [0; 9];
    let numbers = entry.data().as_chunks::<4>().0;
    if numbers.len() < matrix.len() {
        return None;
    }
    for (to, from) in matrix.iter_mut().zip(numbers) {
        *to = i32::from_ne_bytes(*from);
    }
    Some(matrix)
}

/// The duration that the file states, in microseconds; `None` when it states none and FFmpeg merely guessed by bit rate.
pub(in crate::media) fn declared_duration_micros(input: &Input) -> Option<i64> {
    // SAFETY: the context is open for as long as `input` is borrowed; the function only reads.
    let method = unsafe { av_fmt_ctx_get_duration_estimation_method(input.as_ptr()) };
    (method != AVDurationEstimationMethod::BITRATE && input.duration() > 0).then_some(input.duration())
}

/// Tells a decoder that is not open yet the unit of its packets' times; needed for exact times of trimmed audio.
pub(in crate::media) fn set_packet_time_base(context: &mut codec::Context, time_base: Rational) {
    // SAFETY: the context is borrowed exclusively and the field is the caller's to set before opening.
    unsafe { (*context.as_mut_ptr()).pkt_timebase = time_base.into() };
}
