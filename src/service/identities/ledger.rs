//! One candidate's ledger: sessions in their order, references, and whether the same person is in all of them.

use crate::audit::Action;
use crate::identity::Template;
use crate::service::caller::Caller;
use crate::service::error::ServiceError;
use crate::service::ports::{
    CandidateRecord, FaceName, Page, PageRequest, ReferencePurpose, ReferenceRecord, SessionFilter, SessionOrder,
    SessionQuery, StoredTemplate, TemplateKind, TemplateState, VerdictRecord,
};
use crate::service::views::SessionView;
use crate::session::CandidateId;

use super::Identities;
use super::likeness::{Likeness, Opinion, TemplateQuality};

/// Sessions that a ledger shows, the newest ones.
const MAX_SESSIONS: u32 = 50;
/// Faces that are compared with each other.
const MAX_FACES: usize = 80;
/// The label that says how far the process was, and the value for whoever was hired.
const STAGE_LABEL: &str = "stage";
const HIRED: &str = "hired";

/// Whether a face can be compared.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum TemplateCondition {
    /// Yes.
    Known(TemplateQuality),
    /// There is no template, for that reason.
    Missing(TemplateState),
    /// Another model made it.
    OtherModel,
    /// Its seal does not open.
    Unreadable,
}

/// One line of a ledger: a session's face, a session without any, or a reference.
#[derive(Clone, Debug, PartialEq)]
pub enum LedgerEntry {
    /// A session.
    Session {
        /// The session.
        session: Box<SessionView>,
        /// Whose face; `None` when none is known.
        face: Option<FaceName>,
        /// Whether it can be compared.
        condition: TemplateCondition,
    },
    /// A reference.
    Reference {
        /// The reference.
        reference: ReferenceRecord,
        /// Whether it can be compared.
        condition: TemplateCondition,
    },
}

impl LedgerEntry {
    /// Its face, if one is known.
    #[must_use]
    pub fn face(&self) -> Option<FaceName> {
        match self {
            Self::Session { face, .. } => face.clone(),
            Self::Reference { reference, .. } => Some(FaceName::Reference(reference.name.clone())),
        }
    }

    /// Whether it shows who was hired.
    fn is_hired(&self) -> bool {
        match self {
            Self::Session { session, .. } => session.labels.get(STAGE_LABEL).is_some_and(|stage| stage == HIRED),
            Self::Reference { reference, .. } => reference.purpose == ReferencePurpose::Hired,
        }
    }

    fn is_applied(&self) -> bool {
        matches!(self, Self::Reference { reference, .. } if reference.purpose == ReferencePurpose::Applied)
    }

    fn is_same_session(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Session { session, .. }, Self::Session { session: other, .. }) => session.id == other.id,
            _ => false,
        }
    }
}

/// What a comparison of a ledger is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum PairKind {
    /// Two faces of one session.
    WithinSession,
    /// Two sessions, or a session and the reference of an earlier one.
    RoundToRound,
    /// Somebody who was interviewed, and the picture that the candidate applied with.
    AppliedToInterviewed,
    /// Somebody who was interviewed, and whoever was hired.
    InterviewedToHired,
    /// The picture that the candidate applied with, and whoever was hired; or two such references.
    Other,
}

/// Two entries of a ledger compared.
#[derive(Clone, Debug, PartialEq)]
pub struct LedgerPair {
    /// Position of one among the entries.
    pub first: usize,
    /// Position of the other; larger.
    pub second: usize,
    /// What the comparison is about.
    pub kind: PairKind,
    /// How alike they are.
    pub likeness: Likeness,
    /// What a person said of them, if anything.
    pub verdict: Option<VerdictRecord>,
}

/// All that is known of one candidate's faces.
#[derive(Clone, Debug, PartialEq)]
pub struct Ledger {
    /// The candidate.
    pub candidate: CandidateRecord,
    /// References, oldest first, then sessions, oldest first.
    pub entries: Vec<LedgerEntry>,
    /// Every two entries that can be compared.
    pub pairs: Vec<LedgerPair>,
    /// Whether two of them look like different people, and nobody said that they are the same: to be looked at.
    pub has_different_faces: bool,
    /// Sessions older than those shown.
    pub has_more_sessions: bool,
}

impl Identities {
    /// Lists a tenant's candidates by id.
    ///
    /// # Errors
    /// [`ServiceError::PermissionDenied`], [`ServiceError::FailedPrecondition`] when the ledger is off, [`ServiceError::Store`].
    pub async fn candidates(&self, caller: &Caller, page: &PageRequest) -> Result<Page<CandidateRecord>, ServiceError> {
        let event = self.begin(caller, Action::IdentityList, "candidates".to_owned()).await?;
        let outcome = self.shared.store.candidates(&caller.tenant, page).await.map_err(Into::into);
        self.answer(event, outcome, |page| page.items.len()).await
    }

    /// One candidate's ledger.
    ///
    /// # Errors
    /// As [`Identities::candidates`].
    pub async fn candidate(&self, caller: &Caller, id: &CandidateId) -> Result<Ledger, ServiceError> {
        let event = self.begin(caller, Action::IdentityList, format!("candidates/{id}")).await?;
        let outcome = self.ledger(caller, id).await;
        self.answer(event, outcome, |ledger| ledger.entries.len()).await
    }

    async fn ledger(&self, caller: &Caller, id: &CandidateId) -> Result<Ledger, ServiceError> {
        let shared = &self.shared;
        let (candidate, references) = shared.store.candidate(&caller.tenant, id).await?;
        let mut entries = Vec::new();
        let mut templates = Vec::new();
        for reference in references {
            let stored = shared.store.reference_template(&caller.tenant, &reference.name).await?;
            let (condition, template) = self.look_into(caller, &stored);
            entries.push(LedgerEntry::Reference { reference, condition });
            templates.push(template);
        }
        let query = SessionQuery {
            filters: vec![SessionFilter::CandidateIs(id.clone())],
            order: SessionOrder::NewestFirst,
            page_size: MAX_SESSIONS,
            page_token: None,
        };
        let mut page = shared.sessions.list(&caller.tenant, &query).await?;
        page.items.reverse();
        for record in page.items {
            let (state, stored) = shared.store.session_templates(&record.name, TemplateKind::Face).await?;
            let session = Box::new(SessionView::from(record));
            if stored.is_empty() {
                let condition = TemplateCondition::Missing(state);
                entries.push(LedgerEntry::Session { session: session.clone(), face: None, condition });
                templates.push(None);
            }
            for stored in stored {
                let (condition, template) = self.look_into(caller, &stored);
                entries.push(LedgerEntry::Session { session: session.clone(), face: Some(stored.face), condition });
                templates.push(template);
            }
        }
        let pairs = self.pairs(caller, &entries, &templates).await?;
        let is_odd = |pair: &LedgerPair| {
            pair.kind != PairKind::WithinSession
                && pair.likeness.opinion == Opinion::Different
                && pair.verdict.is_none()
                && is_main(&entries, pair.first)
                && is_main(&entries, pair.second)
        };
        let has_different_faces = pairs.iter().any(is_odd);
        let has_more_sessions = page.next_page_token.is_some();
        Ok(Ledger { candidate, entries, pairs, has_different_faces, has_more_sessions })
    }

    fn look_into(&self, caller: &Caller, stored: &StoredTemplate) -> (TemplateCondition, Option<Template>) {
        if stored.model != self.shared.calibration.model() {
            return (TemplateCondition::OtherModel, None);
        }
        match self.open(caller, stored) {
            Ok(template) => (TemplateCondition::Known((&template).into()), Some(template)),
            Err(_) => (TemplateCondition::Unreadable, None),
        }
    }

    async fn pairs(
        &self,
        caller: &Caller,
        entries: &[LedgerEntry],
        templates: &[Option<Template>],
    ) -> Result<Vec<LedgerPair>, ServiceError> {
        let known: Vec<_> = (0..)
            .zip(entries.iter().zip(templates))
            .filter_map(|(position, (entry, template))| Some((position, entry, template.as_ref()?)))
            .collect();
        // The newest ones, should there be too many.
        let known = known.get(known.len().saturating_sub(MAX_FACES)..).unwrap_or_default();
        let mut pairs = Vec::new();
        for (number, (first, entry, template)) in known.iter().enumerate() {
            let Some(face) = entry.face() else { continue };
            let mut verdicts = self.verdicts_of(&caller.tenant, TemplateKind::Face, &face).await?;
            for (second, other_entry, other) in known.iter().skip(number + 1) {
                let Ok(likeness) = Likeness::between(&self.shared.calibration, template, other) else { continue };
                let verdict = other_entry.face().and_then(|face| verdicts.remove(&face));
                let kind = kind(entry, other_entry);
                pairs.push(LedgerPair { first: *first, second: *second, kind, likeness, verdict });
            }
        }
        Ok(pairs)
    }
}

fn kind(first: &LedgerEntry, second: &LedgerEntry) -> PairKind {
    let is_round = |entry: &LedgerEntry| !entry.is_hired() && !entry.is_applied();
    match (first, second) {
        _ if first.is_same_session(second) => PairKind::WithinSession,
        _ if first.is_hired() && is_round(second) || second.is_hired() && is_round(first) => {
            PairKind::InterviewedToHired
        }
        _ if first.is_applied() && is_round(second) || second.is_applied() && is_round(first) => {
            PairKind::AppliedToInterviewed
        }
        _ if is_round(first) && is_round(second) => PairKind::RoundToRound,
        _ => PairKind::Other,
    }
}

/// Whether an entry shows whom its session's only participant began with, or a reference: with several participants nobody
/// knows which of them is the candidate.
fn is_main(entries: &[LedgerEntry], position: usize) -> bool {
    let Some(entry) = entries.get(position) else { return false };
    let LedgerEntry::Session { face, .. } = entry else { return true };
    let is_first = |face: &FaceName| matches!(face, FaceName::Session { person: 0, .. });
    let n_participants = entries
        .iter()
        .filter(|other| entry.is_same_session(other) && other.face().as_ref().is_some_and(is_first))
        .count();
    n_participants == 1 && face.as_ref().is_some_and(is_first)
}
