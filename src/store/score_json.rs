//! Scores and evidence as JSON: versioned twins of the domain types.
//!
//! `{"v":1, ...}`. A field may be added with a default; any other change is a new version beside this one, which stays
//! readable (`tests/data/store/score_v1.json`). Floats keep every bit.

use std::borrow::Cow;
use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::scoring::{Authenticity, Level, Score, SignalEvidence};
use crate::service::ports::{ScorePoint, StoreError};
use crate::signals::{Reason, SignalName};

use super::exact_float;
use super::journal::corrupt;

/// The version that is written.
const CURRENT_VERSION: u32 = 1;

#[derive(Deserialize)]
struct Versioned {
    v: u32,
}

#[derive(Serialize, Deserialize)]
struct ScoreV1 {
    v: u32,
    authenticity: Option<AuthenticityV1>,
    level: String,
    signals: Vec<EvidenceV1>,
    reasons: Vec<ReasonV1>,
    #[serde(with = "exact_float")]
    usable_face_secs: f64,
    #[serde(with = "exact_float")]
    window_start_secs: f64,
    #[serde(with = "exact_float")]
    window_end_secs: f64,
    policy: String,
    /// Absent in rows of before it was noted.
    #[serde(default)]
    engine: String,
}

#[derive(Serialize, Deserialize)]
struct AuthenticityV1 {
    #[serde(with = "exact_float")]
    value: f64,
    #[serde(with = "exact_float")]
    low: f64,
    #[serde(with = "exact_float")]
    high: f64,
}

#[derive(Serialize, Deserialize)]
struct EvidenceListV1 {
    v: u32,
    signals: Vec<EvidenceV1>,
}

#[derive(Serialize, Deserialize)]
struct EvidenceV1 {
    name: String,
    #[serde(with = "exact_float::optional")]
    llr: Option<f64>,
    #[serde(with = "exact_float")]
    usable_ratio: f64,
    model: Option<String>,
    reasons: Vec<ReasonV1>,
}

#[derive(Serialize, Deserialize)]
struct ReasonV1 {
    code: String,
    #[serde(with = "exact_float::map")]
    values: BTreeMap<String, f64>,
}

/// What a point needs of a score; the rest of the row is passed over.
#[derive(Deserialize)]
struct PointV1<'a> {
    v: u32,
    authenticity: Option<AuthenticityV1>,
    #[serde(borrow)]
    signals: Vec<PointSignalV1<'a>>,
    #[serde(with = "exact_float")]
    usable_face_secs: f64,
    #[serde(with = "exact_float")]
    window_start_secs: f64,
    #[serde(with = "exact_float")]
    window_end_secs: f64,
}

#[derive(Deserialize)]
struct PointSignalV1<'a> {
    #[serde(borrow)]
    name: Cow<'a, str>,
    #[serde(with = "exact_float::optional")]
    llr: Option<f64>,
}

/// A score as a JSON row.
///
/// # Errors
/// [`StoreError::Backend`] should serialisation fail.
pub(super) fn encode_score(score: &Score) -> Result<String, StoreError> {
    to_json(&ScoreV1 {
        v: CURRENT_VERSION,
        authenticity: score.authenticity.map(|Authenticity { value, low, high }| AuthenticityV1 { value, low, high }),
        level: score.level.as_str().to_owned(),
        signals: score.signals.iter().map(EvidenceV1::from).collect(),
        reasons: score.reasons.iter().map(ReasonV1::from).collect(),
        usable_face_secs: score.usable_face_secs,
        window_start_secs: score.window_start_secs,
        window_end_secs: score.window_end_secs,
        policy: score.policy.clone(),
        engine: score.engine.to_string(),
    })
}

/// A score from its JSON row.
///
/// # Errors
/// [`StoreError::Corrupt`] for another version, unknown names or malformed JSON.
pub(super) fn decode_score(json: &str) -> Result<Score, StoreError> {
    check_version(json)?;
    let score: ScoreV1 = from_json(json)?;
    Ok(Score {
        authenticity: score.authenticity.map(Authenticity::from),
        level: level(&score.level)?,
        signals: score.signals.into_iter().map(SignalEvidence::try_from).collect::<Result<_, _>>()?,
        reasons: score.reasons.into_iter().map(Reason::from).collect(),
        usable_face_secs: score.usable_face_secs,
        window_start_secs: score.window_start_secs,
        window_end_secs: score.window_end_secs,
        policy: score.policy,
        engine: score.engine.into(),
    })
}

/// The point of a score's JSON row, in a fraction of the time that the whole score takes.
///
/// # Errors
/// As [`decode_score`], as far as a point needs the row.
pub(super) fn decode_point(json: &str) -> Result<ScorePoint, StoreError> {
    let point: PointV1<'_> = match from_json(json) {
        Ok(point) => point,
        // Another version says so, whatever it looks like.
        Err(error) => return check_version(json).and(Err(error)),
    };
    require_version(point.v)?;
    let mut llrs = [None; SignalName::ALL.len()];
    for signal in point.signals.iter().rev() {
        let name = signal_name(&signal.name)?;
        if let Some((_, llr)) = SignalName::ALL.into_iter().zip(&mut llrs).find(|(known, _)| *known == name) {
            *llr = signal.llr;
        }
    }
    Ok(ScorePoint {
        authenticity: point.authenticity.map(Authenticity::from),
        llrs,
        usable_face_secs: point.usable_face_secs,
        window_start_secs: point.window_start_secs,
        window_end_secs: point.window_end_secs,
    })
}

/// A segment's evidence as a JSON row.
///
/// # Errors
/// As [`encode_score`].
pub(super) fn encode_signals(signals: &[SignalEvidence]) -> Result<String, StoreError> {
    to_json(&EvidenceListV1 { v: CURRENT_VERSION, signals: signals.iter().map(EvidenceV1::from).collect() })
}

/// A segment's evidence from its JSON row.
///
/// # Errors
/// As [`decode_score`].
pub(super) fn decode_signals(json: &str) -> Result<Vec<SignalEvidence>, StoreError> {
    check_version(json)?;
    from_json::<EvidenceListV1>(json)?.signals.into_iter().map(SignalEvidence::try_from).collect()
}

/// A level from its short name.
///
/// # Errors
/// [`StoreError::Corrupt`] for an unknown name.
pub(super) fn level(name: &str) -> Result<Level, StoreError> {
    Level::from_name(name).ok_or_else(|| corrupt(format!("unknown level {name:?}")))
}

impl From<AuthenticityV1> for Authenticity {
    fn from(AuthenticityV1 { value, low, high }: AuthenticityV1) -> Self {
        Self { value, low, high }
    }
}

impl From<&SignalEvidence> for EvidenceV1 {
    fn from(evidence: &SignalEvidence) -> Self {
        Self {
            name: evidence.name.as_str().to_owned(),
            llr: evidence.llr,
            usable_ratio: evidence.usable_ratio,
            model: evidence.model.as_deref().map(str::to_owned),
            reasons: evidence.reasons.iter().map(ReasonV1::from).collect(),
        }
    }
}

impl TryFrom<EvidenceV1> for SignalEvidence {
    type Error = StoreError;

    fn try_from(evidence: EvidenceV1) -> Result<Self, StoreError> {
        Ok(Self {
            name: signal_name(&evidence.name)?,
            llr: evidence.llr,
            usable_ratio: evidence.usable_ratio,
            model: evidence.model.map(Cow::Owned),
            reasons: evidence.reasons.into_iter().map(Reason::from).collect(),
        })
    }
}

impl From<&Reason> for ReasonV1 {
    fn from(reason: &Reason) -> Self {
        Self {
            code: reason.code.clone().into_owned(),
            values: reason.values.iter().map(|(key, value)| (key.clone().into_owned(), *value)).collect(),
        }
    }
}

impl From<ReasonV1> for Reason {
    fn from(reason: ReasonV1) -> Self {
        Self {
            code: Cow::Owned(reason.code),
            values: reason.values.into_iter().map(|(key, value)| (Cow::Owned(key), value)).collect(),
        }
    }
}

fn signal_name(name: &str) -> Result<SignalName, StoreError> {
    SignalName::from_name(name).ok_or_else(|| corrupt(format!("unknown signal {name:?}")))
}

fn check_version(json: &str) -> Result<(), StoreError> {
    let Versioned { v } = from_json(json)?;
    require_version(v)
}

fn require_version(v: u32) -> Result<(), StoreError> {
    if v == CURRENT_VERSION {
        return Ok(());
    }
    Err(corrupt(format!("score row has version {v}, this program reads up to {CURRENT_VERSION}")))
}

fn to_json<T: Serialize>(value: &T) -> Result<String, StoreError> {
    serde_json::to_string(value)
        .map_err(|error| StoreError::Backend { doing: "encoding a score", source: error.into() })
}

fn from_json<'a, T: Deserialize<'a>>(json: &'a str) -> Result<T, StoreError> {
    serde_json::from_str(json).map_err(|error| corrupt(format!("score row does not parse: {error}")))
}

#[cfg(test)]
mod tests {
    use super::{decode_point, decode_score, decode_signals, encode_score, encode_signals};
    use crate::scoring::{Authenticity, Level, Score};
    use crate::service::ports::{ScorePoint, StoreError};
    use crate::store::samples;

    const GOLDEN_V1: &str =
        include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/store/score_v1.json")).trim_ascii();

    #[test]
    fn scores_survive_the_round_trip_bit_for_bit() {
        let mut score = samples::score(Level::Suspicious, 7);
        let awkward = Authenticity { value: 0.1 + 0.2, low: f64::MIN_POSITIVE, high: 1.0 - f64::EPSILON };
        score.authenticity = Some(awkward);
        for value in [-0.0, 5e-324, f64::INFINITY, f64::NEG_INFINITY, 1.0 / 3.0, 8.41e21] {
            score.usable_face_secs = value;
            let row = encode_score(&score).expect("encodes");
            assert_eq!(decode_point(&row).expect("decodes"), ScorePoint::from(&score));
            let back = decode_score(&row).expect("decodes");
            assert_eq!(back, score);
            assert_eq!(back.usable_face_secs.to_bits(), value.to_bits());
        }
        let signals = decode_signals(&encode_signals(&score.signals).expect("encodes")).expect("decodes");
        assert_eq!(signals, score.signals);
    }

    #[test]
    fn rows_of_version_1_stay_readable() {
        let score = samples::score(Level::Alert, 3);
        assert_eq!(decode_point(GOLDEN_V1).expect("decodes"), ScorePoint::from(&score));
        assert_eq!(decode_score(GOLDEN_V1).expect("decodes"), score);
    }

    #[test]
    fn what_was_not_written_by_this_program_is_corrupt() {
        let good = encode_score(&samples::score(Level::Clear, 1)).expect("encodes");
        for bad in [
            String::new(),
            "{}".to_owned(),
            good.replace("\"v\":1", "\"v\":2"),
            good.replace("CLEAR", "SPLENDID"),
            good.replace("\"identity\"", "\"aura\""),
            good[..good.len() / 2].to_owned(),
            "[".repeat(100_000),
        ] {
            let outcome: Result<Score, _> = decode_score(&bad);
            assert!(matches!(outcome, Err(StoreError::Corrupt { .. })), "{outcome:?}");
            // Points have no level.
            let outcome = decode_point(&bad);
            let is_refused = matches!(outcome, Err(StoreError::Corrupt { .. }));
            assert!(is_refused || bad.contains("SPLENDID"), "{outcome:?}");
        }
    }
}
