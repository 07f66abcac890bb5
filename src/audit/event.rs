//! One entry: who did what to which object, when, and how it went.

use std::collections::BTreeMap;
use std::fmt;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// The format that is written.
const VERSION: u32 = 1;

/// What kind of thing acted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ActorKind {
    /// Whoever holds an API key.
    ApiKey,
    /// A person with an account.
    User,
    /// The program itself, such as retention.
    System,
    /// An operator at the machine's command line.
    CommandLine,
}

impl ActorKind {
    const ALL: [Self; 4] = [Self::ApiKey, Self::User, Self::System, Self::CommandLine];

    const fn as_str(self) -> &'static str {
        match self {
            Self::ApiKey => "key",
            Self::User => "user",
            Self::System => "system",
            Self::CommandLine => "cli",
        }
    }
}

/// Who acted; shown as `kind:name`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Actor {
    /// What kind of thing.
    pub kind: ActorKind,
    /// The account's or key's name.
    pub name: String,
}

impl Actor {
    /// The program itself, in its role `name`.
    #[must_use]
    pub fn system(name: &str) -> Self {
        Self { kind: ActorKind::System, name: name.to_owned() }
    }

    fn from_text(text: &str) -> Option<Self> {
        let (kind, name) = text.split_once(':')?;
        let kind = ActorKind::ALL.into_iter().find(|known| known.as_str() == kind)?;
        Some(Self { kind, name: name.to_owned() })
    }
}

impl fmt::Display for Actor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.kind.as_str(), self.name)
    }
}

macro_rules! actions {
    ($($variant:ident = $name:literal, $doc:literal;)+) => {
        /// What was done. The names are stored: none is ever reused for something else.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Action {
            $(#[doc = $doc] $variant,)+
        }

        impl Action {
            /// Every action.
            pub const ALL: &[Self] = &[$(Self::$variant,)+];

            /// The stored name.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$variant => $name,)+
                }
            }
        }
    };
}

actions! {
    SessionCreate = "session.create", "A session was created.";
    SessionUpdate = "session.update", "Fields of a session were changed.";
    SessionFinish = "session.finish", "A session was finished.";
    SessionDelete = "session.delete", "A session was deleted by a caller; the row is its tombstone.";
    SessionExpire = "session.expire", "A session was deleted at the end of its retention; the row is its tombstone.";
    SessionView = "session.view", "A person opened a session's page.";
    SessionHold = "session.hold", "A legal hold was set or lifted.";
    EvidenceView = "evidence.view", "A still was opened.";
    EvidenceExpire = "evidence.expire", "Stills were deleted at the end of their retention.";
    ReviewAssign = "review.assign", "A session was assigned to a reviewer, or taken back.";
    ReviewMark = "review.mark", "A segment was confirmed or dismissed.";
    ReviewDecide = "review.decide", "A person decided about a session.";
    ReportExport = "report.export", "A report was made.";
    IdentityList = "identity.list", "Candidates or references were listed.";
    IdentityEnroll = "identity.enroll", "A reference was enrolled.";
    IdentityCompare = "identity.compare", "Two sessions' faces were compared.";
    IdentitySearch = "identity.search", "A face was searched for among all.";
    IdentityConfirm = "identity.confirm", "A person confirmed or rejected a match.";
    IdentityWatch = "identity.watch", "A face was put on the watch list or taken off it.";
    IdentityDelete = "identity.delete", "A template or reference was deleted.";
    AccountLogin = "account.login", "A person logged in.";
    AccountLogout = "account.logout", "A person logged out.";
    AccountCreate = "account.create", "An account was made.";
    AccountUpdate = "account.update", "An account's roles or state were changed.";
    AccountPassword = "account.password", "A password was set.";
    AuditBegin = "audit.begin", "The log began.";
    AuditRead = "audit.read", "The audit log was read.";
    AuditPrune = "audit.prune", "Old audit rows were deleted at the end of their retention.";
    SystemView = "system.view", "Settings, models, keys or health were looked at.";
    KeysRotate = "keys.rotate", "A new master key was taken into use.";
}

impl Action {
    /// The action of that stored name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|action| action.as_str() == name)
    }
}

/// How it went.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Outcome {
    /// It was done.
    Done,
    /// The actor may not do it.
    Denied,
    /// It was tried in vain.
    Failed,
}

impl Outcome {
    const ALL: [Self; 3] = [Self::Done, Self::Denied, Self::Failed];

    /// The stored name.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Done => "done",
            Self::Denied => "denied",
            Self::Failed => "failed",
        }
    }
}

/// One entry of the log, before it has its place in the chain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    /// When.
    pub time: Timestamp,
    /// Whose data; empty for what concerns the whole installation.
    pub tenant: String,
    /// Who.
    pub actor: Actor,
    /// What.
    pub action: Action,
    /// On what: a resource name such as `sessions/interview-7`; may be empty.
    pub object: String,
    /// How it went.
    pub outcome: Outcome,
    /// What else is worth knowing: counts, digests, notes; never pixels or embeddings.
    pub details: BTreeMap<String, String>,
}

impl Event {
    /// Something that was done.
    #[must_use]
    pub fn done(time: Timestamp, tenant: &str, actor: Actor, action: Action, object: String) -> Self {
        let (tenant, details) = (tenant.to_owned(), BTreeMap::new());
        Self { time, tenant, actor, action, object, outcome: Outcome::Done, details }
    }

    /// The same with one more detail.
    #[must_use]
    pub fn with(mut self, key: &str, value: impl Into<String>) -> Self {
        self.details.insert(key.to_owned(), value.into());
        self
    }

    /// Canonical JSON of the entry in its place: one line, keys in fixed order, details sorted.
    #[must_use]
    pub fn to_json(&self, sequence: u64) -> String {
        let stored = EventV1 {
            v: VERSION,
            sequence,
            time: format!("{:.9}", self.time),
            tenant: self.tenant.clone(),
            actor: self.actor.to_string(),
            action: self.action.as_str().to_owned(),
            object: self.object.clone(),
            outcome: self.outcome.as_str().to_owned(),
            details: self.details.clone(),
        };
        // Text and numbers in a struct: nothing in it can fail to be written.
        serde_json::to_string(&stored).unwrap_or_default()
    }

    /// The entry and its place.
    ///
    /// # Errors
    /// [`BadEvent`] for text that [`Event::to_json`] does not write.
    pub fn from_json(json: &str) -> Result<(u64, Self), BadEvent> {
        let bad = |problem: &str| BadEvent { problem: problem.to_owned() };
        let stored: EventV1 = serde_json::from_str(json).map_err(|error| BadEvent { problem: error.to_string() })?;
        if stored.v != VERSION {
            return Err(bad("its version is not known"));
        }
        let event = Self {
            time: stored.time.parse().map_err(|_| bad("its time does not parse"))?,
            tenant: stored.tenant,
            actor: Actor::from_text(&stored.actor).ok_or_else(|| bad("its actor does not parse"))?,
            action: Action::from_name(&stored.action).ok_or_else(|| bad("its action is not known"))?,
            object: stored.object,
            outcome: Outcome::ALL
                .into_iter()
                .find(|outcome| outcome.as_str() == stored.outcome)
                .ok_or_else(|| bad("its outcome is not known"))?,
            details: stored.details,
        };
        Ok((stored.sequence, event))
    }
}

/// A stored entry that cannot be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("audit entry cannot be read: {problem}")]
pub struct BadEvent {
    /// What is wrong with it.
    pub problem: String,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct EventV1 {
    v: u32,
    sequence: u64,
    time: String,
    tenant: String,
    actor: String,
    action: String,
    object: String,
    outcome: String,
    details: BTreeMap<String, String>,
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::{Action, Actor, Event, Outcome};

    fn event() -> Event {
        let time = "2026-11-23T01:02:03.5Z".parse().expect("a time");
        Event::done(time, "default", Actor::system("retention"), Action::SessionExpire, "sessions/abcd-1".to_owned())
            .with("segments", "3")
            .with("note", "a \"quoted\"\nline \u{1f600}")
    }

    #[test]
    fn the_json_is_canonical_and_reads_back() {
        let json = event().to_json(7);
        assert_eq!(
            json,
            "{\"v\":1,\"sequence\":7,\"time\":\"2026-11-23T01:02:03.500000000Z\",\"tenant\":\"default\",\
             \"actor\":\"system:retention\",\"action\":\"session.expire\",\"object\":\"sessions/abcd-1\",\
             \"outcome\":\"done\",\"details\":{\"note\":\"a \\\"quoted\\\"\\nline \u{1f600}\",\"segments\":\"3\"}}"
        );
        assert_eq!(Event::from_json(&json).expect("reads"), (7, event()));
    }

    #[test]
    fn what_was_not_written_here_is_refused() {
        let json = event().to_json(7);
        for (from, to) in [
            ("\"v\":1", "\"v\":2"),
            ("session.expire", "session.explode"),
            ("\"done\"", "\"perhaps\""),
            ("system:", "nobody:"),
            ("2026-11", "2026-19"),
            ("\"v\"", "\"w\""),
            ("}}", "}"),
        ] {
            assert!(Event::from_json(&json.replacen(from, to, 1)).is_err(), "{from} {to}");
        }
    }

    #[test]
    fn every_stored_name_is_its_own() {
        let names: BTreeSet<_> = Action::ALL.iter().map(|action| action.as_str()).collect();
        assert_eq!(names.len(), Action::ALL.len());
        assert!(Action::ALL.iter().all(|action| Action::from_name(action.as_str()) == Some(*action)));
        assert!(Outcome::ALL.iter().all(|outcome| !outcome.as_str().is_empty()));
    }
}
