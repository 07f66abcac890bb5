//! A session's outcome as JSON and back, as far as reports need it.

use std::borrow::Cow;

use serde_json::{Value, json};

use super::Outcome;
use crate::eval::resume::Answer;
use crate::scoring::{Authenticity, Level, Score, SignalEvidence};
use crate::signals::{Reason, SignalName};

impl Answer for Outcome {
    fn to_json(&self) -> Value {
        json!({
            "score": self.score.as_ref().map(score_to_json),
            "duration_secs": self.duration_secs,
            "n_segments": self.n_segments,
            "problem": self.problem,
        })
    }

    fn from_json(value: &Value) -> Option<Self> {
        let score = value.get("score")?;
        Some(Self {
            score: if score.is_null() { None } else { Some(score_from_json(score)?) },
            duration_secs: value.get("duration_secs")?.as_f64(),
            n_segments: usize::try_from(value.get("n_segments")?.as_u64()?).ok()?,
            problem: value.get("problem")?.as_str().map(str::to_owned),
        })
    }
}

fn score_to_json(score: &Score) -> Value {
    let signal = |signal: &SignalEvidence| {
        json!({
            "name": signal.name.as_str(),
            "llr": signal.llr,
            "usable_ratio": signal.usable_ratio,
            "model": signal.model,
            "reasons": reasons_to_json(&signal.reasons),
        })
    };
    json!({
        "authenticity": score.authenticity.map(|estimate| [estimate.value, estimate.low, estimate.high]),
        "level": score.level.as_str(),
        "signals": score.signals.iter().map(signal).collect::<Vec<_>>(),
        "reasons": reasons_to_json(&score.reasons),
        "usable_face_secs": score.usable_face_secs,
        "window_secs": [score.window_start_secs, score.window_end_secs],
        "policy": score.policy,
        "engine": score.engine,
    })
}

fn score_from_json(value: &Value) -> Option<Score> {
    let number = |value: &Value, index: usize| value.get(index)?.as_f64();
    let text = |value: &Value, key: &str| Some(value.get(key)?.as_str()?.to_owned());
    let signal = |value: &Value| {
        Some(SignalEvidence {
            name: SignalName::from_name(value.get("name")?.as_str()?)?,
            llr: value.get("llr")?.as_f64(),
            usable_ratio: value.get("usable_ratio")?.as_f64()?,
            model: text(value, "model").map(Cow::Owned),
            reasons: reasons_from_json(value.get("reasons")?)?,
        })
    };
    let authenticity = value.get("authenticity")?;
    let window = value.get("window_secs")?;
    Some(Score {
        authenticity: if authenticity.is_null() {
            None
        } else {
            let (value, low, high) = (number(authenticity, 0)?, number(authenticity, 1)?, number(authenticity, 2)?);
            Some(Authenticity { value, low, high })
        },
        level: Level::from_name(value.get("level")?.as_str()?)?,
        signals: value.get("signals")?.as_array()?.iter().map(signal).collect::<Option<_>>()?,
        reasons: reasons_from_json(value.get("reasons")?)?,
        usable_face_secs: value.get("usable_face_secs")?.as_f64()?,
        window_start_secs: number(window, 0)?,
        window_end_secs: number(window, 1)?,
        policy: text(value, "policy")?,
        engine: Cow::Owned(text(value, "engine")?),
    })
}

fn reasons_to_json(reasons: &[Reason]) -> Value {
    reasons.iter().map(|reason| json!({ "code": reason.code, "values": reason.values })).collect()
}

fn reasons_from_json(value: &Value) -> Option<Vec<Reason>> {
    let reason = |value: &Value| {
        let values = value.get("values")?.as_object()?.iter();
        Some(Reason {
            code: Cow::Owned(value.get("code")?.as_str()?.to_owned()),
            values: values
                .map(|(key, value)| Some((Cow::Owned(key.clone()), value.as_f64()?)))
                .collect::<Option<_>>()?,
        })
    };
    value.as_array()?.iter().map(reason).collect()
}

#[cfg(test)]
mod tests {
    use std::borrow::Cow;

    use super::{Answer, Outcome};
    use crate::scoring::{Authenticity, Level, Score, SignalEvidence};
    use crate::signals::{Reason, SignalName};

    #[test]
    fn an_outcome_comes_back_as_it_was() {
        let score = Score {
            authenticity: Some(Authenticity { value: 0.25, low: 0.1, high: 0.7 }),
            level: Level::Suspicious,
            signals: vec![SignalEvidence {
                name: SignalName::Deepfake,
                llr: Some(-1.5),
                usable_ratio: 0.9,
                model: Some(Cow::Borrowed("models/deepfake@0")),
                reasons: vec![Reason::new("deepfake.model").with("attack_score", 0.75)],
            }],
            reasons: vec![Reason::new("score.undecided")],
            usable_face_secs: 12.5,
            window_start_secs: 0.0,
            window_end_secs: 14.0,
            policy: "policies/default@3".to_owned(),
            engine: Cow::Borrowed("bonafide"),
        };
        for score in [Some(score), None] {
            let outcome = Outcome { score, duration_secs: Some(14.0), n_segments: 1, problem: None };
            let again = Outcome::from_json(&outcome.to_json()).expect("complete");
            assert_eq!(again.score, outcome.score);
            assert_eq!((again.duration_secs, again.n_segments, again.problem), (Some(14.0), 1, None));
        }
    }
}
