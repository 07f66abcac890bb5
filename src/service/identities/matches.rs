//! What people say of two faces and of what is behind them, and the watch list.

use crate::audit::Action;
use crate::service::caller::Caller;
use crate::service::error::ServiceError;
use crate::service::ports::{
    FaceName, MatchFilter, MatchRecord, MatchVerdict, Page, PageRequest, Pair, TemplateKind, VerdictRecord, WatchRecord,
};
use crate::service::review::{Need, check_note};

use super::Identities;
use super::subject::Subject;

impl Identities {
    /// Says that two faces are one person's, or two people's, in place of what was said before; or the same of the places behind
    /// them. A person says so, never the machine.
    ///
    /// # Errors
    /// [`ServiceError::PermissionDenied`], [`ServiceError::FailedPrecondition`] when the ledger is off,
    /// [`ServiceError::InvalidField`] for a picture, a face compared with itself or a note that cannot be kept,
    /// [`ServiceError::Store`] for what is not there.
    pub async fn confirm(
        &self,
        caller: &Caller,
        pair: Pair<&Subject>,
        verdict: MatchVerdict,
        note: &str,
    ) -> Result<(), ServiceError> {
        let Pair { kind, first, second } = pair;
        let event = self.begin(caller, Action::IdentityConfirm, first.object()).await?;
        let event = event.with("other", second.object()).with("of", kind.as_str()).with("verdict", verdict.as_str());
        let said = async {
            let note = check_note("note", note, Need::Optional)?;
            let faces = (self.face_of(caller, first).await?, self.face_of(caller, second).await?);
            let is_reference = |face: &FaceName| matches!(face, FaceName::Reference(_));
            if kind == TemplateKind::Scene && (is_reference(&faces.0) || is_reference(&faces.1)) {
                let problem = "is a reference, which has a face and no background: name a session's".to_owned();
                return Err(ServiceError::InvalidField { field: "first", problem });
            }
            if faces.0 == faces.1 {
                let problem = "is the same face: name two".to_owned();
                return Err(ServiceError::InvalidField { field: "second", problem });
            }
            let verdict = VerdictRecord { verdict, note, by: caller.actor.to_string(), time: event.time };
            let event = event.clone().with("faces", format!("{} {}", faces.0, faces.1));
            Ok(self.shared.store.decide_match(&caller.tenant, Pair::of(kind, faces), verdict, event).await?)
        };
        match said.await {
            Ok(()) => Ok(()),
            Err(error) => Err(self.failed(event, error).await),
        }
    }

    /// Lists pairs of faces: what the machine proposes and what people said, newest first.
    ///
    /// # Errors
    /// As [`Identities::confirm`].
    pub async fn matches(
        &self,
        caller: &Caller,
        filter: &MatchFilter,
        page: &PageRequest,
    ) -> Result<Page<MatchRecord>, ServiceError> {
        let object = match filter {
            MatchFilter::All | MatchFilter::Open => "matches".to_owned(),
            MatchFilter::OfSession(id) => format!("sessions/{id}"),
            MatchFilter::OfCandidate(id) => format!("candidates/{id}"),
        };
        let event = self.begin(caller, Action::IdentityList, object).await?;
        let outcome = self.shared.store.matches(&caller.tenant, filter, page).await.map_err(Into::into);
        self.answer(event, outcome, |page| page.items.len()).await
    }

    /// Puts a face on the watch list: whoever looks like it at the end of a session is proposed to people. An entry goes with
    /// its session or reference; enrol a reference to keep it for longer.
    ///
    /// # Errors
    /// As [`Identities::confirm`].
    pub async fn watch(&self, caller: &Caller, subject: &Subject, note: &str) -> Result<(), ServiceError> {
        let event = self.begin(caller, Action::IdentityWatch, subject.object()).await?.with("watched", "yes");
        let watched = async {
            let note = check_note("note", note, Need::Optional)?;
            let face = self.face_of(caller, subject).await?;
            let event = event.clone().with("face", face.to_string());
            Ok(self.shared.store.watch(&caller.tenant, &face, note, event).await?)
        };
        match watched.await {
            Ok(()) => Ok(()),
            Err(error) => Err(self.failed(event, error).await),
        }
    }

    /// Takes a face off the watch list.
    ///
    /// # Errors
    /// As [`Identities::confirm`].
    pub async fn unwatch(&self, caller: &Caller, subject: &Subject) -> Result<(), ServiceError> {
        let event = self.begin(caller, Action::IdentityWatch, subject.object()).await?.with("watched", "no");
        let unwatched = async {
            let face = self.face_of(caller, subject).await?;
            let event = event.clone().with("face", face.to_string());
            Ok(self.shared.store.unwatch(&caller.tenant, &face, event).await?)
        };
        match unwatched.await {
            Ok(()) => Ok(()),
            Err(error) => Err(self.failed(event, error).await),
        }
    }

    /// Lists the watch list, newest first.
    ///
    /// # Errors
    /// As [`Identities::confirm`].
    pub async fn watched(&self, caller: &Caller, page: &PageRequest) -> Result<Page<WatchRecord>, ServiceError> {
        let event = self.begin(caller, Action::IdentityList, "watched".to_owned()).await?;
        let outcome = self.shared.store.watched(&caller.tenant, page).await.map_err(Into::into);
        self.answer(event, outcome, |page| page.items.len()).await
    }
}
