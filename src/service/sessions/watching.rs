//! Following a session: what is stored first, then what happens.

use std::sync::Arc;

use tokio::sync::mpsc;

use crate::audit::Action;
use crate::service::caller::{Caller, Permission};
use crate::service::error::ServiceError;
use crate::service::live::{self, EndCause, LiveEvent};
use crate::service::ports::StoreError;
use crate::session::{Segment, SegmentChange, SessionEvent, SessionId, SessionName};

use super::Interviews;

/// Segments read at one time for a watcher.
const WATCH_PAGE_SEGMENTS: u32 = 100;

impl Interviews {
    /// Follows a session's scores and segments, starting with the latest of each; ends when the session ends.
    ///
    /// # Errors
    /// [`ServiceError::NotFound`], [`ServiceError::Overloaded`].
    pub async fn watch(&self, caller: &Caller, id: &SessionId) -> Result<mpsc::Receiver<LiveEvent>, ServiceError> {
        self.permit(caller, Permission::ReadSessions, Action::SessionView, Some(id)).await?;
        let name = &caller.session(id);
        // Registered first, so that nothing is missed between the stored state and the first live event.
        let live_events = self.services.watchers.add(name)?;
        let record = self.services.store.get(name).await?;
        let segments = self.all_segments(name).await?;
        let is_finished = record.end_time.is_some();
        let segments =
            segments.into_iter().map(|segment| SessionEvent::Segment { change: SegmentChange::Extended, segment });
        let scores = record.participants.into_iter().map(|participant| SessionEvent::Score {
            participant_id: participant.participant_id,
            score: participant.score,
        });
        let stored = segments.chain(scores).map(LiveEvent::Session);
        let stored: Vec<_> = stored.chain(is_finished.then_some(LiveEvent::Ended(Some(EndCause::Finished)))).collect();
        let (sender, events) = mpsc::channel(live::WATCH_EVENTS);
        let (services, name) = (Arc::clone(&self.services), name.clone());
        tokio::spawn(async move { forward(stored, live_events, &sender, || services.watchers.flush(&name)).await });
        Ok(events)
    }

    async fn all_segments(&self, name: &SessionName) -> Result<Vec<Segment>, ServiceError> {
        let mut page = self.services.store.segments(name, WATCH_PAGE_SEGMENTS, None).await?;
        let mut all = std::mem::take(&mut page.items);
        while let Some(token) = page.next_page_token.take() {
            page = self.services.store.segments(name, WATCH_PAGE_SEGMENTS, Some(&token)).await?;
            all.append(&mut page.items);
        }
        Ok(all)
    }

    /// Ends the watching of sessions that are gone. A live one finds out by itself, with its next step.
    pub(super) async fn tell_of_deletions(&self) {
        for name in self.services.watchers.followed() {
            if let Err(StoreError::NotFound { .. }) = self.services.store.get(&name).await {
                self.services.watchers.publish(&name, &LiveEvent::Ended(Some(EndCause::Deleted)));
            }
        }
    }
}

/// Gives a watcher what is stored, then what happens, until an end is told or the watcher leaves. `took_one` is told whenever
/// there is room for another event.
async fn forward(
    stored: Vec<LiveEvent>,
    mut live_events: mpsc::Receiver<LiveEvent>,
    watcher: &mpsc::Sender<LiveEvent>,
    took_one: impl Fn(),
) {
    let mut stored = stored.into_iter();
    loop {
        #[expect(clippy::single_match_else, reason = "two sources of events, side by side")]
        let event = match stored.next() {
            Some(event) => Some(event),
            None => tokio::select! {
                event = live_events.recv() => event,
                () = watcher.closed() => None,
            },
        };
        let Some(event) = event else { return };
        let is_last = matches!(event, LiveEvent::Ended(_));
        if watcher.send(event).await.is_err() || is_last {
            return;
        }
        took_one();
    }
}
