//! Whose face a question is about, and how its template is found.

use std::fmt;

use bytes::Bytes;

use crate::identity::{Template, TemplateKey};
use crate::keys::SealError;
use crate::service::caller::Caller;
use crate::service::error::ServiceError;
use crate::service::ports::{FaceName, ReferenceName, StoredTemplate, TemplateKind, TemplateState};
use crate::session::{ParticipantId, SessionId, SessionName};

use super::sealed::Opener;
use super::{Identities, pictures};

/// A face of a session.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SessionFace {
    /// The session.
    pub session: SessionId,
    /// Whose camera; `None` = of the only participant that was seen.
    pub participant: Option<ParticipantId>,
    /// Which of those who were seen there, in the order in which they were met; 0 = the first.
    pub person: u32,
}

/// Whose face a question is about.
#[derive(Clone, PartialEq, Eq)]
pub enum Subject {
    /// Somebody of a session.
    Session(SessionFace),
    /// A candidate's reference.
    Reference(ReferenceName),
    /// Whoever a still picture shows; it is not kept.
    Picture(Bytes),
}

impl Subject {
    /// The first person of a session's only participant.
    #[must_use]
    pub const fn session(session: SessionId) -> Self {
        Self::Session(SessionFace { session, participant: None, person: 0 })
    }

    /// What the audit log calls it.
    pub(super) fn object(&self) -> String {
        match self {
            Self::Session(face) => format!("sessions/{}", face.session),
            Self::Reference(name) => name.to_string(),
            Self::Picture(_) => "a picture".to_owned(),
        }
    }
}

impl From<FaceName> for Subject {
    fn from(face: FaceName) -> Self {
        match face {
            FaceName::Session { session, participant, person } => {
                Self::Session(SessionFace { session, participant: Some(participant), person })
            }
            FaceName::Reference(name) => Self::Reference(name),
        }
    }
}

impl fmt::Debug for Subject {
    /// Names only: pictures never reach a log.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.object())
    }
}

/// A face whose template is at hand.
pub(super) struct Known {
    pub(super) template: Template,
    /// `None` for a picture.
    pub(super) face: Option<FaceName>,
    /// Templates of the same session or reference, which a search leaves out.
    pub(super) own: Vec<TemplateKey>,
}

impl Identities {
    /// The template of a subject.
    ///
    /// # Errors
    /// [`ServiceError::Store`] for what is not there, [`ServiceError::FailedPrecondition`] when a session has no template,
    /// [`ServiceError::InvalidField`] when it has several or a picture cannot be used, [`ServiceError::Seal`] when it does not
    /// open.
    pub(super) async fn resolve(&self, caller: &Caller, subject: &Subject) -> Result<Known, ServiceError> {
        match subject {
            Subject::Session(face) => {
                let stored = self.stored_of(&caller.session(&face.session)).await?;
                let own = stored.iter().map(|stored| stored.key).collect();
                let stored = pick(&stored, face)?;
                Ok(Known { template: self.open(caller, stored)?, face: Some(stored.face.clone()), own })
            }
            Subject::Reference(name) => {
                let stored = self.shared.store.reference_template(&caller.tenant, name).await?;
                let (template, own) = (self.open(caller, &stored)?, vec![stored.key]);
                Ok(Known { template, face: Some(stored.face), own })
            }
            Subject::Picture(picture) => {
                let pictures = self.shared.pictures.as_ref().ok_or(ServiceError::FailedPrecondition {
                    what: "image".to_owned(),
                    problem: "pictures are looked at by a server with models only: ask one",
                })?;
                let portrait = pictures.portrait(picture.clone()).await?;
                let template = portrait.map_err(|reasons| pictures::refusal(&reasons))?;
                Ok(Known { template, face: None, own: Vec::new() })
            }
        }
    }

    /// The name of the face that a subject means, whether or not there is a template of it.
    ///
    /// # Errors
    /// [`ServiceError::InvalidField`] for a picture, [`ServiceError::Store`] for what is not there.
    pub(super) async fn face_of(&self, caller: &Caller, subject: &Subject) -> Result<FaceName, ServiceError> {
        match subject {
            Subject::Session(SessionFace { session, participant: Some(participant), person }) => {
                Ok(FaceName::Session { session: session.clone(), participant: participant.clone(), person: *person })
            }
            Subject::Session(face) => {
                let stored = self.stored_of(&caller.session(&face.session)).await?;
                Ok(pick(&stored, face)?.face.clone())
            }
            Subject::Reference(name) => Ok(FaceName::Reference(name.clone())),
            Subject::Picture(_) => Err(ServiceError::InvalidField {
                field: "image",
                problem: "a picture is not kept, so that nothing can be said of it later: enrol it as a reference"
                    .to_owned(),
            }),
        }
    }

    /// The stored templates of a finished session, made now when nobody made them.
    async fn stored_of(&self, name: &SessionName) -> Result<Vec<StoredTemplate>, ServiceError> {
        let (state, stored) = self.made_templates(name).await?;
        if !stored.is_empty() {
            return Ok(stored);
        }
        let problem = match state {
            TemplateState::NoConsent => "names no consent, so that no template of its faces was made",
            TemplateState::Expired => "is older than templates are kept: nothing of its faces is known any more",
            TemplateState::NoFace | TemplateState::Kept | TemplateState::Pending => {
                "shows no face well enough, for long enough"
            }
        };
        Err(ServiceError::FailedPrecondition { what: format!("sessions/{name}"), problem })
    }

    /// The templates of a finished session's faces and what became of them, made now when nobody made them.
    pub(super) async fn made_templates(
        &self,
        name: &SessionName,
    ) -> Result<(TemplateState, Vec<StoredTemplate>), ServiceError> {
        let (state, stored) = self.shared.store.session_templates(name, TemplateKind::Face).await?;
        if state != TemplateState::Pending {
            return Ok((state, stored));
        }
        self.gather_again(name).await?;
        Ok(self.shared.store.session_templates(name, TemplateKind::Face).await?)
    }

    pub(super) fn open(&self, caller: &Caller, stored: &StoredTemplate) -> Result<Template, ServiceError> {
        Opener::new(&self.shared.sealing, &caller.tenant).open(stored).map_err(|error| broken(stored, error))
    }
}

/// Notes a template that does not open, where an operator finds it.
pub(super) fn broken(stored: &StoredTemplate, error: SealError) -> ServiceError {
    tracing::warn!(
        template.key = stored.key.0,
        error = &error as &dyn std::error::Error,
        "a stored template does not open: restore its row, or the key file"
    );
    error.into()
}

/// The template of the face that is meant.
pub(super) fn pick<'a>(stored: &'a [StoredTemplate], wanted: &SessionFace) -> Result<&'a StoredTemplate, ServiceError> {
    let participant_of = |face: &FaceName| match face {
        FaceName::Session { participant, person, .. } => Some((participant.clone(), *person)),
        FaceName::Reference(_) => None,
    };
    let mut found = stored.iter().filter(|stored| {
        participant_of(&stored.face).is_some_and(|(participant, person)| {
            person == wanted.person && wanted.participant.as_ref().is_none_or(|wanted| *wanted == participant)
        })
    });
    let what = || match &wanted.participant {
        Some(participant) => {
            format!("sessions/{}/participants/{participant}/persons/{}", wanted.session, wanted.person)
        }
        None => format!("person {} of sessions/{}", wanted.person, wanted.session),
    };
    let first = found.next().ok_or_else(|| ServiceError::NotFound { what: what() })?;
    let n_others = found.count();
    if n_others == 0 {
        return Ok(first);
    }
    Err(ServiceError::InvalidField {
        field: "participant",
        problem: format!(
            "is not set, and {} participants were seen in sessions/{}: name one",
            n_others + 1,
            wanted.session
        ),
    })
}
