//! Everything in `media` that the compiler cannot check: vector code and the parts of FFmpeg that have no safe binding,
//! or one that panics on values that a hostile file can choose.
//!
//! Each function here is safe to call with any arguments; what it relies on is checked in it and said at the block.
#![expect(unsafe_code, reason = "FFmpeg's C interface and code compiled for one instruction set")]

mod annexb;
mod frame;
mod input;
mod resample;
mod scale;
mod simd;
mod stream;

pub(super) use self::annexb::AnnexBFilter;
pub(super) use self::frame::{copy_colour, is_damaged, packed_rgb, pixel_format, yuv_picture};
pub(super) use self::input::{find_streams, open_input};
pub(super) use self::resample::{MonoResampler, SAMPLE_RATE_HZ};
pub(super) use self::scale::Scaler;
pub(super) use self::simd::{add_row, convert_yuv, reduce_rows};
pub(super) use self::stream::{
    codec_id, declared_duration_micros, display_matrix, is_attached_picture, set_packet_time_base,
};

/// Whether FFmpeg says no more than "give me more input first".
pub(super) fn is_again(error: ffmpeg_the_third::Error) -> bool {
    let ffmpeg_the_third::Error::Other { errno } = error else { return false };
    std::io::Error::from_raw_os_error(errno).kind() == std::io::ErrorKind::WouldBlock
}
