//! What a person looks at: a session's page, its timeline, its tracks.

use crate::audit::Action;
use crate::service::caller::{Caller, Permission};
use crate::service::error::ServiceError;
use crate::service::installation::HealthView;
use crate::service::timeline::{Timeline, TimelineWish};
use crate::service::views::SessionView;
use crate::session::{JournalEntry, SessionId, Track};

use super::Interviews;

/// Scores of one participant that a timeline is made of: more than a day of one a second.
const MAX_SCORES: u32 = 100_000;

impl Interviews {
    /// Opens a session for a person to look at, and writes down that they did.
    ///
    /// # Errors
    /// [`ServiceError::PermissionDenied`], [`ServiceError::Store`].
    pub async fn look(&self, caller: &Caller, id: &SessionId) -> Result<SessionView, ServiceError> {
        let view = self.get(caller, id).await?;
        self.services.store.append(self.entry(caller, Action::SessionView, id)).await?;
        Ok(view)
    }

    /// How a participant's scores went.
    ///
    /// # Errors
    /// [`ServiceError::PermissionDenied`], [`ServiceError::Store`].
    pub async fn timeline(
        &self,
        caller: &Caller,
        id: &SessionId,
        wish: TimelineWish<'_>,
    ) -> Result<Timeline, ServiceError> {
        let TimelineWish { participant, range, max_buckets } = wish;
        self.permit(caller, Permission::ReadSessions, Action::SessionView, Some(id)).await?;
        let points = self.services.store.score_points(&caller.session(id), participant, MAX_SCORES).await?;
        Ok(Timeline::of(&points, range, max_buckets))
    }

    /// Every track that was announced, as often as it changed, in order. Reads the whole journal: for a page that few open.
    ///
    /// # Errors
    /// [`ServiceError::PermissionDenied`], [`ServiceError::Store`].
    pub async fn tracks(&self, caller: &Caller, id: &SessionId) -> Result<Vec<Track>, ServiceError> {
        self.permit(caller, Permission::ReadSessions, Action::SessionView, Some(id)).await?;
        let journal = self.services.store.journal(&caller.session(id)).await?;
        Ok(journal
            .into_iter()
            .filter_map(|entry| if let JournalEntry::TrackUpserted(track) = entry { Some(track) } else { None })
            .collect())
    }

    /// How it goes.
    pub(in crate::service) async fn health(&self) -> HealthView {
        HealthView {
            is_ready: self.is_ready().await,
            n_live_sessions: self.n_live_sessions(),
            n_watchers: self.services.watchers.len(),
            queued_bytes: self.services.queued_bytes(),
        }
    }
}
