//! Quantiles of a handful of numbers.

/// The quantile of sorted values by linear interpolation; 0 when there are none.
#[must_use]
pub fn quantile(sorted: &[f64], at: f64) -> f64 {
    let position = at.clamp(0.0, 1.0) * sorted.len().saturating_sub(1) as f64;
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "within the slice's own length")]
    let below = position.floor() as usize;
    let value = |index: usize| sorted.get(index).or(sorted.last()).copied().unwrap_or(0.0);
    value(below) + (value(below + 1) - value(below)) * position.fract()
}

#[cfg(test)]
mod tests {
    use super::quantile;

    #[test]
    fn quantiles_interpolate() {
        assert!((quantile(&[1.0, 2.0, 3.0], 0.5) - 2.0).abs() < 1e-12);
        assert!((quantile(&[1.0, 2.0], 0.8) - 1.8).abs() < 1e-12);
        assert!((quantile(&[1.0, 2.0], 0.25) - 1.25).abs() < 1e-12);
        assert!((quantile(&[4.0], 0.8) - 4.0).abs() < 1e-12);
        assert!((quantile(&[4.0], 0.9) - 4.0).abs() < 1e-12);
    }
}
