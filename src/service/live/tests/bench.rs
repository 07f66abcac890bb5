//! A whole service on one temporary database.

use std::sync::atomic::{AtomicU8, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use bytes::Bytes;
use jiff::Timestamp;
use tokio::sync::mpsc;

use crate::audit::{Actor, Event};
use crate::inference::Manifest;
use crate::inference::testing::{Gate, silent_executor};
use crate::keys::SigningKey;
use crate::media::{ColorRange, MediaLimits, MediaTime, PixelLayout, Rotation, VideoFormat, VideoSample};
use crate::scoring::Policy;
use crate::service::ports::{
    AuditLog, Clock, Page, ScorePoint, SessionCommit, SessionPatch, SessionQuery, SessionRecord, SessionStore,
    StoreError,
};
use crate::service::{
    Acknowledgement, Caller, Interviews, LiveEvent, NewSession, OpenStream, Permission, Pipeline, ServiceError,
    ServiceOptions, StreamCommand, StreamOptions,
};
use crate::session::{
    JournalEntry, ParticipantId, Segment, SessionId, SessionName, SourceKind, TenantId, Track, TrackId,
};
use crate::store::{SqlStore, StoreOptions};

/// How long anything in these tests may take.
pub(super) const PATIENCE: Duration = Duration::from_secs(20);
const WIDTH: u32 = 32;
const HEIGHT: u32 = 24;

/// A store that does what the test says.
pub(super) struct MoodyStore {
    inner: Arc<SqlStore>,
    mood: AtomicU8,
    pub(super) n_commits: Mutex<u64>,
}

/// How the store takes a commit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(super) enum Mood {
    Healthy,
    Failing,
    Panicking,
    /// The step is stored, and then the answer is lost.
    Forgetful,
}

impl MoodyStore {
    pub(super) fn set_mood(&self, mood: Mood) {
        self.mood.store(mood as u8, Ordering::SeqCst);
    }

    fn is(&self, mood: Mood) -> bool {
        self.mood.load(Ordering::SeqCst) == mood as u8
    }
}

fn failure() -> StoreError {
    StoreError::Backend { doing: "testing", source: "as the test wants".into() }
}

#[async_trait::async_trait]
impl AuditLog for MoodyStore {
    async fn append(&self, entry: Event) -> Result<(), StoreError> {
        self.inner.append(entry).await
    }
}

#[async_trait::async_trait]
impl SessionStore for MoodyStore {
    async fn create(
        &self,
        record: SessionRecord,
        request_id: Option<String>,
        audit: Event,
    ) -> Result<SessionRecord, StoreError> {
        self.inner.create(record, request_id, audit).await
    }
    async fn get(&self, name: &SessionName) -> Result<SessionRecord, StoreError> {
        self.inner.get(name).await
    }
    async fn list(&self, tenant: &TenantId, query: &SessionQuery) -> Result<Page<SessionRecord>, StoreError> {
        self.inner.list(tenant, query).await
    }
    async fn update(
        &self,
        name: &SessionName,
        patch: SessionPatch,
        expected_revision: Option<u64>,
        audit: Event,
    ) -> Result<SessionRecord, StoreError> {
        self.inner.update(name, patch, expected_revision, audit).await
    }
    async fn delete(&self, name: &SessionName, expected_revision: Option<u64>, audit: Event) -> Result<(), StoreError> {
        self.inner.delete(name, expected_revision, audit).await
    }
    async fn commit(&self, commit: SessionCommit) -> Result<(), StoreError> {
        *self.n_commits.lock().expect("no panic under the lock") += 1;
        assert!(!self.is(Mood::Panicking), "as the test wants");
        if self.is(Mood::Failing) {
            return Err(failure());
        }
        self.inner.commit(commit).await?;
        if self.is(Mood::Forgetful) { Err(failure()) } else { Ok(()) }
    }
    async fn journal(&self, name: &SessionName) -> Result<Vec<JournalEntry>, StoreError> {
        self.inner.journal(name).await
    }
    async fn segments(&self, name: &SessionName, size: u32, token: Option<&str>) -> Result<Page<Segment>, StoreError> {
        self.inner.segments(name, size, token).await
    }
    async fn score_points(
        &self,
        name: &SessionName,
        participant: &ParticipantId,
        limit: u32,
    ) -> Result<Vec<ScorePoint>, StoreError> {
        self.inner.score_points(name, participant, limit).await
    }
    async fn delete_expired(&self, now: Timestamp, limit: u32) -> Result<u64, StoreError> {
        self.inner.delete_expired(now, limit).await
    }
    async fn ping(&self) -> Result<(), StoreError> {
        self.inner.ping().await
    }
}

struct SystemTime(Instant);

impl Clock for SystemTime {
    fn now(&self) -> Timestamp {
        Timestamp::now()
    }
    fn monotonic(&self) -> Duration {
        self.0.elapsed()
    }
}

/// A running service.
pub(super) struct Bench {
    pub(super) interviews: Interviews,
    pub(super) store: Arc<MoodyStore>,
    pub(super) gate: Arc<Gate>,
    _folder: tempfile::TempDir,
}

impl Drop for Bench {
    fn drop(&mut self) {
        // Threads that wait at the gate would hold the runtime up.
        self.gate.set_closed(false);
    }
}

impl Bench {
    pub(super) async fn start() -> Self {
        Self::start_with(|_| {}).await
    }

    pub(super) async fn start_with(change: impl FnOnce(&mut ServiceOptions)) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let options = StoreOptions { database: folder.path().join("test.sqlite"), ..StoreOptions::default() };
        let inner = SqlStore::open(&options, Arc::new(SigningKey::from_seed([1; 32])), &[]).await.expect("opens");
        let store = Arc::new(MoodyStore { inner, mood: AtomicU8::new(Mood::Healthy as u8), n_commits: Mutex::new(0) });
        let gate = Arc::new(Gate::default());
        let mut options = ServiceOptions { commit_interval_millis: 5, ..ServiceOptions::default() };
        change(&mut options);
        let interviews = service(&store, &gate, options);
        Self { interviews, store, gate, _folder: folder }
    }

    /// Another process on the same database, as after a crash of this one.
    pub(super) fn another(&self) -> Interviews {
        service(&self.store, &self.gate, ServiceOptions { commit_interval_millis: 5, ..ServiceOptions::default() })
    }

    /// Opens a stream that creates its session when it is missing.
    pub(super) async fn open(&self, session: &str, tracks: &[&str], token: Option<&str>) -> OpenStream {
        self.try_open(session, tracks, token).await.expect("accepted")
    }

    pub(super) async fn try_open(
        &self,
        session: &str,
        tracks: &[&str],
        token: Option<&str>,
    ) -> Result<OpenStream, ServiceError> {
        self.interviews.open_stream(&caller(), options(session, tracks, token)).await
    }

    /// Sequences in the stored journal of a track, frames and what was accounted for otherwise, in order.
    pub(super) async fn stored_sequences(&self, session: &str, track: &str) -> Vec<u64> {
        let journal = self.store.journal(&name(session)).await.expect("reads");
        let of_track = |entry: JournalEntry| match entry {
            JournalEntry::Frame { track_id, observation } if track_id.as_str() == track => Some(observation.sequence),
            JournalEntry::Accounted { track_id, sequence } if track_id.as_str() == track => Some(sequence),
            _ => None,
        };
        journal.into_iter().filter_map(of_track).collect()
    }

    /// Waits until nothing waits for analysis in a live session.
    pub(super) async fn wait_until_analysed(&self, session: &str) {
        let shared = self.interviews.services.sessions.get(&name(session)).expect("live").shared;
        let is_empty = || shared.tracks().entries.values().all(|entry| entry.queue.is_empty());
        wait_for("the queues to empty", is_empty).await;
    }

    /// Waits until no session is live.
    pub(super) async fn wait_until_empty(&self) {
        wait_for("all sessions to leave", || self.interviews.n_live_sessions() == 0).await;
    }
}

fn service(store: &Arc<MoodyStore>, gate: &Arc<Gate>, options: ServiceOptions) -> Interviews {
    let manifest = Manifest::bundled().expect("the shipped manifest");
    let policy = Policy::shipped();
    let executor = silent_executor(&manifest, gate);
    let pipeline =
        Pipeline::new(executor, &manifest, MediaLimits::default(), policy.sampling).expect("a model for every task");
    let (store, clock) = (Arc::clone(store) as Arc<dyn SessionStore>, Arc::new(SystemTime(Instant::now())));
    Interviews::start(store, clock, pipeline, Arc::new(policy), options).expect("threads start")
}

/// Waits for something that no event tells.
pub(super) async fn wait_for(what: &str, is_so: impl Fn() -> bool) {
    let deadline = Instant::now() + PATIENCE;
    while !is_so() {
        assert!(Instant::now() < deadline, "waited too long for {what}");
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
}

pub(super) fn id(session: &str) -> SessionId {
    SessionId::new(session).expect("valid")
}

/// The full name of a session of [`caller`].
pub(super) fn name(session: &str) -> SessionName {
    caller().session(&id(session))
}

/// Who may do everything with sessions.
pub(super) fn caller() -> Caller {
    Caller {
        tenant: TenantId::default(),
        actor: Actor::system("test"),
        permissions: [Permission::ReadSessions, Permission::WriteSessions, Permission::DeleteSessions].into(),
    }
}

pub(super) fn track_id(track: &str) -> TrackId {
    TrackId::new(track).expect("valid")
}

/// A camera whose participant has the same id.
pub(super) fn camera(track: &str) -> Track {
    Track {
        track_id: track_id(track),
        participant_id: ParticipantId::new(track).expect("valid"),
        kind: SourceKind::Camera,
        device: None,
    }
}

pub(super) fn options(session: &str, tracks: &[&str], token: Option<&str>) -> StreamOptions {
    StreamOptions {
        session_id: id(session),
        create: Some(NewSession { consent_reference: "consents/1".to_owned(), ..NewSession::default() }),
        tracks: tracks.iter().map(|track| (camera(track), None)).collect(),
        policy: String::new(),
        resume_token: token.map(str::to_owned),
        score_interval: None,
        references: Vec::new(),
    }
}

/// A small picture, 100 ms after the one before.
pub(super) fn picture(track: &str, sequence: u64) -> StreamCommand {
    let millis = i64::try_from(sequence).unwrap_or(0).saturating_mul(100);
    picture_at(track, sequence, MediaTime::from_millis(millis))
}

pub(super) fn picture_at(track: &str, sequence: u64, media_time: MediaTime) -> StreamCommand {
    let shade = u8::try_from(sequence % 200).expect("small");
    let sample = VideoSample {
        sequence,
        media_time,
        format: Some(VideoFormat::Rgb24),
        layout: Some(PixelLayout {
            width: WIDTH,
            height: HEIGHT,
            plane_strides: Vec::new(),
            color_range: ColorRange::Full,
        }),
        rotation: Rotation::None,
        keyframe: false,
        data: Bytes::from(vec![shade; (WIDTH * HEIGHT * 3) as usize]),
    };
    StreamCommand::Video { track_id: track_id(track), sample }
}

/// A sample that is no picture.
pub(super) fn garbage(track: &str, sequence: u64) -> StreamCommand {
    let StreamCommand::Video { track_id, sample } = picture(track, sequence) else { unreachable!("made above") };
    let sample = VideoSample { data: Bytes::from_static(b"no picture"), format: None, layout: None, ..sample };
    StreamCommand::Video { track_id, sample }
}

/// The next event within the patience; `None` at the end.
pub(super) async fn next(events: &mut mpsc::Receiver<LiveEvent>) -> Option<LiveEvent> {
    tokio::time::timeout(PATIENCE, events.recv()).await.expect("an event in time")
}

/// Reads until the track is acknowledged up to `sequence`.
pub(super) async fn until_acked(events: &mut mpsc::Receiver<LiveEvent>, track: &str, sequence: u64) -> Acknowledgement {
    loop {
        match next(events).await {
            Some(LiveEvent::Ack(ack)) if ack.track_id.as_str() == track && ack.sequence >= sequence => return ack,
            Some(LiveEvent::Ended(cause)) => panic!("ended with {cause:?} before {track} {sequence} was acknowledged"),
            Some(_) => {}
            None => panic!("nothing more comes before {track} {sequence} was acknowledged"),
        }
    }
}

/// Reads to the end; the cause, and everything before it.
pub(super) async fn until_ended(
    events: &mut mpsc::Receiver<LiveEvent>,
) -> (Option<crate::service::EndCause>, Vec<LiveEvent>) {
    let mut before = Vec::new();
    loop {
        match next(events).await {
            Some(LiveEvent::Ended(cause)) => return (cause, before),
            Some(event) => before.push(event),
            None => panic!("the events ended without an end after {before:?}"),
        }
    }
}
