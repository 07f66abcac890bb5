//! Any audio to mono f32 at one rate.

use std::ptr;

use ffmpeg_the_third::ffi::{
    AVChannelLayout, AVFrame, AVSampleFormat, SwrContext, av_channel_layout_default, swr_alloc_set_opts2, swr_convert,
    swr_free, swr_get_delay, swr_get_out_samples, swr_init,
};
use ffmpeg_the_third::{Error, frame};

/// Samples a second of the output.
pub(in crate::media) const SAMPLE_RATE_HZ: u32 = 16_000;
const NANOS_PER_SEC: i64 = 1_000_000_000;

/// FFmpeg's resampler for one kind of input.
pub(in crate::media) struct MonoResampler {
    /// Never null; owned.
    context: *mut SwrContext,
    input: InputKind,
}

/// What a resampler is made for.
#[derive(Clone, Copy, PartialEq, Eq)]
struct InputKind {
    sample_format: i32,
    sample_rate_hz: i32,
    n_channels: i32,
}

// SAFETY: the context is owned by this value alone and FFmpeg ties it to no thread.
unsafe impl Send for MonoResampler {}

impl MonoResampler {
    /// A resampler for frames like `frame`.
    pub(in crate::media) fn new(frame: &frame::Audio) -> Result<Self, Error> {
        let input = input_kind(frame);
        if input.n_channels <= 0 || input.sample_rate_hz <= 0 {
            return Err(Error::InvalidData);
        }
        let mut context = ptr::null_mut();
        // SAFETY: both layouts are plain values that FFmpeg fills and copies; default layouts own no memory.
        let owned = unsafe {
            let (mut mono, mut source): (AVChannelLayout, AVChannelLayout) = (std::mem::zeroed(), std::mem::zeroed());
            av_channel_layout_default(&raw mut mono, 1);
            av_channel_layout_default(&raw mut source, input.n_channels);
            let code = swr_alloc_set_opts2(
                &raw mut context,
                &raw mut mono,
                AVSampleFormat::FLT,
                SAMPLE_RATE_HZ.cast_signed(),
                &raw mut source,
                AVSampleFormat(input.sample_format),
                input.sample_rate_hz,
                0,
                ptr::null_mut(),
            );
            if code < 0 || context.is_null() {
                return Err(Error::from(code));
            }
            Self { context, input }
        };
        // SAFETY: the context was allocated above.
        let code = unsafe { swr_init(owned.context) };
        if code < 0 { Err(Error::from(code)) } else { Ok(owned) }
    }

    /// Whether this resampler is for frames like `frame`.
    pub(in crate::media) fn fits(&self, frame: &frame::Audio) -> bool {
        self.input == input_kind(frame)
    }

    /// Nanoseconds of sound that went in and has not come out.
    pub(in crate::media) fn delay_nanos(&self) -> i64 {
        // SAFETY: the context is initialised.
        unsafe { swr_get_delay(self.context, NANOS_PER_SEC) }
    }

    /// Resamples one frame. A frame of another kind than the first is refused.
    pub(in crate::media) fn push(&mut self, frame: &frame::Audio) -> Result<Vec<f32>, Error> {
        if !self.fits(frame) {
            return Err(Error::InputChanged);
        }
        let raw = raw(frame);
        if raw.extended_data.is_null() {
            return Err(Error::InvalidData);
        }
        // SAFETY: the frame has `nb_samples` samples of the kind that the context was made for, checked above.
        unsafe { self.convert(raw.extended_data.cast::<*const u8>(), raw.nb_samples) }
    }

    /// Gives out what is still inside.
    pub(in crate::media) fn flush(&mut self) -> Result<Vec<f32>, Error> {
        // SAFETY: no input is read when it is null.
        unsafe { self.convert(ptr::null_mut(), 0) }
    }

    /// # Safety
    /// `input` must be null or hold `n_samples` samples of the kind of this resampler.
    unsafe fn convert(&mut self, input: *mut *const u8, n_samples: i32) -> Result<Vec<f32>, Error> {
        // SAFETY: the context is initialised; the function only computes.
        let capacity = unsafe { swr_get_out_samples(self.context, n_samples) };
        let mut samples = vec![0.0_f32; usize::try_from(capacity).map_err(|_| Error::InvalidData)?];
        let mut output = samples.as_mut_ptr().cast::<u8>();
        // SAFETY: the output has room for `capacity` mono f32 samples; the caller vouches for the input.
        let n_written = unsafe { swr_convert(self.context, &raw mut output, capacity, input, n_samples) };
        samples.truncate(usize::try_from(n_written).map_err(|_| Error::from(n_written))?);
        Ok(samples)
    }
}

impl Drop for MonoResampler {
    fn drop(&mut self) {
        // SAFETY: owned by this value and not used after.
        unsafe { swr_free(&raw mut self.context) };
    }
}

fn input_kind(frame: &frame::Audio) -> InputKind {
    let raw = raw(frame);
    InputKind { sample_format: raw.format, sample_rate_hz: raw.sample_rate, n_channels: raw.ch_layout.nb_channels }
}

fn raw(frame: &frame::Audio) -> &AVFrame {
    // SAFETY: the wrapper owns a frame that was allocated when it was made; it is only read, for as long as it is borrowed.
    unsafe { &*frame.as_ptr() }
}
