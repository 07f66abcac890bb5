//! What a session, its inputs and its workers share. Every lock is held for moments; where two are held, `tracks` was taken first.

use std::collections::{HashMap, HashSet};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use tokio::task::JoinSet;

use crate::media::MediaTime;
use crate::service::evidence::{HeldShot, StillKeeper};
use crate::session::{
    Interview, MAX_PARTICIPANTS, MAX_TRACKS, ParticipantId, StillDesk, StillWish, Track, TrackId, Urgency,
};

use super::EndCause;
use super::queue::{StreamId, TrackQueue};

/// Announcements of tracks in the life of a session on this server: each is an entry in its journal.
const MAX_ANNOUNCEMENTS: u32 = 10_000;

/// Shared state of one live session.
#[derive(Debug, Default)]
pub(super) struct Shared {
    interview: Mutex<Option<Interview>>,
    stills: Mutex<Option<Stills>>,
    keeps_scenes: AtomicBool,
    tracks: Mutex<Tracks>,
    closed: Mutex<Option<EndCause>>,
    workers: Mutex<JoinSet<()>>,
    idle_since: Mutex<Option<Instant>>,
}

/// Which stills of the session are wanted, and who counts what is held of them; absent where none are kept.
#[derive(Debug)]
pub(super) struct Stills {
    pub(super) desk: StillDesk<HeldShot>,
    pub(super) keeper: StillKeeper,
}

/// The tracks that streams announced, and what bounds them.
#[derive(Debug, Default)]
pub(super) struct Tracks {
    /// By id; a removed track stays until its removal is told.
    pub(super) entries: HashMap<TrackId, TrackEntry>,
    participants: HashSet<ParticipantId>,
    n_announcements: u32,
}

/// A track's queue and who may feed it.
#[derive(Debug)]
pub(super) struct TrackEntry {
    /// What waits for the track's worker.
    pub(super) queue: Arc<TrackQueue>,
    /// Who feeds it; `None` = whoever comes next.
    pub(super) owner: Option<Owner>,
    /// Highest sequence that was accepted.
    pub(super) last_sequence: Option<u64>,
    /// Highest sequence that was accepted from owners before this one: sent again, it is done with.
    pub(super) accepted_before: Option<u64>,
    /// Whether the owner sent something again and must be told that it is done with.
    pub(super) wants_ack: bool,
    /// Whether the track was removed and not announced again.
    pub(super) is_removed: bool,
    /// Removals that wait in the queue.
    pub(super) n_removals: u32,
}

/// A stream as the owner of a track.
#[derive(Clone, Debug)]
pub(super) struct Owner {
    /// Which stream.
    pub(super) stream: StreamId,
    /// Raised when the stream may not send any more.
    pub(super) is_over: Arc<AtomicBool>,
}

impl Shared {
    /// Puts the loaded interview in its place.
    pub(super) fn set_interview(&self, interview: Interview) {
        *lock(&self.interview) = Some(interview);
    }

    /// Runs something on the interview; `None` before it was loaded.
    pub(super) fn with_interview<T>(&self, run: impl FnOnce(&mut Interview) -> T) -> Option<T> {
        lock(&self.interview).as_mut().map(run)
    }

    /// How much is wanted of a track's frames to come.
    pub(super) fn urgency(&self, track_id: &TrackId) -> Urgency {
        self.with_interview(|interview| interview.urgency(track_id)).unwrap_or_default()
    }

    /// Puts the desk at which stills are chosen in its place.
    pub(super) fn set_stills(&self, stills: Stills) {
        *lock(&self.stills) = Some(stills);
    }

    /// Runs something on the desk; `None` where no stills are kept.
    pub(super) fn with_stills<T>(&self, run: impl FnOnce(&mut Stills) -> T) -> Option<T> {
        lock(&self.stills).as_mut().map(run)
    }

    /// How often a still of a track's next frames is wanted.
    pub(super) fn still_wish(&self, track_id: &TrackId) -> Option<StillWish> {
        let (participant_id, face, urgency) = self.with_interview(|interview| {
            let (participant_id, face) = interview.followed_face(track_id)?;
            Some((participant_id.clone(), face, interview.urgency(track_id)))
        })??;
        self.with_stills(|stills| {
            if stills.keeper.has_room() { stills.desk.wish(&participant_id, urgency, face) } else { None }
        })?
    }

    /// Says that the session keeps what its backgrounds look like.
    pub(super) fn keep_scenes(&self) {
        self.keeps_scenes.store(true, Ordering::Relaxed);
    }

    /// Whether a look at what is behind the people of a track is wanted.
    pub(super) fn wants_scene(&self, track_id: &TrackId) -> bool {
        self.keeps_scenes.load(Ordering::Relaxed)
            && self.with_interview(|interview| interview.wants_scene(track_id)).unwrap_or_default()
    }

    /// The latest media time that the session saw of a track or of the participant behind it.
    pub(super) fn last_media_time(&self, track: &Track) -> Option<MediaTime> {
        self.with_interview(|interview| interview.last_media_time(&track.track_id, &track.participant_id)).flatten()
    }

    /// The announced tracks.
    pub(super) fn tracks(&self) -> MutexGuard<'_, Tracks> {
        lock(&self.tracks)
    }

    /// Why nothing is accepted any more; `None` while it is.
    pub(super) fn closed(&self) -> Option<EndCause> {
        *lock(&self.closed)
    }

    /// Refuses further input; the first cause counts.
    pub(super) fn close(&self, cause: EndCause) {
        lock(&self.closed).get_or_insert(cause);
    }

    /// Refuses further input and ends every queue.
    pub(super) fn close_queues(&self, cause: EndCause) {
        self.close(cause);
        for (_, entry) in self.tracks().entries.drain() {
            entry.queue.close();
        }
    }

    /// The tasks that have samples analysed.
    pub(super) fn workers(&self) -> MutexGuard<'_, JoinSet<()>> {
        lock(&self.workers)
    }

    /// Since when no stream feeds the session.
    pub(super) fn idle_since(&self) -> Option<Instant> {
        *lock(&self.idle_since)
    }

    /// Notes whether a stream feeds the session.
    pub(super) fn set_idle(&self, is_idle: bool) {
        let mut idle_since = lock(&self.idle_since);
        if is_idle {
            idle_since.get_or_insert_with(Instant::now);
        } else {
            *idle_since = None;
        }
    }
}

impl Tracks {
    /// Notes an announcement; `false`, and nothing noted, when it does not fit beside `interview` and what was announced.
    pub(super) fn admit(&mut self, track: &Track, interview: &Interview) -> bool {
        let is_new = |known: &&Track| !self.entries.contains_key(&known.track_id) && known.track_id != track.track_id;
        let n_others = interview.tracks().filter(is_new).count();
        let n_tracks = self.entries.len() + usize::from(!self.entries.contains_key(&track.track_id)) + n_others;
        if n_tracks > MAX_TRACKS || self.n_announcements >= MAX_ANNOUNCEMENTS {
            return false;
        }
        if !self.admit_participant(&track.participant_id, interview) {
            return false;
        }
        self.n_announcements += 1;
        true
    }

    /// Notes a participant; `false`, and nothing noted, when there are too many.
    pub(super) fn admit_participant(&mut self, participant_id: &ParticipantId, interview: &Interview) -> bool {
        let mut all: HashSet<&ParticipantId> = interview.participant_ids().chain(&self.participants).collect();
        all.insert(participant_id);
        let fits = all.len() <= MAX_PARTICIPANTS;
        if fits {
            self.participants.insert(participant_id.clone());
        }
        fits
    }

    /// Lets go of the tracks of a stream that is over.
    pub(super) fn release(&mut self, stream: StreamId) {
        for entry in self.entries.values_mut() {
            if entry.owner.as_ref().is_some_and(|owner| owner.stream == stream) {
                entry.owner = None;
            }
        }
    }
}

impl TrackEntry {
    /// A track that nobody sent anything on since this server knows it.
    pub(super) fn new(queue: Arc<TrackQueue>, owner: Owner, last_sequence: Option<u64>) -> Self {
        Self {
            queue,
            owner: Some(owner),
            last_sequence,
            accepted_before: None,
            wants_ack: false,
            is_removed: false,
            n_removals: 0,
        }
    }

    /// Whether that stream feeds the track.
    pub(super) fn is_owned_by(&self, stream: StreamId) -> bool {
        self.owner.as_ref().is_some_and(|owner| owner.stream == stream)
    }

    /// Gives the track to another stream, and ends the one before.
    pub(super) fn hand_over(&mut self, owner: Owner) {
        if let Some(before) = self.owner.replace(owner) {
            before.is_over.store(true, Ordering::Release);
        }
        self.accepted_before = self.last_sequence;
    }

    /// Begins the track anew after it was removed.
    pub(super) fn begin_anew(&mut self, owner: Owner) {
        self.owner = Some(owner);
        (self.is_removed, self.last_sequence, self.accepted_before) = (false, None, None);
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
