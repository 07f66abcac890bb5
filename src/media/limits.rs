//! Bounds that are checked before anything is decoded.

use serde::Deserialize;

use crate::error::InvalidOption;

use super::error::MediaError;

/// How much a sample or a recording may ask of the decoder.
#[derive(Clone, Copy, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct MediaLimits {
    /// Bytes of one video sample. A 1080p RGBA frame has 8.3 MB.
    pub max_sample_bytes: u64,
    /// Pixels a side.
    pub max_side_px: u32,
    /// Pixels a picture (width x height).
    pub max_pixels: u64,
    /// Longer side over shorter side.
    pub max_aspect_ratio: f64,
    /// Bytes of one recording.
    pub max_recording_bytes: u64,
    /// Seconds of one recording.
    pub max_recording_secs: f64,
    /// Streams (video, audio, subtitles, data) of one recording.
    pub max_streams: u32,
}

impl Default for MediaLimits {
    fn default() -> Self {
        Self {
            max_sample_bytes: 16 * 1024 * 1024,
            max_side_px: 4_096,
            max_pixels: 4_096 * 2_304,
            max_aspect_ratio: 4.0,
            max_recording_bytes: 16 * 1024 * 1024 * 1024,
            max_recording_secs: 6.0 * 3_600.0,
            max_streams: 16,
        }
    }
}

impl MediaLimits {
    /// Checks what the types do not: a bound of zero refuses everything, one that is no number or far too large bounds
    /// nothing.
    ///
    /// # Errors
    /// [`InvalidOption`] for the first key that is out of range.
    pub fn validate(&self) -> Result<(), InvalidOption> {
        let in_range = InvalidOption::unless_within::<u64>;
        in_range("max_sample_bytes", self.max_sample_bytes, 1_024..=1_073_741_824)?;
        in_range("max_side_px", u64::from(self.max_side_px), 16..=16_384)?;
        in_range("max_pixels", self.max_pixels, 256..=16_384 * 16_384)?;
        InvalidOption::unless_within("max_aspect_ratio", self.max_aspect_ratio, 1.0..=100.0)?;
        in_range("max_recording_bytes", self.max_recording_bytes, 1_024..=1 << 50)?;
        InvalidOption::unless_within("max_recording_secs", self.max_recording_secs, 1.0..=604_800.0)?;
        in_range("max_streams", u64::from(self.max_streams), 1..=1_024)
    }

    /// Checks the size of one sample before anything is parsed.
    ///
    /// # Errors
    /// [`MediaError::OverLimit`] naming `data`.
    pub fn check_sample_bytes(&self, n_bytes: usize) -> Result<(), MediaError> {
        if n_bytes as u64 > self.max_sample_bytes {
            return Err(MediaError::OverLimit {
                what: "data bytes",
                actual: n_bytes as f64,
                limit: self.max_sample_bytes as f64,
                remedy: "send smaller or more compressed frames",
            });
        }
        Ok(())
    }

    /// Checks a picture's size, as its header or layout states it, before pixels are decoded or copied.
    ///
    /// # Errors
    /// [`MediaError::InvalidField`] when a side is zero, [`MediaError::OverLimit`] when a side, the number of pixels or
    /// the aspect ratio is over its bound. A bound that is no number refuses everything.
    pub fn check_picture(&self, width: u32, height: u32) -> Result<(), MediaError> {
        if width == 0 || height == 0 {
            return Err(MediaError::InvalidField {
                field: "width, height",
                problem: format!("picture of {width}x{height} px has no pixels"),
            });
        }
        let (longer, shorter) = (width.max(height), width.min(height));
        let n_pixels = u64::from(width) * u64::from(height);
        let aspect_ratio = f64::from(longer) / f64::from(shorter);
        let refuse = |what, actual, limit, remedy| Err(MediaError::OverLimit { what, actual, limit, remedy });
        if longer > self.max_side_px {
            return refuse(
                "longer side in px",
                f64::from(longer),
                f64::from(self.max_side_px),
                "scale the picture down",
            );
        }
        if n_pixels > self.max_pixels {
            return refuse("pixels a picture", n_pixels as f64, self.max_pixels as f64, "scale the picture down");
        }
        if self.max_aspect_ratio.is_nan() || aspect_ratio > self.max_aspect_ratio {
            return refuse("aspect ratio", aspect_ratio, self.max_aspect_ratio, "crop the picture to the person");
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::{MediaError, MediaLimits};

    #[test]
    fn pictures_at_a_bound_pass_and_past_it_name_the_bound() {
        let limits = MediaLimits::default();
        for (width, height, refused) in [
            (4_096, 2_304, None),
            (1_024, 4_096, None),
            (1, 1, None),
            (4_097, 2_000, Some("longer side in px")),
            (4_096, 2_305, Some("pixels a picture")),
            (401, 100, Some("aspect ratio")),
            (100, 401, Some("aspect ratio")),
            (u32::MAX, u32::MAX, Some("longer side in px")),
        ] {
            let what = match limits.check_picture(width, height) {
                Ok(()) => None,
                Err(MediaError::OverLimit { what, .. }) => Some(what),
                Err(other) => panic!("{width}x{height}: {other}"),
            };
            assert_eq!(what, refused, "{width}x{height}");
        }
    }

    #[test]
    fn a_side_of_zero_is_an_invalid_field() {
        for (width, height) in [(0, 1), (1, 0), (0, 0)] {
            let error = MediaLimits::default().check_picture(width, height).expect_err("no pixels");
            assert!(matches!(error, MediaError::InvalidField { .. }), "{error}");
        }
    }

    #[test]
    fn an_aspect_bound_that_is_no_number_lets_nothing_through() {
        let limits = MediaLimits { max_aspect_ratio: f64::NAN, ..MediaLimits::default() };
        limits.check_picture(64, 64).expect_err("NaN must not read as no limit");
    }

    #[test]
    fn bounds_that_bound_nothing_or_everything_are_named() {
        MediaLimits::default().validate().expect("the defaults can be used");
        let check = |key: &str, change: fn(&mut MediaLimits)| {
            let mut limits = MediaLimits::default();
            change(&mut limits);
            assert_eq!(limits.validate().expect_err(key).key, key);
        };
        check("max_sample_bytes", |limits| limits.max_sample_bytes = 0);
        check("max_side_px", |limits| limits.max_side_px = u32::MAX);
        check("max_pixels", |limits| limits.max_pixels = 0);
        check("max_aspect_ratio", |limits| limits.max_aspect_ratio = f64::NAN);
        check("max_aspect_ratio", |limits| limits.max_aspect_ratio = 0.5);
        check("max_recording_bytes", |limits| limits.max_recording_bytes = 0);
        check("max_recording_secs", |limits| limits.max_recording_secs = f64::INFINITY);
        check("max_streams", |limits| limits.max_streams = 0);
    }

    #[test]
    fn sample_bytes_are_bounded() {
        let limits = MediaLimits { max_sample_bytes: 10, ..MediaLimits::default() };
        limits.check_sample_bytes(10).expect("at the bound");
        let message = limits.check_sample_bytes(11).expect_err("over the bound").to_string();
        assert!(message.starts_with("data bytes is 11, over the limit of 10"), "{message}");
    }
}
