//! How the bytes of a video sample are laid out.

/// The layout or coding of one video sample.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum VideoFormat {
    /// A JPEG still.
    Jpeg,
    /// A PNG still.
    Png,
    /// A WebP still.
    WebP,
    /// Packed 8-bit red, green, blue.
    Rgb24,
    /// Packed 8-bit blue, green, red.
    Bgr24,
    /// Packed 8-bit red, green, blue, alpha (alpha is ignored).
    Rgba32,
    /// Packed 8-bit blue, green, red, alpha (alpha is ignored).
    Bgra32,
    /// Planar 4:2:0: Y, U, V.
    I420,
    /// Semi-planar 4:2:0: Y, interleaved UV.
    Nv12,
    /// One H.264 access unit, Annex B.
    H264,
    /// One VP8 frame.
    Vp8,
    /// One VP9 frame or superframe.
    Vp9,
    /// One AV1 temporal unit, low-overhead OBU format.
    Av1,
}

impl VideoFormat {
    /// Whether frames depend on earlier ones, so that a decoder with state is needed.
    #[must_use]
    pub const fn is_coded_video(self) -> bool {
        matches!(self, Self::H264 | Self::Vp8 | Self::Vp9 | Self::Av1)
    }

    /// Whether the sample is bare pixels, which need a [`PixelLayout`].
    #[must_use]
    pub const fn is_raw(self) -> bool {
        matches!(self, Self::Rgb24 | Self::Bgr24 | Self::Rgba32 | Self::Bgra32 | Self::I420 | Self::Nv12)
    }
}

/// The span of YUV code values.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum ColorRange {
    /// Y 16..=235, U and V 16..=240; what an unset range means.
    #[default]
    Limited,
    /// 0..=255.
    Full,
}

impl ColorRange {
    /// Luma of black, and levels from there to white.
    pub(super) const fn luma_levels(self) -> (f64, f64) {
        match self {
            Self::Limited => (16.0, 219.0),
            Self::Full => (0.0, 255.0),
        }
    }
}

/// Clockwise turn that makes the picture upright.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Rotation {
    /// Already upright.
    #[default]
    None,
    /// A quarter turn clockwise.
    Clockwise90,
    /// Upside down.
    Clockwise180,
    /// A quarter turn counter-clockwise.
    Clockwise270,
}

impl Rotation {
    /// The rotation of so many degrees clockwise; `None` unless 0, 90, 180 or 270.
    #[must_use]
    pub const fn from_degrees(degrees: u32) -> Option<Self> {
        match degrees {
            0 => Some(Self::None),
            90 => Some(Self::Clockwise90),
            180 => Some(Self::Clockwise180),
            270 => Some(Self::Clockwise270),
            _ => None,
        }
    }
}

/// Size, strides and range of a raw picture.
///
/// # Units
/// `width` and `height` are pixels before rotation; `plane_strides` are bytes a row, one a plane; empty means tight.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PixelLayout {
    /// Pixels a row.
    pub width: u32,
    /// Rows.
    pub height: u32,
    /// Bytes a row of each plane; empty when rows follow each other without padding.
    pub plane_strides: Vec<u32>,
    /// Span of the code values of YUV formats.
    pub color_range: ColorRange,
}
