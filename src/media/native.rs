//! Everything in `media` that the compiler cannot check: vector code and the parts of FFmpeg that have no safe binding.
//!
//! Each function here is safe to call with any arguments; what it relies on is checked in it and said at the block.

mod simd;

pub(super) use self::simd::convert_yuv;
