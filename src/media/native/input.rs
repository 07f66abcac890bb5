//! Opens a demuxer with every decoder that it uses for probing bounded as well.

use std::ffi::{CString, c_char};
use std::ptr;

use ffmpeg_the_third::ffi::{
    AVDictionary, AVFormatContext, av_dict_free, av_dict_set, avformat_find_stream_info, avformat_open_input,
};
use ffmpeg_the_third::format::context::Input;
use ffmpeg_the_third::{Dictionary, Error};

/// Opens `url` with the demuxer's `options`.
pub(in crate::media) fn open_input(url: &str, options: Dictionary) -> Result<Input, Error> {
    let url = CString::new(url).map_err(|_| Error::InvalidData)?;
    let mut context: *mut AVFormatContext = ptr::null_mut();
    let mut options: *mut AVDictionary = options.into_raw();
    // SAFETY: the URL is a C string and both pointers are valid places; FFmpeg frees the context when it fails.
    let code = unsafe { avformat_open_input(&raw mut context, url.as_ptr(), ptr::null(), &raw mut options) };
    // SAFETY: the dictionary of the options that were not used is ours; freeing null is allowed.
    unsafe { av_dict_free(&raw mut options) };
    if code < 0 || context.is_null() {
        return Err(Error::from(code));
    }
    // SAFETY: an open demuxer context that nobody else owns; the wrapper closes it.
    Ok(unsafe { Input::wrap(context) })
}

/// Reads enough of the file to know its streams; no decoder takes pictures of more than `max_pixels` for that.
pub(in crate::media) fn find_streams(input: &mut Input, max_pixels: i64) -> Result<(), Error> {
    let max_pixels = CString::new(max_pixels.to_string()).map_err(|_| Error::InvalidData)?;
    let key: *const c_char = c"max_pixels".as_ptr();
    let mut options: Vec<*mut AVDictionary> = vec![ptr::null_mut(); input.nb_streams() as usize];
    for entry in &mut options {
        // SAFETY: key and value are C strings that are copied; `entry` is a valid place.
        unsafe { av_dict_set(entry, key, max_pixels.as_ptr(), 0) };
    }
    let array = if options.is_empty() { ptr::null_mut() } else { options.as_mut_ptr() };
    // SAFETY: the context is open, and the array has one entry for each stream that it has now, as FFmpeg asks.
    let code = unsafe { avformat_find_stream_info(input.as_mut_ptr(), array) };
    for entry in &mut options {
        // SAFETY: each dictionary is ours; freeing null is allowed.
        unsafe { av_dict_free(entry) };
    }
    if code < 0 { Err(Error::from(code)) } else { Ok(()) }
}
