//! The content of a report in words.

use jiff::Timestamp;
use jiff::tz::TimeZone;

use crate::audit::{Action, Outcome};
use crate::scoring::{Level, LevelThresholds, Score, SignalEvidence};
use crate::service::SecondReviewer;
use crate::service::ports::{DecisionKind, MarkVerdict, ReviewState};
use crate::session::EvidenceMode;
use crate::signals::{Reason, SignalName};
use crate::text::{Language, Value, date_time, fixed, reason, text, text_with};

/// Ratio below which a signal says too little to be named among the strongest.
const MIN_TOLD_LLR: f64 = 0.2;
/// Reasons that tell of an event: they explain a ratio better than a plain measurement does.
const EVENTS: [&str; 5] = [
    "identity.changed",
    "identity.differs_from_reference",
    "stream.loop",
    "stream.duplicates",
    "stream.virtual_camera",
];
/// What a method cannot do, in the order in which it is said.
const LIMITS: [&str; 8] = ["picture", "signals", "fusion", "unseen", "groups", "client", "figures", "person"];

/// Writes in one language.
#[derive(Clone, Copy, Debug)]
pub(super) struct Words(pub(super) Language);

impl Words {
    /// The text of `report-{key}`.
    pub(super) fn get(self, key: &str) -> String {
        text(self.0, &format!("report-{key}"))
    }

    /// The same with values.
    pub(super) fn with(self, key: &str, values: &[(&str, Value<'_>)]) -> String {
        text_with(self.0, &format!("report-{key}"), values)
    }

    /// The same with a count.
    pub(super) fn count(self, key: &str, count: u64) -> String {
        self.with(key, &[("count", count.into())])
    }

    /// A moment, in UTC.
    pub(super) fn time(self, time: Timestamp) -> String {
        self.with("utc", &[("time", self.bare_time(time).into())])
    }

    /// A moment in UTC, where that is said elsewhere.
    pub(super) fn bare_time(self, time: Timestamp) -> String {
        date_time(self.0, time, &TimeZone::UTC)
    }

    /// From one moment to another, in UTC; the day is said once if it is the same.
    pub(super) fn span(self, start: Timestamp, end: Timestamp) -> String {
        let zoned = [start, end].map(|time| time.to_zoned(TimeZone::UTC));
        let is_one_day = zoned[0].date() == zoned[1].date();
        let end = if is_one_day { zoned[1].strftime("%H:%M").to_string() } else { self.bare_time(end) };
        let end = self.with("utc", &[("time", end.into())]);
        self.with("from-to", &[("start", self.bare_time(start).into()), ("end", end.into())])
    }

    /// A number with two decimals; a dash when it is not finite.
    pub(super) fn ratio(self, value: f64) -> String {
        fixed(self.0, value, 2)
    }

    /// Where each level begins.
    pub(super) fn thresholds(self, levels: LevelThresholds) -> String {
        let values = [
            ("clear", self.ratio(levels.clear_from).into()),
            ("suspicious", self.ratio(levels.suspicious_below).into()),
            ("alert", self.ratio(levels.alert_below).into()),
        ];
        self.with("thresholds", &values)
    }

    /// A log-likelihood ratio with its sign.
    pub(super) fn llr(self, llr: f64) -> String {
        let number = fixed(self.0, llr.abs(), 1);
        if !llr.is_finite() || number.bytes().all(|byte| !(b'1'..=b'9').contains(&byte)) {
            return number;
        }
        format!("{}{number}", if llr < 0.0 { '−' } else { '+' })
    }

    pub(super) fn level(self, level: Level) -> String {
        self.get(&format!("level-{}", level_key(level)))
    }

    pub(super) fn meaning(self, level: Level) -> String {
        self.get(&format!("meaning-{}", level_key(level)))
    }

    pub(super) fn signal(self, name: SignalName) -> String {
        self.get(&format!("signal-{name}"))
    }

    pub(super) fn about_signal(self, name: SignalName) -> String {
        self.get(&format!("signal-about-{name}"))
    }

    pub(super) fn reason(self, of: &Reason) -> String {
        reason(self.0, of)
    }

    /// The same where it stands alone: begun with a capital.
    pub(super) fn sentence(self, of: &Reason) -> String {
        let text = self.reason(of);
        let mut characters = text.chars();
        match characters.next() {
            Some(first) => first.to_uppercase().chain(characters).collect(),
            None => text,
        }
    }

    /// Who acted: `user:anna` as `anna`. `who` is an actor as the audit log writes it.
    pub(super) fn actor(self, who: &str) -> String {
        let (kind, name) = who.split_once(':').unwrap_or(("user", who));
        match kind {
            "key" | "user" | "system" | "cli" => self.with(&format!("actor-{kind}"), &[("name", name.into())]),
            _ => who.to_owned(),
        }
    }

    pub(super) fn action(self, action: Action) -> String {
        self.get(&format!("action-{}", action.as_str().replace('.', "-")))
    }

    /// Words for what did not go well.
    pub(super) fn failure(self, outcome: Outcome) -> Option<String> {
        match outcome {
            Outcome::Done => None,
            Outcome::Denied | Outcome::Failed => Some(self.get(&format!("outcome-{}", outcome.as_str()))),
        }
    }

    pub(super) fn state(self, state: ReviewState) -> String {
        self.get(&format!("state-{}", state.as_str()))
    }

    pub(super) fn decision(self, kind: DecisionKind) -> String {
        self.get(&format!("decision-{}", kind.as_str()))
    }

    pub(super) fn decision_meaning(self, kind: DecisionKind) -> String {
        self.get(&format!("decision-meaning-{}", kind.as_str()))
    }

    pub(super) fn mark(self, verdict: MarkVerdict) -> String {
        self.get(&format!("mark-{}", verdict.as_str()))
    }

    pub(super) fn evidence(self, mode: EvidenceMode) -> String {
        self.get(&format!("evidence-{}", mode.as_str()))
    }

    pub(super) fn second_reviewer(self, second: SecondReviewer) -> String {
        self.get(match second {
            SecondReviewer::Never => "second-never",
            SecondReviewer::Decline => "second-decline",
            SecondReviewer::Always => "second-always",
        })
    }

    /// What the method cannot do.
    pub(super) fn limits(self) -> impl Iterator<Item = String> {
        LIMITS.into_iter().map(move |limit| self.get(&format!("limit-{limit}")))
    }

    /// What the report says and does not say, apart from limits of the method.
    pub(super) fn statements(self, n_segments: u64) -> ([String; 3], [String; 3]) {
        let says = [self.get("says-score"), self.get("says-interval"), self.count("says-segments", n_segments)];
        (says, ["proof", "person", "decision"].map(|what| self.get(&format!("says-not-{what}"))))
    }

    /// The strongest reasons of a score with the signals that gave them: the score's own first, then signals by weight,
    /// those against first where the level is.
    pub(super) fn strongest(self, score: &Score, limit: usize) -> Vec<(Option<SignalName>, String)> {
        let own = score.reasons.iter().map(|of| (None, self.sentence(of)));
        let mut signals: Vec<(&SignalEvidence, f64)> = score
            .signals
            .iter()
            .filter_map(|signal| Some((signal, signal.llr.filter(|llr| llr.abs() >= MIN_TOLD_LLR)?)))
            .collect();
        let rank = |llr: f64| if score.level >= Level::Suspicious { llr } else { -llr.abs() };
        signals.sort_by(|(_, a), (_, b)| rank(*a).total_cmp(&rank(*b)));
        let of_signals = signals
            .into_iter()
            .filter_map(|(signal, _)| Some((Some(signal.name), self.reason(leading_reason(signal)?))));
        own.chain(of_signals).take(limit).collect()
    }
}

/// The reason that explains a signal's ratio: an event before a plain measurement.
pub(super) fn leading_reason(signal: &SignalEvidence) -> Option<&Reason> {
    let is_event = |reason: &&Reason| EVENTS.contains(&reason.code.as_ref());
    signal.reasons.iter().find(is_event).or_else(|| signal.reasons.first())
}

const fn level_key(level: Level) -> &'static str {
    match level {
        Level::Inconclusive => "inconclusive",
        Level::Clear => "clear",
        Level::Suspicious => "suspicious",
        Level::Alert => "alert",
    }
}

#[cfg(test)]
mod tests {
    use super::{Words, leading_reason};
    use crate::audit::Action;
    use crate::scoring::{Level, SignalEvidence};
    use crate::service::ports::{DecisionKind, MarkVerdict, ReviewState};
    use crate::session::{EvidenceMode, GapCause};
    use crate::signals::{Reason, SignalName};
    use crate::text::Language;

    #[test]
    fn everything_that_can_be_named_has_words_in_both_languages() {
        for words in Language::ALL.map(Words) {
            let mut found: Vec<String> = Action::ALL.iter().map(|action| words.action(*action)).collect();
            found.extend(Level::ALL.into_iter().flat_map(|level| [words.level(level), words.meaning(level)]));
            found.extend(SignalName::ALL.into_iter().flat_map(|name| [words.signal(name), words.about_signal(name)]));
            found.extend(ReviewState::ALL.map(|state| words.state(state)));
            found.extend(
                DecisionKind::ALL.into_iter().flat_map(|kind| [words.decision(kind), words.decision_meaning(kind)]),
            );
            found.extend(MarkVerdict::ALL.map(|verdict| words.mark(verdict)));
            found.extend(EvidenceMode::ALL.map(|mode| words.evidence(mode)));
            found.extend(GapCause::ALL.map(|cause| words.get(&format!("gap-{}", cause.as_str()))));
            found.extend(words.limits());
            for text in found {
                assert!(!text.is_empty() && !text.starts_with("report-"), "{words:?}: {text}");
            }
        }
    }

    #[test]
    fn an_event_explains_more_than_a_measurement() {
        let reasons = ["identity.consistency", "identity.changed"].map(Reason::new).to_vec();
        let name = SignalName::Identity;
        let mut signal = SignalEvidence { name, llr: Some(-5.0), usable_ratio: 1.0, model: None, reasons };
        assert_eq!(leading_reason(&signal).expect("has one").code, "identity.changed");
        signal.reasons.pop();
        assert_eq!(leading_reason(&signal).expect("has one").code, "identity.consistency");
        signal.reasons.clear();
        assert!(leading_reason(&signal).is_none());
    }

    #[test]
    fn numbers_carry_their_sign_and_nothing_is_never_zero() {
        let words = Words(Language::De);
        assert_eq!(words.llr(-2.84), "−2,8");
        assert_eq!(words.llr(1.06), "+1,1");
        assert_eq!(words.llr(-0.01), "0,0");
        assert_eq!((words.llr(f64::NAN), words.ratio(f64::NAN)), ("–".to_owned(), "–".to_owned()));
        assert_eq!(words.actor("user:anna"), "anna");
        assert_eq!(words.actor("key:ats"), "API-Schlüssel ats");
        assert_eq!(words.actor("later:x"), "later:x");
    }
}
