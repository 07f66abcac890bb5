//! Opening a stream: who may, from which token, with which reference images.

use crate::audit::Action;
use crate::service::caller::{Caller, Permission};
use crate::service::error::ServiceError;
use crate::service::live::{self, DRAINING, OpenStream, Purpose, StreamCommand, StreamOptions};
use crate::service::ports::StoreError;
use crate::session::{ParticipantId, SessionId, SessionName};
use crate::vision::Embedding;

use super::{Interviews, MAX_REPEATS, NewSession};

impl Interviews {
    /// Opens a stream of media into a session, new or resumed.
    ///
    /// # Errors
    /// [`ServiceError::PermissionDenied`], [`ServiceError::Overloaded`] past the admission limit, [`ServiceError::NotFound`] without `create`,
    /// [`ServiceError::FailedPrecondition`] for a finished session, [`ServiceError::InvalidField`] for a foreign token, a
    /// policy that is not the server's or a reference image without exactly one face,
    /// [`ServiceError::Unavailable`] while draining.
    pub async fn open_stream(&self, caller: &Caller, options: StreamOptions) -> Result<OpenStream, ServiceError> {
        self.permit(caller, Permission::WriteSessions, Action::SessionCreate, Some(&options.session_id)).await?;
        if self.services.sessions.is_closed() {
            return Err(ServiceError::Unavailable { problem: DRAINING });
        }
        self.check_policy(&options.policy)?;
        if let Some(new) = &options.create {
            self.create_if_missing(caller, &options.session_id, new.clone()).await?;
        }
        let name = caller.session(&options.session_id);
        let record = self.services.store.get(&name).await?;
        if record.end_time.is_some() {
            return Err(ServiceError::FailedPrecondition {
                what: format!("sessions/{name}"),
                problem: "it is finished: create another session",
            });
        }
        let references = self.measure_references(&options).await?;
        let stream = self.attach(&name, &options).await?;
        for (track, format) in &options.tracks {
            stream.input.send(StreamCommand::UpsertTrack(track.clone(), *format))?;
        }
        for (participant_id, embedding) in references {
            stream.input.enroll(participant_id, embedding).await?;
        }
        Ok(stream)
    }

    async fn create_if_missing(&self, caller: &Caller, id: &SessionId, new: NewSession) -> Result<(), ServiceError> {
        match self.services.store.get(&caller.session(id)).await {
            Ok(_) => return Ok(()),
            Err(StoreError::NotFound { .. }) => {}
            Err(error) => return Err(error.into()),
        }
        match self.create_record(caller, NewSession { id: Some(id.clone()), ..new }).await {
            // Another stream of the same session was faster.
            Ok(_) | Err(ServiceError::Store(StoreError::AlreadyExists { .. })) => Ok(()),
            Err(error) => Err(error),
        }
    }

    async fn attach(&self, name: &SessionName, options: &StreamOptions) -> Result<OpenStream, ServiceError> {
        for _ in 0..MAX_REPEATS {
            let session = self.services.sessions.open(name, Purpose::Feed, &self.services)?;
            match live::attach(&self.services, session, options).await {
                Err(error) if live::is_just_left(&error) => tokio::task::yield_now().await,
                answer => return answer,
            }
        }
        Err(ServiceError::Unavailable { problem: "the session could not be opened: try again" })
    }

    fn check_policy(&self, wanted: &str) -> Result<(), ServiceError> {
        let policy = &self.services.policy;
        let is_served = wanted.is_empty() || wanted == policy.name() || wanted == format!("policies/{}", policy.id);
        if is_served {
            return Ok(());
        }
        Err(ServiceError::InvalidField {
            field: "config.policy",
            problem: format!("this server scores by {}: leave it empty or name that one", policy.name()),
        })
    }

    async fn measure_references(
        &self,
        options: &StreamOptions,
    ) -> Result<Vec<(ParticipantId, Embedding)>, ServiceError> {
        let mut measured_faces = Vec::new();
        for (participant_id, image) in &options.references {
            let (pipeline, image) = (self.services.pipeline.clone(), image.clone());
            let pool = &self.services.pool;
            let measured = pool.run(pool.turn().await, move || pipeline.measure_reference(&image));
            let embedding = measured.await.map_err(|panic| ServiceError::Internal { problem: panic.to_string() })??;
            measured_faces.push((participant_id.clone(), embedding));
        }
        Ok(measured_faces)
    }
}
