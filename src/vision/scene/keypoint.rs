//! Corners and blobs that stand out at their own size: extrema of differences of Gaussians.

use opencv::core::{BORDER_REPLICATE, Mat, MatTraitConstManual, Size};
use opencv::imgproc;

use super::background::Background;
use crate::vision::error::VisionError;
use crate::vision::resample::{failed, side_i32};

/// Sizes looked at between one halving of the picture and the next.
const LAYERS: usize = 3;
/// Standard deviation of the first Gaussian of every octave, in the octave's pixels.
const BASE_SIGMA: f32 = 1.6;
/// Blur that a picture comes with.
const CAMERA_SIGMA: f32 = 0.5;
/// Shorter side below which the picture is not halved again.
const MIN_OCTAVE_PX: usize = 24;
/// Difference of Gaussians from which a place stands out, in levels of 0..=255.
const MIN_CONTRAST: f32 = 1.7;
/// Share of that below which a place is not looked at further.
const FIRST_LOOK: f32 = 0.8;
/// Ratio of the two curvatures above which a place is an edge, along which it could slide.
const MAX_CURVATURE_RATIO: f32 = 10.0;
/// Steps to a neighbour before a place is given up.
const MAX_STEPS: usize = 3;
/// Pixels at an octave's border in which nothing is sought.
const BORDER: usize = 4;
/// Distance from people within which nothing is taken, in standard deviations of the place's own Gaussian.
const CLEARANCE: f32 = 4.0;
/// Places that are kept, the strongest first.
const MAX_KEYPOINTS: usize = 400;

/// Grey values in rows.
pub(super) struct Plane {
    pub(super) width: usize,
    pub(super) height: usize,
    pub(super) values: Vec<f32>,
}

impl Plane {
    /// The value at a place that lies inside.
    fn at(&self, x: usize, y: usize) -> f32 {
        self.values.get(y * self.width + x).copied().unwrap_or(0.0)
    }
}

/// Every octave's Gaussians, `LAYERS + 3` of them.
pub(super) struct Pyramid {
    octaves: Vec<Vec<Plane>>,
}

impl Pyramid {
    /// The Gaussian on which a keypoint stands out.
    pub(super) fn plane(&self, keypoint: &Keypoint) -> Option<&Plane> {
        self.octaves.get(keypoint.octave)?.get(keypoint.layer)
    }
}

/// A place that stands out.
#[derive(Clone, Copy, Debug)]
pub(super) struct Keypoint {
    /// Halvings of the working picture.
    pub(super) octave: usize,
    /// Gaussian of the octave.
    pub(super) layer: usize,
    /// Place and size in pixels of the octave.
    pub(super) x_in_octave: f32,
    pub(super) y_in_octave: f32,
    pub(super) sigma_in_octave: f32,
    /// How much it stands out.
    pub(super) contrast: f32,
}

impl Keypoint {
    /// Pixels of the working picture behind one of the octave.
    fn pixel(&self) -> f32 {
        (1_u32 << self.octave.min(16)) as f32
    }

    /// Place and size in pixels of the working picture.
    pub(super) fn in_picture(&self) -> (f32, f32, f32) {
        let pixel = self.pixel();
        (self.x_in_octave * pixel, self.y_in_octave * pixel, self.sigma_in_octave * pixel)
    }
}

/// Everything that stands out of the background, the strongest first.
pub(super) fn keypoints(background: &Background) -> Result<(Pyramid, Vec<Keypoint>), VisionError> {
    let pyramid = pyramid(background)?;
    let mut found = Vec::new();
    for (octave, gaussians) in pyramid.octaves.iter().enumerate() {
        let differences: Vec<Plane> = gaussians.windows(2).filter_map(difference).collect();
        for layer in 1..=LAYERS {
            if let Some([below, here, above]) = differences.get(layer - 1..layer + 2) {
                extrema([below, here, above], |x, y| {
                    let keypoint = settle(&differences, octave, (x, y, layer))?;
                    let (x, y, sigma) = keypoint.in_picture();
                    background.is_free(x, y, CLEARANCE * sigma).then(|| found.push(keypoint))
                });
            }
        }
    }
    let order = |keypoint: &Keypoint| (keypoint.in_picture().1, keypoint.in_picture().0);
    found.sort_by(|a, b| {
        let ((ay, ax), (by, bx)) = (order(a), order(b));
        b.contrast.total_cmp(&a.contrast).then(ay.total_cmp(&by)).then(ax.total_cmp(&bx))
    });
    found.truncate(MAX_KEYPOINTS);
    Ok((pyramid, found))
}

fn pyramid(background: &Background) -> Result<Pyramid, VisionError> {
    let (width, height) = background.size();
    let mut first =
        Plane { width: usize::from(width), height: usize::from(height), values: background.luma().to_vec() };
    let mut blur_before = CAMERA_SIGMA;
    let mut octaves = Vec::new();
    while first.width.min(first.height) >= MIN_OCTAVE_PX {
        let mut gaussians: Vec<Plane> = Vec::new();
        for layer in 0..LAYERS + 3 {
            let sigma = sigma_of(layer as f32);
            let added = (sigma * sigma - blur_before * blur_before).max(0.0).sqrt();
            let next = blurred(gaussians.last().unwrap_or(&first), added)?;
            gaussians.push(next);
            blur_before = sigma;
        }
        let Some(twice) = gaussians.get(LAYERS) else { break };
        first = halved(twice);
        blur_before = BASE_SIGMA;
        octaves.push(gaussians);
    }
    Ok(Pyramid { octaves })
}

/// Standard deviation of a layer, in pixels of its octave.
fn sigma_of(layer: f32) -> f32 {
    BASE_SIGMA * (layer / LAYERS as f32).exp2()
}

fn blurred(plane: &Plane, sigma: f32) -> Result<Plane, VisionError> {
    if sigma <= 0.01 {
        return Ok(Plane { width: plane.width, height: plane.height, values: plane.values.clone() });
    }
    let side = |side: usize| side_i32(u32::try_from(side).unwrap_or(u32::MAX));
    let source = Mat::new_rows_cols_with_data(side(plane.height), side(plane.width), &plane.values)
        .map_err(failed("wrap luma"))?;
    let (mut result, sigma) = (Mat::default(), f64::from(sigma));
    imgproc::gaussian_blur(&source, &mut result, Size::new(0, 0), sigma, sigma, BORDER_REPLICATE)
        .map_err(failed("blur"))?;
    let values = result.data_typed::<f32>().map_err(failed("read luma"))?.to_vec();
    Ok(Plane { width: plane.width, height: plane.height, values })
}

/// Every second pixel of every second row.
fn halved(plane: &Plane) -> Plane {
    let (width, height) = (plane.width / 2, plane.height / 2);
    let rows = plane.values.chunks_exact(plane.width.max(1)).step_by(2).take(height);
    let values = rows.flat_map(|row| row.iter().step_by(2).take(width).copied()).collect();
    Plane { width, height, values }
}

fn difference(pair: &[Plane]) -> Option<Plane> {
    let [narrow, wide] = pair else { return None };
    let values = wide.values.iter().zip(&narrow.values).map(|(wide, narrow)| wide - narrow).collect();
    Some(Plane { width: narrow.width, height: narrow.height, values })
}

/// Calls `found` with every place that is above or below all its 26 neighbours.
fn extrema([below, here, above]: [&Plane; 3], mut found: impl FnMut(usize, usize) -> Option<()>) {
    let width = here.width;
    for y in BORDER..here.height.saturating_sub(BORDER) {
        let nine = [below, here, above].map(|plane| {
            [y - 1, y, y + 1].map(|row| plane.values.get(row * width..(row + 1) * width).unwrap_or_default())
        });
        let [_, [_, middle, _], _] = nine;
        for x in BORDER..width.saturating_sub(BORDER) {
            let Some(value) = middle.get(x).copied().filter(|value| value.abs() > FIRST_LOOK * MIN_CONTRAST) else {
                continue;
            };
            // Most places fail at their first neighbours.
            let is_top = if value > 0.0 {
                stands_out(&nine, x, |other| other < value)
            } else {
                stands_out(&nine, x, |other| other > value)
            };
            if is_top {
                let _is_kept = found(x, y);
            }
        }
    }
}

/// Whether all 26 neighbours of a place in the middle of nine rows are on the same side of it.
fn stands_out(nine: &[[&[f32]; 3]; 3], x: usize, is_beyond: impl Fn(f32) -> bool) -> bool {
    let three = |row: &[f32]| row.get(x - 1..=x + 1).and_then(|three| <[f32; 3]>::try_from(three).ok());
    let [below, [over, middle, under], above] = nine;
    let beside = three(middle).is_some_and(|[left, _, right]| is_beyond(left) && is_beyond(right));
    let is_row_beyond = |row: &&[f32]| three(row).is_some_and(|three| three.into_iter().all(&is_beyond));
    beside && [over, under].into_iter().all(is_row_beyond) && below.iter().chain(above).all(is_row_beyond)
}

/// Moves a place to where a parabola through its neighbours has its top; `None` when it slides off, is weak or is an edge.
///
/// # Source
/// Brown and Lowe, BMVC 2002.
fn settle(differences: &[Plane], octave: usize, (mut x, mut y, mut layer): (usize, usize, usize)) -> Option<Keypoint> {
    for _ in 0..MAX_STEPS {
        let around = Around::new(differences, x, y, layer)?;
        let offset = around.offset()?;
        if offset.iter().all(|step| step.abs() <= 0.5) {
            return around.keypoint(octave, (x, y, layer), offset);
        }
        let moved = |at: usize, step: f32| {
            at.checked_add_signed(if step > 0.5 {
                1
            } else if step < -0.5 {
                -1
            } else {
                0
            })
        };
        (x, y, layer) = (moved(x, offset[0])?, moved(y, offset[1])?, moved(layer, offset[2])?);
    }
    None
}

/// Values, slopes and curvatures at a place.
struct Around {
    value: f32,
    /// In x, y and layer.
    slope: [f32; 3],
    /// xx, yy, ll, xy, xl, yl.
    curve: [f32; 6],
}

impl Around {
    fn new(differences: &[Plane], x: usize, y: usize, layer: usize) -> Option<Self> {
        if !(1..=LAYERS).contains(&layer) {
            return None;
        }
        let [below, here, above] = differences.get(layer - 1..layer + 2)? else { return None };
        let is_inside = |at: usize, side: usize| at >= BORDER && at + BORDER < side;
        if !(is_inside(x, here.width) && is_inside(y, here.height)) {
            return None;
        }
        let value = here.at(x, y);
        let half = |after: f32, before: f32| (after - before) / 2.0;
        let bend = |after: f32, before: f32| after + before - 2.0 * value;
        let twist = |both: f32, neither: f32, one: f32, other: f32| (both + neither - one - other) / 4.0;
        Some(Self {
            value,
            slope: [
                half(here.at(x + 1, y), here.at(x - 1, y)),
                half(here.at(x, y + 1), here.at(x, y - 1)),
                half(above.at(x, y), below.at(x, y)),
            ],
            curve: [
                bend(here.at(x + 1, y), here.at(x - 1, y)),
                bend(here.at(x, y + 1), here.at(x, y - 1)),
                bend(above.at(x, y), below.at(x, y)),
                twist(here.at(x + 1, y + 1), here.at(x - 1, y - 1), here.at(x + 1, y - 1), here.at(x - 1, y + 1)),
                twist(above.at(x + 1, y), below.at(x - 1, y), above.at(x - 1, y), below.at(x + 1, y)),
                twist(above.at(x, y + 1), below.at(x, y - 1), above.at(x, y - 1), below.at(x, y + 1)),
            ],
        })
    }

    /// Where the parabola has its top, from here; by Cramer's rule.
    fn offset(&self) -> Option<[f32; 3]> {
        let [xx, yy, ll, xy, xl, yl] = self.curve;
        let [sx, sy, sl] = self.slope.map(|slope| -slope);
        let determinant = |[a, b, c]: [[f32; 3]; 3]| {
            a[0] * (b[1] * c[2] - b[2] * c[1]) - a[1] * (b[0] * c[2] - b[2] * c[0]) + a[2] * (b[0] * c[1] - b[1] * c[0])
        };
        let whole = determinant([[xx, xy, xl], [xy, yy, yl], [xl, yl, ll]]);
        let offset = [
            determinant([[sx, xy, xl], [sy, yy, yl], [sl, yl, ll]]),
            determinant([[xx, sx, xl], [xy, sy, yl], [xl, sl, ll]]),
            determinant([[xx, xy, sx], [xy, yy, sy], [xl, yl, sl]]),
        ]
        .map(|part| part / whole);
        offset.iter().all(|step| step.is_finite()).then_some(offset)
    }

    fn keypoint(&self, octave: usize, (x, y, layer): (usize, usize, usize), offset: [f32; 3]) -> Option<Keypoint> {
        let rise: f32 = self.slope.iter().zip(offset).map(|(slope, step)| slope * step).sum();
        let contrast = (self.value + rise / 2.0).abs();
        let [xx, yy, _, xy, _, _] = self.curve;
        let (trace, determinant) = (xx + yy, xx * yy - xy * xy);
        let limit = (MAX_CURVATURE_RATIO + 1.0).powi(2) / MAX_CURVATURE_RATIO;
        let is_corner = determinant > 0.0 && trace * trace < limit * determinant;
        (contrast >= MIN_CONTRAST && is_corner).then(|| Keypoint {
            octave,
            layer,
            x_in_octave: x as f32 + offset[0],
            y_in_octave: y as f32 + offset[1],
            sigma_in_octave: sigma_of(layer as f32 + offset[2]),
            contrast,
        })
    }
}
