//! Numbers, times and counts as a language writes them.

use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::language::Language;

/// A number with a fixed count of decimals; what is not finite is a dash.
#[must_use]
pub fn fixed(language: Language, value: f64, decimals: usize) -> String {
    if !value.is_finite() {
        return "–".to_owned();
    }
    let text = format!("{value:.decimals$}");
    // No minus before nothing.
    let text = match text.strip_prefix('-') {
        Some(rest) if rest.bytes().all(|byte| matches!(byte, b'0' | b'.')) => rest.to_owned(),
        _ => text,
    };
    match language {
        Language::En => text,
        Language::De => text.replace('.', ","),
    }
}

/// A ratio as whole per cent.
#[must_use]
pub fn percent(language: Language, ratio: f64) -> String {
    format!("{} %", fixed(language, ratio * 100.0, 0))
}

/// A count in groups of three digits.
#[must_use]
pub fn count(language: Language, value: u64) -> String {
    let separator = match language {
        Language::En => ',',
        Language::De => '.',
    };
    let digits = value.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (position, digit) in digits.chars().enumerate() {
        if position > 0 && (digits.len() - position).is_multiple_of(3) {
            text.push(separator);
        }
        text.push(digit);
    }
    text
}

/// A position in an interview: `12:05.3`, with hours where there are any.
#[must_use]
pub fn clock_time(language: Language, secs: f64) -> String {
    if !secs.is_finite() {
        return "–".to_owned();
    }
    let sign = if secs < 0.0 { "-" } else { "" };
    // At most 2^53 tenths: exact.
    let tenths = (secs.abs() * 10.0).round();
    let (minutes, rest) = ((tenths / 600.0).floor(), tenths % 600.0);
    let secs = format!("{}{}", if rest < 100.0 { "0" } else { "" }, fixed(language, rest / 10.0, 1));
    if minutes < 60.0 {
        return format!("{sign}{minutes:.0}:{secs}");
    }
    let (hours, minutes) = ((minutes / 60.0).floor(), minutes % 60.0);
    format!("{sign}{hours:.0}:{}{minutes:.0}:{secs}", if minutes < 10.0 { "0" } else { "" })
}

/// A position in an interview within a sentence: in seconds at first, `31.4 s`, then as on a clock, `20:14.4`.
#[must_use]
pub fn moment(language: Language, secs: f64) -> String {
    if secs.abs() < 100.0 { format!("{} s", fixed(language, secs, 1)) } else { clock_time(language, secs) }
}

/// A moment in a time zone: `24 Nov 2026, 17:05` or `24.11.2026, 17:05`.
#[must_use]
pub fn date_time(language: Language, time: Timestamp, zone: &TimeZone) -> String {
    let zoned = time.to_zoned(zone.clone());
    let pattern = match language {
        Language::En => "%-d %b %Y, %H:%M",
        Language::De => "%-d.%-m.%Y, %H:%M",
    };
    zoned.strftime(pattern).to_string()
}

#[cfg(test)]
mod tests {
    use jiff::tz::TimeZone;

    use super::{Language, clock_time, count, date_time, fixed, moment, percent};

    #[test]
    fn numbers_are_written_as_the_language_does() {
        for (value, decimals, en, de) in [
            (1.25, 1, "1.2", "1,2"),
            (-0.04, 1, "0.0", "0,0"),
            (-1.5, 2, "-1.50", "-1,50"),
            (41.0, 0, "41", "41"),
            (f64::NAN, 2, "–", "–"),
            (f64::INFINITY, 2, "–", "–"),
        ] {
            assert_eq!(fixed(Language::En, value, decimals), en);
            assert_eq!(fixed(Language::De, value, decimals), de);
        }
        assert_eq!(percent(Language::De, 0.125), "12 %");
        assert_eq!(count(Language::En, 1_234_567), "1,234,567");
        assert_eq!(count(Language::De, 999), "999");
    }

    #[test]
    fn positions_carry_over() {
        for (secs, expected) in [
            (0.0, "0:00.0"),
            (5.04, "0:05.0"),
            (59.96, "1:00.0"),
            (725.3, "12:05.3"),
            (3_661.25, "1:01:01.3"),
            (-1.0, "-0:01.0"),
            (f64::NAN, "–"),
        ] {
            assert_eq!(clock_time(Language::En, secs), expected);
        }
        assert_eq!(clock_time(Language::De, 725.3), "12:05,3");
        assert_eq!(
            (moment(Language::En, 31.44), moment(Language::De, 1_214.4)),
            ("31.4 s".to_owned(), "20:14,4".to_owned())
        );
        assert_eq!(moment(Language::En, f64::NAN), "–");
    }

    #[test]
    fn moments_are_those_of_the_zone() {
        let time = "2026-11-24T16:05:00Z".parse().expect("a time");
        let zone = TimeZone::fixed(jiff::tz::offset(1));
        assert_eq!(date_time(Language::En, time, &zone), "24 Nov 2026, 17:05");
        assert_eq!(date_time(Language::De, time, &zone), "24.11.2026, 17:05");
    }
}
