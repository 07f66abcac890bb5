//! H.264 as MP4 stores it (length-prefixed, parameter sets apart) to Annex B access units.

use std::ptr;

use ffmpeg_the_third::ffi::{
    AVBSFContext, av_bsf_alloc, av_bsf_free, av_bsf_get_by_name, av_bsf_init, av_bsf_receive_packet,
    av_bsf_send_packet, avcodec_parameters_copy,
};
use ffmpeg_the_third::packet::Mut;
use ffmpeg_the_third::{Error, Packet, Stream};

use super::is_again;

/// FFmpeg's `h264_mp4toannexb` bitstream filter; passes data through that is Annex B already.
pub(in crate::media) struct AnnexBFilter {
    /// Never null; owned.
    context: *mut AVBSFContext,
}

// SAFETY: the context is owned by this value alone and FFmpeg ties it to no thread.
unsafe impl Send for AnnexBFilter {}

impl AnnexBFilter {
    /// A filter for the packets of `stream`.
    pub(in crate::media) fn new(stream: &Stream<'_>) -> Result<Self, Error> {
        // SAFETY: the name is a C string; a null result is handled.
        let filter = unsafe { av_bsf_get_by_name(c"h264_mp4toannexb".as_ptr()) };
        if filter.is_null() {
            return Err(Error::BsfNotFound);
        }
        let mut context = ptr::null_mut();
        // SAFETY: `filter` is not null and `context` is a valid place for the result.
        check(unsafe { av_bsf_alloc(filter, &raw mut context) })?;
        let owned = Self { context };
        // SAFETY: allocated above; `par_in` is allocated with it, the stream's parameters live as long as the stream.
        unsafe {
            check(avcodec_parameters_copy((*owned.context).par_in, (*stream.as_ptr()).codecpar))?;
            (*owned.context).time_base_in = (*stream.as_ptr()).time_base;
            check(av_bsf_init(owned.context))?;
        }
        Ok(owned)
    }

    /// Converts one packet, which is emptied; `None` when the filter gives nothing for it.
    pub(in crate::media) fn filter(&mut self, packet: &mut Packet) -> Result<Option<Packet>, Error> {
        let mut filtered = Packet::empty();
        // SAFETY: context and packets are valid; the filter takes the reference out of `packet`.
        unsafe {
            check(av_bsf_send_packet(self.context, packet.as_mut_ptr()))?;
            match av_bsf_receive_packet(self.context, filtered.as_mut_ptr()) {
                0 => Ok(Some(filtered)),
                code if is_again(Error::from(code)) => Ok(None),
                code => Err(Error::from(code)),
            }
        }
    }
}

impl Drop for AnnexBFilter {
    fn drop(&mut self) {
        // SAFETY: owned by this value and not used after.
        unsafe { av_bsf_free(&raw mut self.context) };
    }
}

fn check(code: i32) -> Result<(), Error> {
    if code < 0 { Err(Error::from(code)) } else { Ok(()) }
}
