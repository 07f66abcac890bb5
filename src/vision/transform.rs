//! Similarity transforms between two planes.

use super::geometry::PointPx;

/// Smallest spread of source points, in squared pixels, that still determines a transform.
const MIN_SPREAD_PX2: f64 = 1e-6;
/// Smallest scale that can be inverted.
const MIN_SCALE: f64 = 1e-9;

/// Rotation, uniform scale and translation of the plane; no reflection. Named right to left: `chip_from_frame`.
///
/// The linear part is `[[a, -b], [b, a]]`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Similarity {
    a: f64,
    b: f64,
    shift_x: f64,
    shift_y: f64,
}

impl Similarity {
    /// Rotates by `angle_rad` (clockwise as seen, because y points down) and scales, so that `pivot` comes to `target`.
    pub(super) fn about(pivot: PointPx, target: PointPx, scale: f64, angle_rad: f64) -> Self {
        let (a, b) = (scale * angle_rad.cos(), scale * angle_rad.sin());
        let (x, y) = (f64::from(pivot.x), f64::from(pivot.y));
        Self { a, b, shift_x: f64::from(target.x) - (a * x - b * y), shift_y: f64::from(target.y) - (b * x + a * y) }
    }

    /// The similarity that brings `from` closest to `to`, in least squares; `None` when `from` has no extent, the two lists
    /// differ in length or the best transform shrinks everything to a point.
    ///
    /// # Source
    /// Umeyama, IEEE TPAMI 13(4), 1991, in its closed form for two dimensions; a reflection is never returned.
    pub(super) fn least_squares(from: &[PointPx], to: &[PointPx]) -> Option<Self> {
        if from.len() != to.len() || from.is_empty() {
            return None;
        }
        let (from_x, from_y) = centroid(from);
        let (to_x, to_y) = centroid(to);
        let (mut dot, mut cross, mut spread) = (0.0, 0.0, 0.0);
        for (source, target) in from.iter().zip(to) {
            let (sx, sy) = (f64::from(source.x) - from_x, f64::from(source.y) - from_y);
            let (tx, ty) = (f64::from(target.x) - to_x, f64::from(target.y) - to_y);
            dot += sx * tx + sy * ty;
            cross += sx * ty - sy * tx;
            spread += sx * sx + sy * sy;
        }
        if !(spread.is_finite() && spread > MIN_SPREAD_PX2) {
            return None;
        }
        let (a, b) = (dot / spread, cross / spread);
        let found = Self { a, b, shift_x: to_x - (a * from_x - b * from_y), shift_y: to_y - (b * from_x + a * from_y) };
        (found.is_finite() && found.scale() > MIN_SCALE).then_some(found)
    }

    /// The way back; `None` when everything was shrunk to a point.
    pub(super) fn inverse(&self) -> Option<Self> {
        let square = self.a * self.a + self.b * self.b;
        if !(square.is_finite() && square > MIN_SCALE * MIN_SCALE) {
            return None;
        }
        let (a, b) = (self.a / square, -self.b / square);
        Some(Self {
            a,
            b,
            shift_x: -(a * self.shift_x - b * self.shift_y),
            shift_y: -(b * self.shift_x + a * self.shift_y),
        })
    }

    /// Where a point goes.
    #[expect(clippy::cast_possible_truncation, reason = "pixel coordinates are far within f32's range")]
    pub(super) fn apply(&self, point: PointPx) -> PointPx {
        let (x, y) = (f64::from(point.x), f64::from(point.y));
        PointPx {
            x: (self.a * x - self.b * y + self.shift_x) as f32,
            y: (self.b * x + self.a * y + self.shift_y) as f32,
        }
    }

    /// Target pixels a source pixel.
    pub(super) fn scale(&self) -> f64 {
        self.a.hypot(self.b)
    }

    /// The first two rows of the matrix, for sources that were cut out of a picture at `origin` and reduced `reduction`
    /// times, and in the pixel-centre coordinates that image libraries use (the centre of the first pixel is 0, not .5).
    pub(super) fn rows_for_reduced(&self, origin: (f64, f64), reduction: f64) -> [[f64; 3]; 2] {
        let (a, b) = (self.a * reduction, self.b * reduction);
        let shift_x = self.shift_x + self.a * origin.0 - self.b * origin.1;
        let shift_y = self.shift_y + self.b * origin.0 + self.a * origin.1;
        [[a, -b, shift_x + 0.5 * (a - b) - 0.5], [b, a, shift_y + 0.5 * (b + a) - 0.5]]
    }

    /// Whether every coefficient is a finite number.
    pub(super) fn is_finite(&self) -> bool {
        [self.a, self.b, self.shift_x, self.shift_y].iter().all(|value| value.is_finite())
    }
}

/// The mean point of a list that is not empty.
fn centroid(points: &[PointPx]) -> (f64, f64) {
    let count = points.len() as f64;
    let sum = points.iter().fold((0.0, 0.0), |(x, y), point| (x + f64::from(point.x), y + f64::from(point.y)));
    (sum.0 / count, sum.1 / count)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::{ProptestConfig, prop_assert, proptest};

    use super::Similarity;
    use crate::vision::geometry::PointPx;

    const TOLERANCE_PX: f32 = 1e-2;

    fn near(a: PointPx, b: PointPx) -> bool {
        (a.x - b.x).abs() < TOLERANCE_PX && (a.y - b.y).abs() < TOLERANCE_PX
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(128))]

        #[test]
        fn there_and_back_is_where_it_was(
            x in -2000.0_f32..2000.0, y in -2000.0_f32..2000.0, scale in 0.05_f64..20.0, angle in -3.2_f64..3.2,
        ) {
            let chip_from_frame =
                Similarity::about(PointPx { x: 320.0, y: 180.0 }, PointPx { x: 96.0, y: 96.0 }, scale, angle);
            let frame_from_chip = chip_from_frame.inverse().expect("scale is not zero");
            let point = PointPx { x, y };
            prop_assert!(near(frame_from_chip.apply(chip_from_frame.apply(point)), point));
        }

        #[test]
        fn least_squares_finds_the_transform_that_made_the_points(
            scale in 0.1_f64..10.0, angle in -3.1_f64..3.1, x in -500.0_f32..500.0, y in -500.0_f32..500.0,
        ) {
            let from: Vec<_> =
                [(38.0, 51.0), (73.0, 51.0), (56.0, 71.0), (41.0, 92.0)].map(|(x, y)| PointPx { x, y }).to_vec();
            let made = Similarity::about(PointPx { x: 56.0, y: 60.0 }, PointPx { x, y }, scale, angle);
            let to: Vec<_> = from.iter().map(|point| made.apply(*point)).collect();
            let found = Similarity::least_squares(&from, &to).expect("the points have extent");
            prop_assert!(from.iter().zip(&to).all(|(source, target)| near(found.apply(*source), *target)));
        }
    }

    #[test]
    fn points_without_extent_have_no_transform() {
        let same = [PointPx { x: 3.0, y: 4.0 }; 5];
        let nan = [PointPx { x: f32::NAN, y: 4.0 }; 5];
        let fine = [(0.0, 0.0), (1.0, 0.0), (0.0, 1.0), (1.0, 1.0), (2.0, 2.0)].map(|(x, y)| PointPx { x, y });
        assert!(Similarity::least_squares(&same, &fine).is_none());
        assert!(Similarity::least_squares(&fine, &same).is_none());
        assert!(Similarity::least_squares(&nan, &fine).is_none());
        assert!(Similarity::least_squares(&fine, &fine[..3]).is_none());
        assert!(Similarity::least_squares(&[], &[]).is_none());
    }

    #[test]
    fn a_pixel_centre_stays_a_pixel_centre() {
        // Identity in edge coordinates is identity in centre coordinates.
        let identity = Similarity::about(PointPx::default(), PointPx::default(), 1.0, 0.0);
        assert_eq!(identity.rows_for_reduced((0.0, 0.0), 1.0), [[1.0, 0.0, 0.0], [0.0, 1.0, 0.0]]);
        // Twice as large: the centre of source pixel 0 (edge coordinate .5) goes to edge coordinate 1, centre coordinate .5.
        let double = Similarity::about(PointPx::default(), PointPx::default(), 2.0, 0.0);
        assert_eq!(double.rows_for_reduced((0.0, 0.0), 1.0), [[2.0, 0.0, 0.5], [0.0, 2.0, 0.5]]);
    }
}
