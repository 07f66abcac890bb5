mod killed;
mod reported;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use jiff::Timestamp;

use super::testing::shot;
use super::{Evidence, EvidenceOptions, SessionStills, StillKeeper, StillPart, Swept};
use crate::audit::{Action, Actor, Event, Outcome};
use crate::error::{ErrorKind, Kinded as _};
use crate::keys::{KeyFile, SealingKeys, SigningKey};
use crate::service::ports::{
    Clock, DataKeyStore, ReviewStore, ReviewSummary, SessionCommit, SessionRecord, SessionStore, StillRow,
};
use crate::service::{Caller, KeyRotation, Permission, Rewrapped, SessionKeys, command_line};
use crate::session::{
    EvidenceMode, GapCause, ParticipantId, Segment, SegmentState, SessionId, SessionName, StillPick, StillSubject,
    TenantId,
};
use crate::store::{AuditReader, EvidenceFolder, SqlStore, StoreOptions};

/// A clock that tests move.
#[derive(Default)]
struct TestClock(AtomicI64);

impl Clock for TestClock {
    fn now(&self) -> Timestamp {
        Timestamp::new(1_790_000_000 + self.0.load(Ordering::SeqCst), 0).expect("in range")
    }
    fn monotonic(&self) -> Duration {
        Duration::from_secs(self.0.load(Ordering::SeqCst).unsigned_abs())
    }
}

struct Bench {
    evidence: Evidence,
    store: Arc<SqlStore>,
    clock: Arc<TestClock>,
    keys: Arc<SealingKeys>,
    folder: tempfile::TempDir,
}

impl Bench {
    async fn start() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let store = open_store(folder.path()).await;
        let (clock, keys) = (Arc::new(TestClock::default()), Arc::new(SealingKeys::generate()));
        let evidence = evidence(&store, folder.path(), &keys, &clock);
        evidence.claim().await.expect("a folder of its own");
        Self { evidence, store, clock, keys, folder }
    }

    fn stills_folder(&self) -> PathBuf {
        self.folder.path().join("evidence")
    }

    async fn create(&self, id: &str, mode: EvidenceMode) -> SessionName {
        let name = named(id);
        let record = record(&name, mode, self.clock.now());
        self.store.create(record, None, said(Action::SessionCreate)).await.expect("creates");
        name
    }

    /// Keeps a still and commits its row.
    async fn keep(&self, name: &SessionName, seed: u32, shows: StillSubject) -> StillRow {
        let (keeper, _desk) = self.evidence.begin(name).await.expect("begins");
        let row = keeper.keep(&pick(&keeper, seed, shows)).await.expect("keeps");
        let len = self.store.get(name).await.expect("is there").journal_len;
        self.store.commit(step(name, len, vec![row.clone()])).await.expect("commits");
        row
    }

    async fn list(&self, id: &str) -> SessionStills {
        self.evidence.list(&caller(), &SessionId::new(id).expect("valid")).await.expect("lists")
    }

    async fn open(&self, id: &str, ordinal: u32, part: StillPart) -> Result<bytes::Bytes, ErrorKind> {
        let id = SessionId::new(id).expect("valid");
        self.evidence.open(&caller(), &id, ordinal, part).await.map_err(|error| error.kind())
    }

    /// The entries of the audit log, oldest first.
    async fn log(&self) -> Vec<Event> {
        let reader = AuditReader::open(&store_options(self.folder.path())).expect("opens");
        reader.page(0, 1_000).await.expect("reads").into_iter().map(|(_, event)| event).collect()
    }

    /// Files of stills, without the marker.
    fn files(&self) -> Vec<PathBuf> {
        files(&self.stills_folder())
    }
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let shelves = std::fs::read_dir(folder).expect("is there").map(|entry| entry.expect("is there").path());
    let files = shelves.filter(|path| path.is_dir()).flat_map(|shelf| std::fs::read_dir(shelf).expect("is there"));
    files.map(|entry| entry.expect("is there").path()).collect()
}

fn store_options(folder: &Path) -> StoreOptions {
    StoreOptions { database: folder.join("test.sqlite"), ..StoreOptions::default() }
}

async fn open_store(folder: &Path) -> Arc<SqlStore> {
    let key = Arc::new(SigningKey::from_seed([1; 32]));
    SqlStore::open(&store_options(folder), key, &[]).await.expect("opens")
}

fn evidence(store: &Arc<SqlStore>, folder: &Path, keys: &Arc<SealingKeys>, clock: &Arc<TestClock>) -> Evidence {
    let files = Arc::new(EvidenceFolder::new(&folder.join("evidence")));
    let keys = SessionKeys::new(Arc::clone(store) as _, Arc::clone(keys));
    Evidence::new(Arc::clone(store) as _, files, keys, Arc::clone(clock) as _, EvidenceOptions::default())
}

fn named(id: &str) -> SessionName {
    SessionName { tenant: TenantId::default(), id: SessionId::new(id).expect("valid") }
}

fn caller() -> Caller {
    Caller { tenant: TenantId::default(), actor: Actor::system("test"), permissions: [Permission::ReadSessions].into() }
}

fn said(action: Action) -> Event {
    let time = "2026-11-23T01:02:03Z".parse().expect("a time");
    Event::done(time, "default", Actor::system("test"), action, "sessions/abcd-1".to_owned())
}

fn candidate() -> ParticipantId {
    ParticipantId::new("candidate").expect("valid")
}

fn record(name: &SessionName, evidence: EvidenceMode, create_time: Timestamp) -> SessionRecord {
    SessionRecord {
        name: name.clone(),
        display_name: String::new(),
        external_ref: String::new(),
        candidate: None,
        consent_reference: "consents/1".to_owned(),
        evidence,
        labels: std::collections::BTreeMap::new(),
        policy: "default@1".to_owned(),
        create_time,
        end_time: None,
        expire_time: None,
        revision: 1,
        resume_secret: "00112233445566778899aabbccddeeff".to_owned(),
        journal_len: 0,
        review: ReviewSummary::default(),
        participants: Vec::new(),
    }
}

fn step(name: &SessionName, expected_journal_len: u64, stills: Vec<StillRow>) -> SessionCommit {
    SessionCommit {
        name: name.clone(),
        expected_journal_len,
        journal: Vec::new(),
        scores: Vec::new(),
        segments: Vec::new(),
        stills,
        still_gaps: Vec::new(),
        end_time: None,
        audit: Vec::new(),
    }
}

fn segment(ordinal: u32, state: SegmentState) -> Segment {
    Segment {
        ordinal,
        participant_id: candidate(),
        start: crate::media::MediaTime::ZERO,
        end: crate::media::MediaTime::from_millis(500),
        level: crate::scoring::Level::Alert,
        state,
        signals: Vec::new(),
    }
}

fn pick(keeper: &StillKeeper, seed: u32, shows: StillSubject) -> StillPick<super::HeldShot> {
    let shot = keeper.hold(shot(seed)).expect("there is room");
    StillPick { participant_id: candidate(), shows, shot }
}

#[tokio::test]
async fn what_was_kept_is_listed_and_opened_and_that_stands_in_the_log() {
    let bench = Bench::start().await;
    let name = bench.create("abcd-1", EvidenceMode::Stills).await;
    bench.keep(&name, 1, StillSubject::Enrolment).await;
    bench.keep(&name, 2, StillSubject::Segment(1)).await;
    let listed = bench.list("abcd-1").await;
    assert_eq!(
        listed.stills.iter().map(|still| still.shows).collect::<Vec<_>>(),
        [StillSubject::Enrolment, StillSubject::Segment(1)]
    );
    let (view, kept) = (&listed.stills[1], shot(2));
    assert_eq!((view.ordinal, view.media_time, &view.facts), (2, kept.look.at, &kept.facts));
    assert_eq!((view.frame.width_px, view.frame.sha256), (48, kept.frame.sha256));
    assert_eq!(bench.open("abcd-1", 2, StillPart::Frame).await, Ok(kept.frame.jpeg));
    assert_eq!(bench.open("abcd-1", 2, StillPart::Chip).await, Ok(kept.chip.expect("has one").jpeg));
    let log = bench.log().await;
    let looks: Vec<_> = log.iter().filter(|event| event.action == Action::EvidenceView).collect();
    assert_eq!(looks.len(), 2, "listing opens no picture");
    assert_eq!((looks[0].object.as_str(), looks[0].details["part"].as_str()), ("sessions/abcd-1/stills/2", "frame"));
    assert_eq!(bench.files().len(), 2);
}

#[tokio::test]
async fn who_may_not_see_sessions_sees_no_still_and_that_is_written_down() {
    let bench = Bench::start().await;
    let name = bench.create("abcd-1", EvidenceMode::Stills).await;
    bench.keep(&name, 1, StillSubject::Enrolment).await;
    let nobody = Caller { permissions: [Permission::Accounts].into(), ..caller() };
    let stranger = Caller { tenant: TenantId::new("other").expect("valid"), ..caller() };
    let before = bench.log().await.len();
    for (caller, kind) in [(nobody, ErrorKind::PermissionDenied), (stranger, ErrorKind::NotFound)] {
        let listed = bench.evidence.list(&caller, &name.id).await.expect_err("is refused");
        let opened = bench.evidence.open(&caller, &name.id, 1, StillPart::Frame).await.expect_err("is refused");
        assert_eq!((listed.kind(), opened.kind()), (kind, kind));
    }
    let log = bench.log().await;
    let denied: Vec<_> = log[before..].iter().map(|event| (event.action, event.outcome)).collect();
    assert_eq!(denied, [(Action::SessionView, Outcome::Denied), (Action::EvidenceView, Outcome::Denied)]);
    assert_eq!(bench.open("abcd-1", 7, StillPart::Frame).await, Err(ErrorKind::NotFound));
}

#[tokio::test]
async fn whatever_is_changed_lost_or_swapped_is_data_loss() {
    let bench = Bench::start().await;
    let name = bench.create("abcd-1", EvidenceMode::Stills).await;
    bench.keep(&name, 1, StillSubject::Enrolment).await;
    bench.keep(&name, 2, StillSubject::Segment(1)).await;
    let files = bench.files();
    let [first, second] = [0, 1].map(|at| std::fs::read(&files[at]).expect("reads"));
    let both = async || {
        let outcomes =
            [bench.open("abcd-1", 1, StillPart::Frame).await, bench.open("abcd-1", 2, StillPart::Chip).await];
        outcomes.map(Result::err)
    };
    assert_eq!(both().await, [None, None]);
    std::fs::write(&files[0], &second).expect("swaps");
    std::fs::write(&files[1], &first).expect("swaps");
    assert_eq!(both().await, [Some(ErrorKind::DataLoss); 2]);
    std::fs::write(&files[0], &first[..first.len() - 1]).expect("cuts");
    std::fs::remove_file(&files[1]).expect("removes");
    assert_eq!(both().await, [Some(ErrorKind::DataLoss); 2]);
    std::fs::write(&files[0], &first).expect("puts back");
    std::fs::write(&files[1], &second).expect("puts back");
    assert_eq!(both().await, [None, None]);
}

#[tokio::test]
async fn a_row_that_names_another_stills_file_opens_nothing() {
    let bench = Bench::start().await;
    let (one, two) =
        (bench.create("abcd-1", EvidenceMode::Stills).await, bench.create("abcd-2", EvidenceMode::Stills).await);
    let foreign = bench.keep(&two, 2, StillSubject::Enrolment).await;
    bench.keep(&one, 1, StillSubject::Enrolment).await;
    // As somebody would who writes to the database: the foreign row whole, and its file under a row of our own.
    let whole = StillRow { file: crate::service::ports::FileDigest([7; 32]), ..foreign.clone() };
    bench.store.commit(step(&one, 0, vec![whole])).await.expect("commits");
    let listed = bench.list("abcd-1").await;
    assert_eq!(listed.stills.len(), 1, "the foreign one does not open");
    assert_eq!(bench.open("abcd-1", 2, StillPart::Frame).await, Err(ErrorKind::DataLoss));
}

#[tokio::test]
async fn without_the_master_key_nothing_opens_and_the_gap_says_so() {
    let bench = Bench::start().await;
    let name = bench.create("abcd-1", EvidenceMode::Stills).await;
    let segments = vec![segment(1, SegmentState::Closed)];
    bench.store.commit(SessionCommit { segments, ..step(&name, 0, Vec::new()) }).await.expect("commits");
    bench.keep(&name, 1, StillSubject::Segment(1)).await;
    let lost = evidence(&bench.store, bench.folder.path(), &Arc::new(SealingKeys::generate()), &bench.clock);
    let listed = lost.list(&caller(), &name.id).await.expect("lists");
    assert!(listed.stills.is_empty());
    assert_eq!(listed.gaps.iter().map(|gap| gap.cause).collect::<Vec<_>>(), [GapCause::Broken]);
    let error = lost.open(&caller(), &name.id, 1, StillPart::Frame).await.expect_err("is lost");
    assert_eq!(error.kind(), ErrorKind::DataLoss);
}

#[tokio::test]
async fn what_has_no_still_says_why() {
    let bench = Bench::start().await;
    let name = bench.create("abcd-1", EvidenceMode::Stills).await;
    let segments = vec![
        segment(1, SegmentState::Closed),
        segment(2, SegmentState::Closed),
        segment(3, SegmentState::Open),
        segment(4, SegmentState::Closed),
    ];
    let told = crate::session::StillGap {
        participant_id: candidate(),
        shows: StillSubject::Segment(2),
        cause: GapCause::NotKept,
    };
    let commit = SessionCommit { segments: segments.clone(), still_gaps: vec![told], ..step(&name, 0, Vec::new()) };
    bench.store.commit(commit).await.expect("commits");
    bench.keep(&name, 4, StillSubject::Segment(4)).await;
    let causes = |listed: SessionStills| listed.gaps.into_iter().map(|gap| (gap.shows, gap.cause)).collect::<Vec<_>>();
    assert_eq!(
        causes(bench.list("abcd-1").await),
        [(StillSubject::Segment(1), GapCause::NoPicture), (StillSubject::Segment(2), GapCause::NotKept),]
    );
    let none = bench.create("abcd-2", EvidenceMode::NoImages).await;
    bench.store.commit(SessionCommit { segments, ..step(&none, 0, Vec::new()) }).await.expect("commits");
    let listed = bench.list("abcd-2").await;
    assert_eq!(listed.mode, EvidenceMode::NoImages);
    assert!(listed.gaps.len() == 4 && listed.gaps.iter().all(|gap| gap.cause == GapCause::NoImages));
}

#[tokio::test]
async fn a_still_that_cannot_be_written_is_told_and_the_next_one_is_kept() {
    let bench = Bench::start().await;
    let name = bench.create("abcd-1", EvidenceMode::Stills).await;
    let (keeper, _desk) = bench.evidence.begin(&name).await.expect("begins");
    let away = bench.folder.path().join("away");
    std::fs::rename(bench.stills_folder(), &away).expect("moves");
    let error = keeper.keep(&pick(&keeper, 1, StillSubject::Enrolment)).await.expect_err("there is no folder");
    assert_eq!(error.kind(), ErrorKind::Unavailable);
    std::fs::rename(&away, bench.stills_folder()).expect("moves back");
    keeper.keep(&pick(&keeper, 2, StillSubject::Enrolment)).await.expect("keeps");
}

#[tokio::test]
async fn what_all_sessions_hold_is_bounded() {
    let bench = Bench::start().await;
    let name = bench.create("abcd-1", EvidenceMode::Stills).await;
    let options = EvidenceOptions { max_held_bytes: shot(1).look.n_bytes + 1, ..EvidenceOptions::default() };
    let keys = SessionKeys::new(Arc::clone(&bench.store) as _, Arc::clone(&bench.keys));
    let files = Arc::new(EvidenceFolder::new(&bench.stills_folder()));
    let tight = Evidence::new(Arc::clone(&bench.store) as _, files, keys, Arc::clone(&bench.clock) as _, options);
    let (keeper, _desk) = tight.begin(&name).await.expect("begins");
    let held = [keeper.hold(shot(1)).expect("fits"), keeper.hold(shot(2)).expect("was under way")];
    assert!(keeper.hold(shot(3)).is_none() && !keeper.has_room());
    drop(held);
    assert!(keeper.has_room());
}

#[tokio::test]
async fn stills_go_with_their_time_and_their_key_with_them() {
    let bench = Bench::start().await;
    let name = bench.create("abcd-1", EvidenceMode::Stills).await;
    let held = bench.create("abcd-2", EvidenceMode::Stills).await;
    let row = bench.keep(&name, 1, StillSubject::Enrolment).await;
    bench.keep(&held, 2, StillSubject::Enrolment).await;
    bench.store.hold(&held, true, said(Action::SessionHold)).await.expect("holds");
    assert_eq!(bench.evidence.sweep().await.expect("sweeps"), Swept::default());
    bench.clock.0.fetch_add(31 * 86_400, Ordering::SeqCst);
    let swept = bench.evidence.sweep().await.expect("sweeps");
    assert_eq!(swept, Swept { expired_sessions: 1, files: 1 });
    assert!(bench.list("abcd-1").await.stills.is_empty());
    assert_eq!(bench.list("abcd-2").await.stills.len(), 1, "a held session keeps them");
    assert_eq!(bench.files().len(), 1);
    // The session's key is still there, and opens nothing of a copy of that file: its own key went with its row.
    bench.store.close().await;
    let left = std::fs::read(bench.folder.path().join("test.sqlite")).expect("reads");
    assert!(!left.windows(row.key.len()).any(|window| window == row.key));
    let log = bench.log().await;
    let told = log.iter().find(|event| event.action == Action::EvidenceExpire).expect("is told");
    assert_eq!((told.object.as_str(), told.details["stills"].as_str()), ("sessions/abcd-1", "1"));
}

#[tokio::test]
async fn files_that_no_row_names_are_removed_once_they_are_old() {
    let bench = Bench::start().await;
    let name = bench.create("abcd-1", EvidenceMode::Stills).await;
    bench.keep(&name, 1, StillSubject::Enrolment).await;
    let (keeper, _desk) = bench.evidence.begin(&name).await.expect("begins");
    keeper.keep(&pick(&keeper, 2, StillSubject::Enrolment)).await.expect("keeps, and crashes before the step");
    assert_eq!(bench.files().len(), 2);
    assert_eq!(bench.evidence.remove_orphans().await.expect("looks"), 0, "a commit may be under way");
    let removed = bench.evidence.remove_orphans_older_than(Duration::ZERO).await.expect("removes");
    assert_eq!((removed, bench.files().len()), (1, 1));
    assert!(bench.open("abcd-1", 1, StillPart::Frame).await.is_ok());
}

#[tokio::test]
async fn nothing_of_a_deleted_session_can_be_read_back() {
    let bench = Bench::start().await;
    let name = bench.create("abcd-1", EvidenceMode::Stills).await;
    let other = bench.create("abcd-2", EvidenceMode::Stills).await;
    let mut secrets: Vec<Vec<u8>> = Vec::new();
    for seed in 1..=3 {
        let row = bench.keep(&name, seed, StillSubject::Enrolment).await;
        let sealed = bench.files().into_iter().map(|path| std::fs::read(path).expect("reads"));
        secrets.extend(sealed.map(|bytes| bytes[..64].to_vec()));
        let shot = shot(seed);
        secrets.extend([shot.frame.jpeg[..64].to_vec(), shot.chip.expect("has one").jpeg[..64].to_vec()]);
        secrets.extend([row.key, row.facts[..64].to_vec(), row.file.to_string().into_bytes()]);
    }
    bench.keep(&other, 9, StillSubject::Enrolment).await;
    let anywhere = |wanted: &[u8]| {
        let top = std::fs::read_dir(bench.folder.path()).expect("is there");
        let top = top.map(|entry| entry.expect("is there").path()).filter(|path| path.is_file());
        top.chain(bench.files())
            .any(|path| std::fs::read(path).expect("reads").windows(wanted.len()).any(|window| window == wanted))
    };
    assert!(secrets.iter().any(|secret| anywhere(secret)), "sealed they are there");
    bench.store.delete(&name, None, said(Action::SessionDelete)).await.expect("deletes");
    assert_eq!(bench.evidence.purge().await.expect("removes"), 3);
    for (number, secret) in secrets.iter().enumerate() {
        assert!(!anywhere(secret), "secret {number} is still there");
    }
    assert_eq!(bench.files().len(), 1, "the other session's is untouched");
    let log = bench.log().await;
    let tombstone = log.iter().find(|event| event.action == Action::SessionDelete).expect("is told");
    assert_eq!((tombstone.details["stills"].as_str(), tombstone.details["data_key"].as_str()), ("3", "destroyed"));
    assert_eq!(tombstone.details["stills_sha256"].len(), 64);
}

#[tokio::test]
async fn a_new_sealing_key_takes_over_while_a_server_goes_on() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("keys.toml");
    let clock = Arc::new(TestClock::default());
    let first = KeyFile::create(&path, clock.now()).expect("makes");
    let store = open_store(folder.path()).await;
    let files = Arc::new(EvidenceFolder::new(&folder.path().join("evidence")));
    let keys = SessionKeys::new(Arc::clone(&store) as _, first.sealing_keys());
    let evidence =
        Evidence::new(Arc::clone(&store) as _, files, keys, Arc::clone(&clock) as _, EvidenceOptions::default());
    evidence.claim().await.expect("a folder of its own");
    let bench = Bench { evidence, store, clock, keys: first.sealing_keys(), folder };
    let name = bench.create("abcd-1", EvidenceMode::Stills).await;
    bench.keep(&name, 1, StillSubject::Enrolment).await;
    let old = bench.store.data_key(&name).await.expect("reads").expect("has one");

    let second = KeyFile::rotate_sealing_key(&path, bench.clock.now()).expect("rotates");
    let clock: Arc<dyn Clock> = Arc::clone(&bench.clock) as _;
    let rotation = KeyRotation::new(Arc::clone(&bench.store) as _, second.sealing_keys(), clock);
    let operator = command_line(TenantId::default());
    assert_eq!(rotation.run(&operator).await.expect("wraps"), Rewrapped { wrapped: 1, lost: 0 });
    assert_eq!(rotation.run(&operator).await.expect("wraps"), Rewrapped::default(), "there is nothing left to do");
    let new = bench.store.data_key(&name).await.expect("reads").expect("has one");
    assert_eq!(new.key_id, second.sealing_keys().key_id());
    assert!(bench.open("abcd-1", 1, StillPart::Frame).await.is_ok(), "the server reads the key file again");
    let log = bench.log().await;
    let told = log.iter().find(|event| event.action == Action::KeysRotate).expect("is told");
    assert_eq!((told.details["keys"].as_str(), told.details["sealing_key"].as_str()), ("1", new.key_id.as_str()));
    bench.store.close().await;
    for file in std::fs::read_dir(bench.folder.path()).expect("is there").map(|entry| entry.expect("is there").path()) {
        let bytes = if file.is_file() { std::fs::read(file).expect("reads") } else { Vec::new() };
        assert!(!bytes.windows(old.bytes.len()).any(|window| window == old.bytes), "the old one is erased");
    }
    let lost = KeyRotation::new(
        Arc::clone(&open_store(bench.folder.path()).await) as _,
        Arc::new(SealingKeys::generate()),
        Arc::clone(&bench.clock) as _,
    );
    assert_eq!(lost.run(&operator).await.expect("goes on"), Rewrapped { wrapped: 0, lost: 1 });
}
