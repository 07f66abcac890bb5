//! Checks of single request fields; every refusal names the field and the remedy.

use std::borrow::Cow;
use std::time::Duration;

use jiff::Timestamp;

use crate::error::{ErrorKind, Kinded};
use crate::media::MediaTime;
use crate::session::IdError;

/// Longest free text of a caller, in bytes.
pub(super) const MAX_TEXT_BYTES: usize = 256;
/// Longest token that this server hands out, in bytes.
pub(super) const MAX_TOKEN_BYTES: usize = 512;
/// Listings give so many items when the caller does not say.
const DEFAULT_PAGE_SIZE: u32 = 50;
/// Listings never give more items than this a page.
const MAX_PAGE_SIZE: u32 = 1_000;
/// First second of year 1 and last second of year 9999, the range of a protobuf timestamp.
const TIMESTAMP_SECS: std::ops::RangeInclusive<i64> = -62_135_596_800..=253_402_300_799;

/// A field of a request that cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{field}: {problem}")]
pub struct FieldError {
    /// The field's path, as on the wire.
    pub field: Cow<'static, str>,
    /// What is wrong and what to do.
    pub problem: Cow<'static, str>,
}

impl FieldError {
    /// A refusal of `field`.
    pub(super) fn new(field: impl Into<Cow<'static, str>>, problem: impl Into<Cow<'static, str>>) -> Self {
        Self { field: field.into(), problem: problem.into() }
    }

    /// The same refusal, of a field within `parent`.
    pub(super) fn within(self, parent: &str) -> Self {
        Self { field: Cow::Owned(format!("{parent}.{}", self.field)), problem: self.problem }
    }
}

impl Kinded for FieldError {
    fn kind(&self) -> ErrorKind {
        ErrorKind::InvalidInput
    }
}

impl From<IdError> for FieldError {
    fn from(error: IdError) -> Self {
        Self::new(error.field, error.problem)
    }
}

/// A text of at most `max_bytes` without control characters.
pub(super) fn text(field: &'static str, value: String, max_bytes: usize) -> Result<String, FieldError> {
    if value.len() > max_bytes {
        return Err(FieldError::new(field, format!("has {} bytes: use at most {max_bytes}", value.len())));
    }
    if value.chars().any(char::is_control) {
        return Err(FieldError::new(field, "holds control characters: remove them"));
    }
    Ok(value)
}

/// A token or etag: `None` when empty.
pub(super) fn token(field: &'static str, value: String) -> Result<Option<String>, FieldError> {
    let value = text(field, value, MAX_TOKEN_BYTES)?;
    Ok((!value.is_empty()).then_some(value))
}

/// A list of at most `max` items.
pub(super) fn at_most<T>(field: &'static str, items: &[T], max: usize) -> Result<(), FieldError> {
    if items.len() > max {
        return Err(FieldError::new(field, format!("has {} entries: send at most {max}", items.len())));
    }
    Ok(())
}

/// A message field that must be there.
pub(super) fn required<T>(field: &'static str, value: Option<T>) -> Result<T, FieldError> {
    value.ok_or_else(|| FieldError::new(field, "is not set: set it"))
}

/// An enum number that this server knows.
pub(super) fn known<E: TryFrom<i32>>(field: &'static str, number: i32) -> Result<E, FieldError> {
    E::try_from(number).map_err(|_| {
        FieldError::new(
            field,
            format!("{number} is not known to this server: use a value of its version of the contract"),
        )
    })
}

/// A finite number.
pub(super) fn finite(field: &'static str, value: f64) -> Result<f64, FieldError> {
    if value.is_finite() {
        Ok(value)
    } else {
        Err(FieldError::new(field, "is not a finite number: leave the entry out when it is not known"))
    }
}

/// A position on the media clock.
pub(super) fn media_time(field: &'static str, value: Option<prost_types::Duration>) -> Result<MediaTime, FieldError> {
    let nanos = signed_nanos(field, required(field, value)?)?;
    Ok(MediaTime::from_nanos(nanos))
}

/// A length of time that is not negative, at most `max`.
pub(super) fn length(
    field: &'static str,
    value: Option<prost_types::Duration>,
    max: Duration,
) -> Result<Option<Duration>, FieldError> {
    let Some(value) = value else { return Ok(None) };
    let nanos = u64::try_from(signed_nanos(field, value)?)
        .map_err(|_| FieldError::new(field, "is negative: use zero or more"))?;
    let length = Duration::from_nanos(nanos);
    if length > max {
        return Err(FieldError::new(field, format!("is over {} s: use less", max.as_secs())));
    }
    Ok(Some(length))
}

fn signed_nanos(field: &'static str, value: prost_types::Duration) -> Result<i64, FieldError> {
    let nanos = i64::from(value.nanos);
    let signs_agree = value.seconds == 0 || nanos == 0 || (value.seconds < 0) == (nanos < 0);
    if !(-999_999_999..=999_999_999).contains(&nanos) || !signs_agree {
        return Err(FieldError::new(
            field,
            "is not a valid duration: nanos must be within 999,999,999 and share the sign of seconds",
        ));
    }
    value
        .seconds
        .checked_mul(1_000_000_000)
        .and_then(|whole| whole.checked_add(nanos))
        .ok_or_else(|| FieldError::new(field, "is out of range: positions reach about 292 years"))
}

/// A wall-clock time.
pub(super) fn timestamp(
    field: &'static str,
    value: Option<prost_types::Timestamp>,
) -> Result<Option<Timestamp>, FieldError> {
    let Some(value) = value else { return Ok(None) };
    let is_valid = TIMESTAMP_SECS.contains(&value.seconds) && (0..=999_999_999).contains(&value.nanos);
    let problem = "is not a valid timestamp: seconds must lie in the years 1 to 9999 and nanos in 0 to 999,999,999";
    if !is_valid {
        return Err(FieldError::new(field, problem));
    }
    // A negative second with positive nanos is how the wire says it; the sum is what both sides mean.
    let base = Timestamp::from_second(value.seconds).map_err(|_| FieldError::new(field, problem))?;
    base.checked_add(jiff::SignedDuration::from_nanos(i64::from(value.nanos)))
        .map(Some)
        .map_err(|_| FieldError::new(field, problem))
}

/// A page size by AIP-158: 0 = default, too much = the most there is.
pub(super) fn page_size(value: i32) -> Result<u32, FieldError> {
    match u32::try_from(value) {
        Ok(0) => Ok(DEFAULT_PAGE_SIZE),
        Ok(size) => Ok(size.min(MAX_PAGE_SIZE)),
        Err(_) => Err(FieldError::new("page_size", "is negative: use 1 to 1000, or 0 for the default")),
    }
}

/// A request id by AIP-155: a UUID in its usual spelling, in lower case afterwards; `None` when empty.
pub(super) fn request_id(value: &str) -> Result<Option<String>, FieldError> {
    if value.is_empty() {
        return Ok(None);
    }
    let is_uuid = value.len() == 36
        && value.bytes().enumerate().all(|(at, byte)| match at {
            8 | 13 | 18 | 23 => byte == b'-',
            _ => byte.is_ascii_hexdigit(),
        })
        && value.bytes().any(|byte| byte != b'0' && byte != b'-');
    if !is_uuid {
        return Err(FieldError::new(
            "request_id",
            "is not a UUID: send one such as 7d44b1f4-0b3a-4c8e-9f0e-2f6d1c7a5b90, made once per intended call",
        ));
    }
    Ok(Some(value.to_ascii_lowercase()))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use proptest::prelude::{any, prop_assert_eq, proptest};
    use prost_types::Duration as WireDuration;
    use prost_types::Timestamp as WireTimestamp;

    use super::{finite, length, media_time, page_size, request_id, text, timestamp};

    #[test]
    fn media_times_need_agreeing_signs_and_range() {
        let good = |seconds, nanos| {
            media_time("media_time", Some(WireDuration { seconds, nanos })).map(crate::media::MediaTime::as_nanos)
        };
        assert_eq!(good(1, 500_000_000), Ok(1_500_000_000));
        assert_eq!(good(-1, -500_000_000), Ok(-1_500_000_000));
        assert_eq!(good(0, -5), Ok(-5));
        for (seconds, nanos) in [(1, -1), (-1, 1), (0, 1_000_000_000), (i64::MAX, 0), (i64::MIN, -1), (0, i32::MIN)] {
            let error = good(seconds, nanos).expect_err("must be refused");
            assert_eq!(error.field, "media_time", "{seconds} {nanos}");
        }
        assert!(media_time("media_time", None).is_err());
    }

    #[test]
    fn lengths_are_bounded() {
        let max = Duration::from_mins(1);
        assert_eq!(length("score_interval", None, max), Ok(None));
        let given = |seconds| length("score_interval", Some(WireDuration { seconds, nanos: 0 }), max);
        assert_eq!(given(60), Ok(Some(max)));
        assert!(given(61).is_err());
        assert!(given(-1).is_err());
    }

    #[test]
    fn timestamps_out_of_range_are_refused() {
        let given = |seconds, nanos| timestamp("expire_time", Some(WireTimestamp { seconds, nanos }));
        assert_eq!(given(-1, 999_999_999).expect("valid").expect("set").as_nanosecond(), -1);
        for (seconds, nanos) in [(0, -1), (0, 1_000_000_000), (i64::MAX, 0), (i64::MIN, 0), (253_402_300_800, 0)] {
            assert!(given(seconds, nanos).is_err(), "{seconds} {nanos}");
        }
    }

    #[test]
    fn texts_are_bounded_and_printable() {
        assert!(text("display_name", "Interview 7, Zürich".into(), 256).is_ok());
        assert!(text("display_name", "x".repeat(257), 256).is_err());
        assert!(text("display_name", "a\u{0}b".into(), 256).is_err());
    }

    #[test]
    fn numbers_that_are_none_are_refused() {
        assert!(finite("probe", 30.0).is_ok());
        for value in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
            assert!(finite("probe", value).is_err());
        }
    }

    #[test]
    fn page_sizes_follow_aip_158() {
        assert_eq!(page_size(0), Ok(50));
        assert_eq!(page_size(7), Ok(7));
        assert_eq!(page_size(i32::MAX), Ok(1_000));
        assert!(page_size(-1).is_err());
    }

    #[test]
    fn request_ids_are_uuids() {
        assert_eq!(request_id(""), Ok(None));
        let id = "7D44b1f4-0b3a-4c8e-9f0e-2f6d1c7a5b90";
        assert_eq!(request_id(id), Ok(Some(id.to_ascii_lowercase())));
        for bad in ["x", "7d44b1f40b3a4c8e9f0e2f6d1c7a5b90", "00000000-0000-0000-0000-000000000000", "ü"] {
            assert!(request_id(bad).is_err(), "{bad}");
        }
    }

    proptest! {
        #[test]
        fn any_duration_and_timestamp_is_taken_or_refused_without_panic(seconds in any::<i64>(), nanos in any::<i32>()) {
            if let Ok(time) = media_time("media_time", Some(WireDuration { seconds, nanos })) {
                prop_assert_eq!(i128::from(time.as_nanos()), i128::from(seconds) * 1_000_000_000 + i128::from(nanos));
            }
            if let Ok(Some(time)) = timestamp("t", Some(WireTimestamp { seconds, nanos })) {
                prop_assert_eq!(time.as_nanosecond(), i128::from(seconds) * 1_000_000_000 + i128::from(nanos));
            }
        }
    }
}
