//! Unit vectors in 8 bits, and how far a product of them can be from the one that floating point gives.
//!
//! A template `t` is kept as `t = s c + e`: scale, codes of -127..=127, and what rounding left out. The query is `q = r k + f`
//! with codes of 13 bits. Then `q·t = s r (k·c) + q·e + f·(s c)`, and by Cauchy and Schwarz the last two are at most
//! `|q| |e| + |f| (|t| + |e|)`. The lengths `|e|` and `|f|` are measured, not assumed, so that the bound holds for every vector.

use super::template::MAX_DIMENSION;

/// Codes are compared in groups of so many; vectors are filled up with zeros, so that no group is cut.
const LANES: usize = 32;
const MAX_CODE: f64 = 127.0;
const MAX_QUERY_CODE: f64 = 4095.0;
/// Longest that a stored unit vector can be: [`Embedding::from_unit`](crate::vision::Embedding::from_unit) allows 1 ± 5e-4.
const MAX_LENGTH: f64 = 1.001;
/// What rounding to f32 and f64 may take off a measured length.
const ROUNDED_UP: f64 = 1.0 + 1e-6;

// The sum of products of the largest codes must fit into 32 bits.
const _: () = assert!(127 * 4095 * MAX_DIMENSION < 1 << 31);

/// Codes that a vector of so many numbers takes up.
pub(super) const fn stride(dimension: usize) -> usize {
    dimension.next_multiple_of(LANES)
}

/// What is kept of a template beside its codes.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Rounding {
    /// Value of one step of a code.
    pub(super) scale: f32,
    /// Length of what rounding left out, never too short.
    pub(super) residual: f32,
}

/// Writes the codes of a unit vector into `codes`, which is [`stride`] long and zero past the vector's end.
pub(super) fn quantise(values: &[f32], codes: &mut [i8]) -> Rounding {
    let largest = values.iter().fold(0.0_f32, |largest, value| largest.max(value.abs()));
    #[expect(clippy::cast_possible_truncation, reason = "a number of 0..=1; its rounding is part of the residual")]
    let scale = (f64::from(largest) / MAX_CODE) as f32;
    let step = f64::from(scale).max(f64::MIN_POSITIVE);
    let mut left_out = 0.0;
    for (value, code) in values.iter().zip(codes) {
        let rounded = (f64::from(*value) / step).round().clamp(-MAX_CODE, MAX_CODE);
        #[expect(clippy::cast_possible_truncation, reason = "clamped to -127..=127")]
        let small = rounded as i8;
        *code = small;
        left_out += (f64::from(*value) - rounded * step).powi(2);
    }
    #[expect(clippy::cast_possible_truncation, reason = "rounded up before")]
    let residual = (left_out.sqrt() * ROUNDED_UP) as f32;
    Rounding { scale, residual: residual.next_up() }
}

/// A query, ready to be compared with any number of templates.
pub(super) struct Query {
    codes: Vec<i16>,
    scale: f64,
    /// The bound on a product's error is `margin + margin_a_residual * residual`.
    margin: f64,
    margin_a_residual: f64,
}

impl Query {
    /// Of a unit vector.
    pub(super) fn new(values: &[f32]) -> Self {
        let largest = values.iter().fold(0.0_f32, |largest, value| largest.max(value.abs()));
        let scale = (f64::from(largest) / MAX_QUERY_CODE).max(f64::MIN_POSITIVE);
        let mut codes = vec![0; stride(values.len())];
        let mut left_out = 0.0;
        for (value, code) in values.iter().zip(&mut codes) {
            let rounded = (f64::from(*value) / scale).round().clamp(-MAX_QUERY_CODE, MAX_QUERY_CODE);
            #[expect(clippy::cast_possible_truncation, reason = "clamped to 13 bits")]
            let small = rounded as i16;
            *code = small;
            left_out += (f64::from(*value) - rounded * scale).powi(2);
        }
        let left_out = left_out.sqrt() * ROUNDED_UP;
        // A sum of n products in f32 is off by at most n u / (1 - n u) times the sum of their sizes, u = EPSILON / 2
        // (Higham, Accuracy and Stability, 3.1); twice that also covers the few roundings of this bound itself.
        let of_floating_point = (values.len() + 8) as f64 * f64::from(f32::EPSILON) * MAX_LENGTH * MAX_LENGTH;
        Self {
            codes,
            scale,
            margin: left_out * MAX_LENGTH + of_floating_point,
            margin_a_residual: MAX_LENGTH + left_out,
        }
    }

    /// The most that the product in floating point with a template of these codes can be.
    #[inline]
    pub(super) fn at_most(&self, codes: &[i8], rounding: Rounding) -> f64 {
        let product = f64::from(product(codes, &self.codes)) * self.scale * f64::from(rounding.scale);
        product + self.margin + self.margin_a_residual * f64::from(rounding.residual)
    }
}

/// The sum of products of codes, exact. Groups of a fixed size, integers and no branches are what compilers make vector
/// code of, also for a processor of which nothing is known.
#[inline]
fn product(codes: &[i8], query: &[i16]) -> i32 {
    let groups = codes.as_chunks::<LANES>().0.iter().zip(query.as_chunks::<LANES>().0);
    let of_group = |(codes, query): (&[i8; LANES], &[i16; LANES])| {
        codes.iter().zip(query).map(|(code, other)| i32::from(*code) * i32::from(*other)).sum::<i32>()
    };
    groups.map(of_group).sum()
}

#[cfg(test)]
mod tests {
    use rand::rngs::StdRng;
    use rand::{RngExt as _, SeedableRng as _};

    use super::{Query, quantise, stride};
    use crate::vision::Embedding;

    fn vector(random: &mut StdRng, dimension: usize, is_sparse: bool) -> Embedding {
        let raw: Vec<f32> = (0..dimension)
            .map(|_| if is_sparse && random.random_range(0..9) > 0 { 0.0 } else { random.random_range(-1.0..1.0) })
            .collect();
        Embedding::from_raw(&raw).unwrap_or_else(|| Embedding::from_raw(&vec![1.0; dimension]).expect("not zero"))
    }

    #[test]
    fn the_bound_is_never_below_the_product_and_close_to_it() {
        let mut random = StdRng::seed_from_u64(3);
        for dimension in [1, 2, 3, 31, 32, 33, 100, 128, 511, 512, 513, 4096] {
            for trial in 0..200 {
                let (a, b) = (vector(&mut random, dimension, trial % 3 == 0), vector(&mut random, dimension, false));
                let mut codes = vec![0; stride(dimension)];
                let rounding = quantise(b.values(), &mut codes);
                let exact = f64::from(a.similarity(&b).expect("one dimension"));
                let bound = Query::new(a.values()).at_most(&codes, rounding);
                assert!(bound >= exact, "{dimension}: {bound} < {exact}");
                assert!(bound - exact < 0.03, "{dimension}: {bound} far above {exact}");
            }
        }
    }

    #[test]
    fn the_largest_products_fit() {
        let ones = Embedding::from_raw(&vec![1.0; 4096]).expect("not zero");
        let mut codes = vec![0; 4096];
        let rounding = quantise(ones.values(), &mut codes);
        assert!(codes.iter().all(|code| *code == 127));
        let bound = Query::new(ones.values()).at_most(&codes, rounding);
        assert!((1.0..1.01).contains(&bound), "{bound}");
    }
}
