//! Reasons as sentences.

use crate::signals::Reason;

use super::bundle::{Value, find};
use super::language::Language;
use super::number::fixed;

/// Movement within the face, as a share of a talker's, below which it is worth asking for words.
const STILL_RATIO: f64 = 0.7;

/// The sentence of a reason; a code without one, as of a later version, is shown with its numbers.
#[must_use]
pub fn reason(language: Language, reason: &Reason) -> String {
    let mut key = reason.code.replace('.', "-");
    let is_still = reason.values.get("of_typical_ratio").is_some_and(|ratio| *ratio < STILL_RATIO);
    if reason.code == "motion.within_face" && is_still {
        key.push_str("-still");
    }
    let values: Vec<_> = reason.values.iter().map(|(name, value)| (name.as_ref(), Value::Number(*value))).collect();
    find(language, &key, &values).unwrap_or_else(|| {
        let numbers = reason.values.iter().map(|(name, value)| format!("{name} {}", fixed(language, *value, 2)));
        format!("{} {}", reason.code, numbers.collect::<Vec<_>>().join(", ")).trim_end().to_owned()
    })
}

#[cfg(test)]
mod tests {
    use crate::signals::Reason;

    use super::{Language, reason};

    #[test]
    fn reasons_name_their_numbers_and_the_remedy() {
        let small = Reason::new("quality.face_too_small").with("face_px", 41.0).with("face_px_needed", 56.0);
        assert_eq!(reason(Language::En, &small), "face 41 px high, 56 needed: move closer");
        let changed = Reason::new("identity.changed").with("at_secs", 31.44).with("similarity", 0.123);
        assert_eq!(reason(Language::En, &changed), "another person from 31.4 s on, similarity 0.12");
        assert_eq!(reason(Language::De, &changed), "andere Person ab 31,4 s, Ähnlichkeit 0,12");
        let still = |ratio| Reason::new("motion.within_face").with("of_typical_ratio", ratio);
        assert!(reason(Language::En, &still(0.2)).ends_with("have the candidate speak"));
        assert_eq!(reason(Language::En, &still(0.9)), "the face moves 90 % as much as in talk");
    }

    #[test]
    fn a_code_of_a_later_version_is_shown_as_it_is() {
        let rain = Reason::new("weather.rain").with("mm", 3.0);
        assert_eq!(reason(Language::En, &rain), "weather.rain mm 3.00");
        assert_eq!(reason(Language::De, &rain), "weather.rain mm 3,00");
    }
}
