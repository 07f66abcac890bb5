//! Cheap figures of a whole picture, for stream forensics: no face, no model.

/// What a thumbnail of one frame says, compared with the frame before.
///
/// # Units
/// Luma is 0..=1 but for `change_levels`, which is in 8-bit levels so that "a quarter of a level" can be said.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct PictureStats {
    /// Pixels a row of the upright frame.
    pub width_px: u32,
    /// Rows of the upright frame.
    pub height_px: u32,
    /// Mean luma of the thumbnail.
    pub mean_luma: f32,
    /// Standard deviation of the thumbnail's luma.
    pub luma_deviation: f32,
    /// Mean absolute difference from the previous thumbnail in 8-bit levels; `None` for the first frame of a track.
    pub change_levels: Option<f32>,
    /// 64-bit average hash (8 x 8 cells brighter than the mean).
    pub average_hash: u64,
}
