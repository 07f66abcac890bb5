//! YUV planes to packed RGB in one pass.
//!
//! Written here rather than left to a scaler so that every size (odd, narrow), stride and matrix gives the same exact
//! arithmetic: 16-bit fixed point, rounded once. Chroma is repeated, not interpolated, as live pipelines do.

#![expect(clippy::inline_always, reason = "inlined bodies are compiled once for each instruction set of their callers")]

use super::format::ColorRange;
use super::native;

/// Fixed-point bits of the coefficients.
const FRACTION_BITS: u32 = 16;
/// Longer side from which untagged video is taken for high definition.
const HD_LONGER_SIDE_PX: u32 = 1_280;
/// Rows of the largest standard-definition picture (625-line television).
const SD_SHORTER_SIDE_PX: u32 = 576;

/// The matrix between YUV and RGB.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum YuvMatrix {
    Bt601,
    Bt709,
    Bt2020,
}

impl YuvMatrix {
    /// The matrix of a picture that does not say: BT.601 for standard definition, BT.709 above.
    ///
    /// # Source
    /// The guess of the mpv player (`mp_csp_guess_colorspace`), made symmetric so that a portrait picture is judged like
    /// the same picture lying.
    pub(super) fn guess(width: u32, height: u32) -> Self {
        let (longer, shorter) = (width.max(height), width.min(height));
        if longer >= HD_LONGER_SIDE_PX || shorter > SD_SHORTER_SIDE_PX { Self::Bt709 } else { Self::Bt601 }
    }

    /// Weights of red and blue in luma: ITU-R BT.601-7, BT.709-6, BT.2020-2 (non-constant luminance).
    pub(super) const fn luma_weights(self) -> (f64, f64) {
        match self {
            Self::Bt601 => (0.299, 0.114),
            Self::Bt709 => (0.2126, 0.0722),
            Self::Bt2020 => (0.2627, 0.0593),
        }
    }
}

/// Rows of one plane: `stride` bytes from one to the next.
#[derive(Clone, Copy)]
pub(super) struct Plane<'a> {
    bytes: &'a [u8],
    stride: usize,
}

impl<'a> Plane<'a> {
    /// A plane of `n_rows` rows of `row_bytes` used bytes; `None` when the bytes do not reach or rows overlap.
    pub(super) fn new(bytes: &'a [u8], stride: usize, row_bytes: usize, n_rows: usize) -> Option<Self> {
        let needed = plane_bytes(stride, row_bytes, n_rows)?;
        (row_bytes > 0).then_some(())?;
        Some(Self { bytes: bytes.get(..needed)?, stride })
    }

    /// The used part of each row, from the top.
    pub(super) fn rows(self, row_bytes: usize) -> impl Iterator<Item = &'a [u8]> {
        self.bytes.chunks(self.stride).filter_map(move |row| row.get(..row_bytes))
    }

    /// The used part of one row.
    pub(super) fn row(self, row_idx: usize, row_bytes: usize) -> Option<&'a [u8]> {
        let first_byte = row_idx.checked_mul(self.stride)?;
        self.bytes.get(first_byte..first_byte.checked_add(row_bytes)?)
    }

    /// Part of the plane; `None` when it is not all there.
    fn cut(self, (left, top): (usize, usize), (row_bytes, n_rows): (usize, usize)) -> Option<Self> {
        let first_byte = top.checked_mul(self.stride)?.checked_add(left)?;
        Self::new(self.bytes.get(first_byte..)?, self.stride, row_bytes, n_rows)
    }
}

/// Bytes from the first to the last used byte of a plane; `None` on overflow, no rows or a stride below a row.
pub(super) fn plane_bytes(stride: usize, row_bytes: usize, n_rows: usize) -> Option<usize> {
    (stride >= row_bytes).then_some(())?;
    stride.checked_mul(n_rows.checked_sub(1)?)?.checked_add(row_bytes)
}

/// The chroma planes.
#[derive(Clone, Copy)]
pub(super) enum Chroma<'a> {
    /// U and V apart.
    Planar(Plane<'a>, Plane<'a>),
    /// U and V in turn.
    Interleaved(Plane<'a>),
}

/// An 8-bit YUV picture.
#[derive(Clone, Copy)]
pub(super) struct YuvPicture<'a> {
    pub(super) width: usize,
    pub(super) height: usize,
    pub(super) luma: Plane<'a>,
    pub(super) chroma: Chroma<'a>,
    /// Luma columns a chroma sample stands for: 1 or 2.
    pub(super) chroma_columns: usize,
    /// Luma rows a chroma row stands for: 1 or 2.
    pub(super) chroma_rows: usize,
    pub(super) matrix: YuvMatrix,
    pub(super) range: ColorRange,
}

impl<'a> YuvPicture<'a> {
    /// A picture without pixels, which converts to black.
    pub(super) const fn blank(width: usize, height: usize) -> Self {
        let none = Plane { bytes: &[], stride: 1 };
        let (matrix, range) = (YuvMatrix::Bt601, ColorRange::Full);
        Self {
            width,
            height,
            luma: none,
            chroma: Chroma::Interleaved(none),
            chroma_columns: 1,
            chroma_rows: 1,
            matrix,
            range,
        }
    }

    /// Part of the picture: `left`, `top`, `width` and `height`, the first two at the first pixel of a chroma sample; `None`
    /// when it is not all there.
    pub(super) fn cut(self, [left, top, width, height]: [usize; 4]) -> Option<Self> {
        let chroma_from = (left / self.chroma_columns, top / self.chroma_rows);
        let (chroma_width, chroma_height) = (width.div_ceil(self.chroma_columns), height.div_ceil(self.chroma_rows));
        let chroma = match self.chroma {
            Chroma::Planar(u, v) => {
                let part = |plane: Plane<'a>| plane.cut(chroma_from, (chroma_width, chroma_height));
                Chroma::Planar(part(u)?, part(v)?)
            }
            Chroma::Interleaved(uv) => {
                Chroma::Interleaved(uv.cut((chroma_from.0 * 2, chroma_from.1), (chroma_width * 2, chroma_height))?)
            }
        };
        Some(Self { width, height, luma: self.luma.cut((left, top), (width, height))?, chroma, ..self })
    }

    /// Converts to packed RGB.
    ///
    /// # Shapes
    /// Output: `[height, width, 3]`, u8.
    pub(super) fn to_rgb(self) -> Vec<u8> {
        let mut rgb = vec![0; self.width * self.height * 3];
        native::convert_yuv(self, &mut rgb);
        rgb
    }
}

/// Fixed-point coefficients of one matrix and range.
struct Coefficients {
    luma_gain: i32,
    luma_offset: i32,
    red_from_v: i32,
    green_from_u: i32,
    green_from_v: i32,
    blue_from_u: i32,
}

impl Coefficients {
    #[expect(clippy::cast_possible_truncation, reason = "every coefficient is below 3 x 2^16")]
    fn new(matrix: YuvMatrix, range: ColorRange) -> Self {
        let (red, blue) = matrix.luma_weights();
        let green = 1.0 - red - blue;
        let (black, luma_span) = range.luma_levels();
        let chroma_span = match range {
            ColorRange::Limited => 224.0,
            ColorRange::Full => 255.0,
        };
        let fixed = |value: f64| (value * f64::from(1_u32 << FRACTION_BITS)).round() as i32;
        let chroma_gain = 255.0 / chroma_span;
        Self {
            luma_gain: fixed(255.0 / luma_span),
            luma_offset: black as i32,
            red_from_v: fixed(chroma_gain * 2.0 * (1.0 - red)),
            green_from_u: fixed(-chroma_gain * 2.0 * blue * (1.0 - blue) / green),
            green_from_v: fixed(-chroma_gain * 2.0 * red * (1.0 - red) / green),
            blue_from_u: fixed(chroma_gain * 2.0 * (1.0 - blue)),
        }
    }

    /// What a chroma sample adds to red, green and blue, with the rounding term and the luma offset folded in.
    #[inline(always)]
    fn chroma_terms(&self, u: u8, v: u8) -> (i32, i32, i32) {
        let (u, v) = (i32::from(u) - 128, i32::from(v) - 128);
        let base = (1 << (FRACTION_BITS - 1)) - self.luma_gain * self.luma_offset;
        (base + self.red_from_v * v, base + self.green_from_u * u + self.green_from_v * v, base + self.blue_from_u * u)
    }
}

/// What one row of chroma adds to each pixel of the rows it stands for.
struct ChromaTerms {
    red: Vec<i32>,
    green: Vec<i32>,
    blue: Vec<i32>,
}

impl ChromaTerms {
    /// In a shape that the compiler turns into vector code.
    #[inline(always)]
    fn fill<'a, const COLUMNS: usize>(
        &mut self,
        coefficients: &Coefficients,
        samples: impl Iterator<Item = (&'a u8, &'a u8)>,
    ) {
        let [red, green, blue] =
            [&mut self.red, &mut self.green, &mut self.blue].map(|terms| terms.as_chunks_mut::<COLUMNS>().0);
        for (((red, green), blue), (&u, &v)) in red.iter_mut().zip(green).zip(blue).zip(samples) {
            let (r, g, b) = coefficients.chroma_terms(u, v);
            (*red, *green, *blue) = ([r; COLUMNS], [g; COLUMNS], [b; COLUMNS]);
        }
    }
}

/// The conversion itself; inlined into one function per instruction set by [`native::convert_yuv`].
#[inline(always)]
pub(super) fn convert_rows(picture: YuvPicture<'_>, rgb: &mut [u8]) {
    let coefficients = Coefficients::new(picture.matrix, picture.range);
    let chroma_width = picture.width.div_ceil(picture.chroma_columns);
    // Padded to whole chroma samples; the row loop stops at the picture's width.
    let padded = chroma_width * picture.chroma_columns;
    let mut terms = ChromaTerms { red: vec![0; padded], green: vec![0; padded], blue: vec![0; padded] };
    let mut luma_rows = picture.luma.rows(picture.width);
    let mut targets = rgb.chunks_exact_mut(picture.width * 3);
    let convert_band = |terms: &ChromaTerms| {
        for _ in 0..picture.chroma_rows {
            let (Some(target), Some(luma)) = (targets.next(), luma_rows.next()) else { return };
            convert_row(luma, terms, coefficients.luma_gain, target);
        }
    };
    match picture.chroma {
        Chroma::Planar(u, v) => {
            let rows = u.rows(chroma_width).zip(v.rows(chroma_width));
            convert_bands(
                rows.map(|(u, v)| u.iter().zip(v)),
                picture.chroma_columns,
                &coefficients,
                &mut terms,
                convert_band,
            );
        }
        Chroma::Interleaved(uv) => {
            let rows = uv.rows(chroma_width * 2).map(|row| row.as_chunks::<2>().0.iter().map(|[u, v]| (u, v)));
            convert_bands(rows, picture.chroma_columns, &coefficients, &mut terms, convert_band);
        }
    }
}

#[inline(always)]
fn convert_bands<'a, Row: Iterator<Item = (&'a u8, &'a u8)>>(
    chroma_rows: impl Iterator<Item = Row>,
    columns: usize,
    coefficients: &Coefficients,
    terms: &mut ChromaTerms,
    mut convert_band: impl FnMut(&ChromaTerms),
) {
    for row in chroma_rows {
        if columns == 2 {
            terms.fill::<2>(coefficients, row);
        } else {
            terms.fill::<1>(coefficients, row);
        }
        convert_band(terms);
    }
}

#[inline(always)]
fn convert_row(luma: &[u8], terms: &ChromaTerms, luma_gain: i32, target: &mut [u8]) {
    let pixels = target.as_chunks_mut::<3>().0.iter_mut();
    let inputs = luma.iter().zip(&terms.red).zip(&terms.green).zip(&terms.blue);
    for (pixel, (((&y, &red), &green), &blue)) in pixels.zip(inputs) {
        let luma = i32::from(y) * luma_gain;
        *pixel = [to_byte(luma + red), to_byte(luma + green), to_byte(luma + blue)];
    }
}

#[inline(always)]
#[expect(clippy::cast_sign_loss, reason = "clamped to 0..=255 on the line itself")]
fn to_byte(fixed: i32) -> u8 {
    (fixed >> FRACTION_BITS).clamp(0, 255) as u8
}
