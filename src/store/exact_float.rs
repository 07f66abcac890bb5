//! Floats in JSON without loss: finite ones as numbers, the others, which JSON lacks, as the strings of Rust's `Display`.

use std::fmt;

use serde::de::Visitor;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A float as it stands in JSON.
struct Repr(f64);

impl Serialize for Repr {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if self.0.is_finite() { serializer.serialize_f64(self.0) } else { serializer.collect_str(&self.0) }
    }
}

impl<'de> Deserialize<'de> for Repr {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        // Each value goes straight to its visitor: rows are read by the thousand.
        deserializer.deserialize_any(ReprVisitor)
    }
}

struct ReprVisitor;

impl Visitor<'_> for ReprVisitor {
    type Value = Repr;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a number")
    }

    fn visit_f64<E>(self, value: f64) -> Result<Repr, E> {
        Ok(Repr(value))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Repr, E> {
        Ok(Repr(value as f64))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Repr, E> {
        Ok(Repr(value as f64))
    }

    fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<Repr, E> {
        text.parse().map(Repr).map_err(|_error| E::custom("expected a number"))
    }
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde's signature")]
pub(super) fn serialize<S: Serializer>(value: &f64, serializer: S) -> Result<S::Ok, S::Error> {
    Repr(*value).serialize(serializer)
}

pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<f64, D::Error> {
    Repr::deserialize(deserializer).map(|Repr(value)| value)
}

/// For floats that may be missing.
pub(super) mod optional {
    use super::{Deserialize, Deserializer, Repr, Serialize, Serializer};

    #[expect(clippy::ref_option, reason = "serde's signature")]
    pub(crate) fn serialize<S: Serializer>(value: &Option<f64>, serializer: S) -> Result<S::Ok, S::Error> {
        value.map(Repr).serialize(serializer)
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<f64>, D::Error> {
        Ok(Option::<Repr>::deserialize(deserializer)?.map(|Repr(value)| value))
    }
}

/// For floats with names.
pub(super) mod map {
    use std::collections::BTreeMap;

    use super::{Deserialize, Deserializer, Repr, Serialize, Serializer};

    pub(crate) fn serialize<S: Serializer>(values: &BTreeMap<String, f64>, serializer: S) -> Result<S::Ok, S::Error> {
        let values: BTreeMap<&str, Repr> = values.iter().map(|(name, value)| (name.as_str(), Repr(*value))).collect();
        values.serialize(serializer)
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<BTreeMap<String, f64>, D::Error> {
        let values = BTreeMap::<String, Repr>::deserialize(deserializer)?;
        Ok(values.into_iter().map(|(name, Repr(value))| (name, value)).collect())
    }
}
