//! Whether a picture is an exact copy of the one before it.

use crate::media::PictureStats;

/// Mean change of the thumbnail in 8-bit levels below which two pictures are the same.
///
/// A copy is 0 even after decoding. Of the frames of fifteen bona fide clips, some of which hardly move, at most 8 in 1,000
/// of any clip lie below this, but half of some lie below .1 and all of one below .25.
const SAME_PICTURE_LEVELS: f32 = 0.01;

/// Whether the picture shows no change at all.
pub(super) fn is_copy(picture: &PictureStats) -> bool {
    picture.change_levels.is_some_and(|levels| levels < SAME_PICTURE_LEVELS)
}
