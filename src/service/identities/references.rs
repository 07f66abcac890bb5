//! References: the face that a candidate applied with, an earlier interview, whoever was hired. The picture itself is not kept.

use bytes::Bytes;
use jiff::{SignedDuration, Timestamp};

use crate::audit::Action;
use crate::identity::Template;
use crate::keys::{DataKey, WrappedKey};
use crate::service::caller::Caller;
use crate::service::error::ServiceError;
use crate::service::ports::{
    FaceName, NewReferenceRow, ReferenceId, ReferenceName, ReferencePurpose, ReferenceRecord, StoreError,
};
use crate::service::sessions::fields::check_text;
use crate::session::{CandidateId, SessionId};
use crate::signals::Reason;

use super::Identities;
use super::sealed::{candidate_owner, seal};
use super::subject::{SessionFace, Subject};

/// Times that an enrolment is tried while others enrol the same candidate for the first time.
const MAX_TRIES: usize = 5;
/// Seconds in a day.
const DAY_SECS: i64 = 86_400;

/// Where a reference's face comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ReferenceSource {
    /// A still picture of one person: JPEG, PNG or WebP.
    Picture(Bytes),
    /// Somebody of a finished session.
    Session(SessionFace),
}

/// What a caller gives to enrol a reference.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewReference {
    /// Whose.
    pub candidate: CandidateId,
    /// For people; empty leaves what is known.
    pub display_name: String,
    /// What it shows.
    pub purpose: ReferencePurpose,
    /// Its face.
    pub source: ReferenceSource,
    /// Where consent is filed; may be empty for a session, whose own it then is.
    pub consent_reference: String,
    /// When it is deleted; `None` = the operator's retention.
    pub expire_time: Option<Timestamp>,
}

/// How an enrolment went.
#[derive(Clone, Debug, PartialEq)]
pub enum Enrolment {
    /// The reference is kept.
    Kept(ReferenceRecord),
    /// The picture cannot be used: no face, several, too small, blurred and so on.
    Refused(Vec<Reason>),
}

impl Identities {
    /// Enrols a reference.
    ///
    /// # Errors
    /// [`ServiceError::PermissionDenied`], [`ServiceError::FailedPrecondition`] when the ledger is off or a session has no
    /// template, [`ServiceError::InvalidField`] without consent, [`ServiceError::Media`] for what is no picture.
    pub async fn enroll_reference(&self, caller: &Caller, new: NewReference) -> Result<Enrolment, ServiceError> {
        let object = format!("candidates/{}", new.candidate);
        let event = self.begin(caller, Action::IdentityEnroll, object).await?;
        let (template, record) = match self.prepare(caller, &new).await {
            Ok(Ok(prepared)) => prepared,
            Ok(Err(reasons)) => {
                let codes: Vec<_> = reasons.iter().map(|reason| reason.code.as_ref()).collect();
                self.shared.store.append(event.with("refused", codes.join(" "))).await?;
                return Ok(Enrolment::Refused(reasons));
            }
            Err(error) => return Err(self.failed(event, error).await),
        };
        let event = crate::audit::Event { object: record.name.to_string(), ..event };
        let event = event.with("purpose", record.purpose.as_str()).with("consent_reference", &record.consent_reference);
        for _ in 0..MAX_TRIES {
            let (key, wrapped) = self.candidate_key(caller, &new.candidate).await?;
            let row = NewReferenceRow {
                sealed: seal(&key, &caller.tenant, &FaceName::Reference(record.name.clone()), &template)?,
                model: template.model(),
                record: record.clone(),
                display_name: new.display_name.clone(),
                wrapped,
            };
            match self.shared.store.add_reference(&caller.tenant, row, event.clone()).await {
                Ok(()) => return Ok(Enrolment::Kept(record)),
                // Somebody enrolled the same candidate for the first time, or removed the last reference.
                Err(StoreError::Taken { .. }) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Err(ServiceError::FailedPrecondition {
            what: format!("candidates/{}", new.candidate),
            problem: "has as many references as one candidate may have, or is being changed: delete one, or try again",
        })
    }

    /// Deletes a reference and its template.
    ///
    /// # Errors
    /// [`ServiceError::PermissionDenied`], [`ServiceError::FailedPrecondition`], [`ServiceError::Store`].
    pub async fn delete_reference(&self, caller: &Caller, name: &ReferenceName) -> Result<(), ServiceError> {
        let event = self.begin(caller, Action::IdentityDelete, name.to_string()).await?;
        if let Err(error) = self.shared.store.delete_reference(&caller.tenant, name, event.clone()).await {
            return Err(self.failed(event, error.into()).await);
        }
        self.shared.galleries.refresh(&caller.tenant, &self.source()).await
    }

    /// The template of a reference to be, and what is kept beside it.
    async fn prepare(
        &self,
        caller: &Caller,
        new: &NewReference,
    ) -> Result<Result<(Template, ReferenceRecord), Vec<Reason>>, ServiceError> {
        check_text("display_name", &new.display_name)?;
        check_text("consent_reference", &new.consent_reference)?;
        let (template, source_session) = match &new.source {
            ReferenceSource::Picture(picture) => {
                let pictures = self.shared.pictures.as_ref().ok_or(ServiceError::FailedPrecondition {
                    what: "image".to_owned(),
                    problem: "pictures are looked at by a server with models only: ask one",
                })?;
                match pictures.portrait(picture.clone()).await? {
                    Ok(template) => (template, None),
                    Err(reasons) => return Ok(Err(reasons)),
                }
            }
            ReferenceSource::Session(face) => {
                let known = self.resolve(caller, &Subject::Session(face.clone())).await?;
                (known.template, Some(face.session.clone()))
            }
        };
        let consent_reference = self.consent(caller, new, source_session.as_ref()).await?;
        let create_time = self.shared.clock.now();
        let days = self.shared.options.reference_retention_days;
        let retention = (days > 0).then(|| SignedDuration::from_secs(i64::from(days) * DAY_SECS));
        let usual = retention.and_then(|retention| create_time.checked_add(retention).ok());
        let expire_time = new.expire_time.or(usual);
        if expire_time.is_some_and(|time| time <= create_time) {
            let problem = "is past: name a time to come, or leave it out".to_owned();
            return Err(ServiceError::InvalidField { field: "expire_time", problem });
        }
        let record = ReferenceRecord {
            name: ReferenceName { candidate: new.candidate.clone(), id: new_id()? },
            purpose: new.purpose,
            source_session,
            consent_reference,
            create_time,
            created_by: caller.actor.to_string(),
            expire_time,
        };
        Ok(Ok((template, record)))
    }

    async fn consent(
        &self,
        caller: &Caller,
        new: &NewReference,
        source: Option<&SessionId>,
    ) -> Result<String, ServiceError> {
        let given = new.consent_reference.trim();
        if !given.is_empty() {
            return Ok(given.to_owned());
        }
        match source {
            // A session without consent has no template, and does not get here.
            Some(session) => Ok(self.shared.sessions.get(&caller.session(session)).await?.consent_reference),
            None => Err(ServiceError::InvalidField {
                field: "consent_reference",
                problem: "is missing: name where the candidate's consent is filed".to_owned(),
            }),
        }
    }

    async fn candidate_key(
        &self,
        caller: &Caller,
        candidate: &CandidateId,
    ) -> Result<(DataKey, WrappedKey), ServiceError> {
        let owner = candidate_owner(&caller.tenant, candidate);
        if let Some(wrapped) = self.shared.store.candidate_key(&caller.tenant, candidate).await? {
            return Ok((self.shared.sealing.unwrap(&owner, &wrapped)?, wrapped));
        }
        let key = DataKey::generate();
        let wrapped = self.shared.sealing.wrap(&owner, &key)?;
        Ok((key, wrapped))
    }
}

fn new_id() -> Result<ReferenceId, ServiceError> {
    let random = crate::service::sessions::random_hex();
    Ok(ReferenceId::new(&format!("r-{}", random.get(..24).unwrap_or_default()))?)
}
