//! What people do with a scored session: take it on, mark its segments, decide, and keep it from being deleted.
//!
//! The machine proposes, a person decides: nothing here follows from a score by itself.

use std::sync::Arc;

use serde::Deserialize;

use crate::audit::{Action, Event};
use crate::session::SessionId;

use super::caller::{Attempt, Caller, Permission, permit};
use super::error::ServiceError;
use super::ports::{
    Clock, Decision, DecisionKind, GroupCount, Mark, MarkVerdict, Review, ReviewCount, ReviewState, ReviewStore,
};

/// Longest note in bytes.
pub const MAX_NOTE_BYTES: usize = 4_000;
/// Decisions of one session; who needs more has a problem that no further one solves.
const MAX_DECISIONS: usize = 100;

/// Groups that are counted.
const MAX_GROUPS: u32 = 200;

/// Which decisions a second person has to agree with.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SecondReviewer {
    /// None.
    Never,
    /// Those against the candidate.
    #[default]
    Decline,
    /// All of them.
    Always,
}

impl SecondReviewer {
    /// Whether a decision of that kind needs a second person.
    #[must_use]
    pub const fn is_needed(self, kind: DecisionKind) -> bool {
        match self {
            Self::Never => false,
            Self::Decline => matches!(kind, DecisionKind::Decline),
            Self::Always => true,
        }
    }

    /// Where a session stands once `by` decided `kind` after `earlier`.
    fn state_after(self, earlier: &[Decision], kind: DecisionKind, by: &str) -> ReviewState {
        let is_agreed = earlier.last().is_some_and(|last| last.kind == kind && last.by != by);
        if is_agreed || !self.is_needed(kind) { ReviewState::Decided } else { ReviewState::InReview }
    }
}

/// What somebody says about a segment.
#[derive(Clone, Copy, Debug)]
pub struct SegmentWord<'a> {
    /// Which segment.
    pub ordinal: u32,
    /// What they think.
    pub verdict: MarkVerdict,
    /// Why; may be empty.
    pub note: &'a str,
}

/// The use cases of review. Cheap to clone.
#[derive(Clone)]
pub struct Reviews {
    store: Arc<dyn ReviewStore>,
    clock: Arc<dyn Clock>,
    second_reviewer: SecondReviewer,
}

impl std::fmt::Debug for Reviews {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Reviews").field("second_reviewer", &self.second_reviewer).finish_non_exhaustive()
    }
}

impl Reviews {
    /// Puts the use cases together.
    #[must_use]
    pub fn new(store: Arc<dyn ReviewStore>, clock: Arc<dyn Clock>, second_reviewer: SecondReviewer) -> Self {
        Self { store, clock, second_reviewer }
    }

    /// Which decisions need a second person here.
    #[must_use]
    pub const fn second_reviewer(&self) -> SecondReviewer {
        self.second_reviewer
    }

    /// All that was said about a session.
    ///
    /// # Errors
    /// [`ServiceError::PermissionDenied`], [`ServiceError::Store`].
    pub async fn get(&self, caller: &Caller, id: &SessionId) -> Result<Review, ServiceError> {
        self.permit(caller, Permission::ReadSessions, Action::SessionView, id).await?;
        Ok(self.store.review(&caller.session(id)).await?)
    }

    /// How many sessions stand where.
    ///
    /// # Errors
    /// [`ServiceError::PermissionDenied`], [`ServiceError::Store`].
    pub async fn counts(&self, caller: &Caller) -> Result<Vec<ReviewCount>, ServiceError> {
        let attempt = Attempt {
            permission: Permission::ReadSessions,
            action: Action::SessionView,
            object: "sessions".to_owned(),
        };
        permit(&*self.store, &*self.clock, caller, attempt).await?;
        Ok(self.store.review_counts(&caller.tenant).await?)
    }

    /// How many sessions of each group stand where; the label `key` makes the groups.
    ///
    /// # Errors
    /// [`ServiceError::PermissionDenied`], [`ServiceError::Store`].
    pub async fn groups(&self, caller: &Caller, key: &str) -> Result<Vec<GroupCount>, ServiceError> {
        let attempt = Attempt {
            permission: Permission::ReadSessions,
            action: Action::SessionView,
            object: "sessions".to_owned(),
        };
        permit(&*self.store, &*self.clock, caller, attempt).await?;
        Ok(self.store.group_counts(&caller.tenant, key, MAX_GROUPS).await?)
    }

    /// Gives a session to somebody, or to nobody when `assignee` is empty.
    ///
    /// # Errors
    /// [`ServiceError::PermissionDenied`], [`ServiceError::InvalidField`], [`ServiceError::Store`].
    pub async fn assign(&self, caller: &Caller, id: &SessionId, assignee: &str) -> Result<Review, ServiceError> {
        let entry = self.permit(caller, Permission::Review, Action::ReviewAssign, id).await?;
        check_name("assignee", assignee)?;
        let name = caller.session(id);
        self.store.assign(&name, assignee.to_owned(), entry.with("assignee", assignee)).await?;
        Ok(self.store.review(&name).await?)
    }

    /// Confirms or dismisses a segment.
    ///
    /// # Errors
    /// [`ServiceError::PermissionDenied`], [`ServiceError::InvalidField`], [`ServiceError::Store`].
    pub async fn mark(&self, caller: &Caller, id: &SessionId, word: SegmentWord<'_>) -> Result<Review, ServiceError> {
        let SegmentWord { ordinal, verdict, note } = word;
        let entry = self.permit(caller, Permission::Review, Action::ReviewMark, id).await?;
        let note = check_note("note", note, Need::Optional)?;
        let mark = Mark { ordinal, verdict, note, by: caller.actor.to_string(), time: entry.time };
        let entry = entry.with("segment", ordinal.to_string()).with("verdict", verdict.as_str());
        let name = caller.session(id);
        self.store.mark(&name, mark, entry).await?;
        Ok(self.store.review(&name).await?)
    }

    /// Decides about a session. Where a second person is needed, the first decision stands until somebody else says the same.
    ///
    /// # Errors
    /// [`ServiceError::PermissionDenied`], [`ServiceError::InvalidField`] without a note, [`ServiceError::Store`] when somebody
    /// else decided at the same moment.
    pub async fn decide(
        &self,
        caller: &Caller,
        id: &SessionId,
        kind: DecisionKind,
        note: &str,
    ) -> Result<Review, ServiceError> {
        let entry = self.permit(caller, Permission::Review, Action::ReviewDecide, id).await?;
        let note = check_note("note", note, Need::Mandatory)?;
        let name = caller.session(id);
        let review = self.store.review(&name).await?;
        let by = caller.actor.to_string();
        let state = self.second_reviewer.state_after(&review.decisions, kind, &by);
        let ordinal = next_ordinal(&review.decisions).ok_or_else(|| ServiceError::FailedPrecondition {
            what: format!("sessions/{id}"),
            problem: "has as many decisions as one session may have",
        })?;
        let decision = Decision { ordinal, kind, note, by, time: entry.time };
        let entry = entry.with("decision", kind.as_str()).with("state", state.as_str());
        self.store.decide(&name, decision, state, entry).await?;
        Ok(self.store.review(&name).await?)
    }

    /// Keeps a session from being deleted, by anybody and by retention, or lets it go.
    ///
    /// # Errors
    /// [`ServiceError::PermissionDenied`], [`ServiceError::Store`].
    pub async fn hold(&self, caller: &Caller, id: &SessionId, is_held: bool) -> Result<Review, ServiceError> {
        let entry = self.permit(caller, Permission::DeleteSessions, Action::SessionHold, id).await?;
        let name = caller.session(id);
        self.store.hold(&name, is_held, entry.with("held", if is_held { "yes" } else { "no" })).await?;
        Ok(self.store.review(&name).await?)
    }

    /// Lets a caller go on who may; gives back what the audit log is to say of it.
    async fn permit(
        &self,
        caller: &Caller,
        permission: Permission,
        action: Action,
        id: &SessionId,
    ) -> Result<Event, ServiceError> {
        let object = format!("sessions/{id}");
        let attempt = Attempt { permission, action, object: object.clone() };
        permit(&*self.store, &*self.clock, caller, attempt).await?;
        Ok(caller.did(self.clock.now(), action, object))
    }
}

fn next_ordinal(decisions: &[Decision]) -> Option<u32> {
    (decisions.len() < MAX_DECISIONS).then(|| decisions.last().map_or(1, |last| last.ordinal.saturating_add(1)))
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Need {
    Mandatory,
    Optional,
}

/// A note without the space around it.
pub(super) fn check_note(field: &'static str, note: &str, need: Need) -> Result<String, ServiceError> {
    let note = note.trim();
    let invalid = |problem: String| Err(ServiceError::InvalidField { field, problem });
    if note.is_empty() && need == Need::Mandatory {
        return invalid("is empty: say in a sentence what the decision rests on".to_owned());
    }
    if note.len() > MAX_NOTE_BYTES {
        return invalid(format!("has {} bytes, at most {MAX_NOTE_BYTES} are kept: shorten it", note.len()));
    }
    if note.chars().any(|character| character.is_control() && !matches!(character, '\n' | '\r' | '\t')) {
        return invalid("holds control characters: send plain text".to_owned());
    }
    Ok(note.to_owned())
}

/// Checks the name of an account.
pub(super) fn check_name(field: &'static str, name: &str) -> Result<(), ServiceError> {
    let is_part = |byte: u8| byte.is_ascii_alphanumeric() || b"._-@+".contains(&byte);
    if name.len() <= 64 && name.bytes().all(is_part) {
        return Ok(());
    }
    Err(ServiceError::InvalidField {
        field,
        problem: "must be at most 64 of A-Z, a-z, 0-9, '.', '_', '-', '@' and '+'".to_owned(),
    })
}

#[cfg(test)]
mod tests {
    use super::{Decision, DecisionKind, MAX_NOTE_BYTES, Need, ReviewState, SecondReviewer, check_name, check_note};

    #[test]
    fn notes_are_plain_text_and_decisions_need_one() {
        assert_eq!(check_note("note", "  said so\nby phone ", Need::Mandatory).expect("good"), "said so\nby phone");
        assert_eq!(check_note("note", " ", Need::Optional).expect("good"), "");
        for bad in ["", " \n ", "a\u{0}b", "\u{1b}[2J", &"x".repeat(MAX_NOTE_BYTES + 1)] {
            assert!(check_note("note", bad, Need::Mandatory).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn names_are_those_of_accounts() {
        for good in ["", "anna", "anna.b+hr@example.org"] {
            assert!(check_name("assignee", good).is_ok(), "{good}");
        }
        for bad in ["a b", "ä", "a\n", "<b>", &"x".repeat(65)] {
            assert!(check_name("assignee", bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_second_person_has_to_say_the_same() {
        use DecisionKind::{Decline, Proceed};
        use ReviewState::{Decided, InReview};

        let state = |second_reviewer: SecondReviewer, said: &[(DecisionKind, &str)], kind, by: &str| {
            let earlier: Vec<_> = (1..)
                .zip(said)
                .map(|(ordinal, (kind, by))| Decision {
                    ordinal,
                    kind: *kind,
                    note: "n".to_owned(),
                    by: (*by).to_owned(),
                    time: jiff::Timestamp::UNIX_EPOCH,
                })
                .collect();
            second_reviewer.state_after(&earlier, kind, by)
        };
        for (second_reviewer, said, kind, by, expected) in [
            (SecondReviewer::Never, &[][..], Decline, "a", Decided),
            (SecondReviewer::Decline, &[], Proceed, "a", Decided),
            (SecondReviewer::Decline, &[], Decline, "a", InReview),
            (SecondReviewer::Decline, &[(Decline, "a")], Decline, "a", InReview),
            (SecondReviewer::Decline, &[(Decline, "a")], Decline, "b", Decided),
            (SecondReviewer::Decline, &[(Proceed, "a")], Decline, "b", InReview),
            (SecondReviewer::Decline, &[(Decline, "a"), (Proceed, "b")], Decline, "a", InReview),
            (SecondReviewer::Always, &[], Proceed, "a", InReview),
            (SecondReviewer::Always, &[(Proceed, "b")], Proceed, "a", Decided),
        ] {
            assert_eq!(state(second_reviewer, said, kind, by), expected, "{second_reviewer:?} {said:?} {kind:?} {by}");
        }
    }
}
