//! CPU time of one search among 200,000 templates through the use case: permission, the store's count of changes, the exact
//! scan, what is known of the hits, the audit log's row. And the first search, which reads and opens every template.
//!
//! Templates are references taken from made-up sessions, sealed as any other; directions are random.

mod support;

use std::sync::Arc;
use std::time::{Duration, Instant};

use bonafide::audit::{Action, Actor, ActorKind, Event};
use bonafide::identity::{ScenePolicy, SearchPolicy};
use bonafide::keys::{SealingKeys, SigningKey};
use bonafide::media::{MediaTime, PictureStats};
use bonafide::scoring::Policy;
use bonafide::service::ports::{Clock, ReferencePurpose, ReviewSummary, SessionCommit, SessionRecord, SessionStore};
use bonafide::service::{
    Caller, Identities, IdentityOptions, IdentityParts, NewReference, Permission, ReferenceSource, SearchRequest,
    SessionFace, Subject,
};
use bonafide::session::{
    CandidateId, EvidenceMode, JournalEntry, ParticipantId, SessionId, SourceKind, TenantId, Track, TrackId,
};
use bonafide::signals::{FaceObservation, FaceSearch, FrameObservation};
use bonafide::store::{SqlStore, StoreOptions};
use bonafide::vision::{BoxPx, Embedding, FaceQuality, FaceTrackId, HeadPose};
use criterion::{Criterion, criterion_group, criterion_main};
use futures_util::stream::{self, StreamExt as _};
use jiff::Timestamp;
use rand::rngs::StdRng;
use rand::{RngExt as _, SeedableRng as _};

use support::CpuTime;

/// Templates in a whole run; a run as a test has a hundredth.
const N_TEMPLATES: usize = 200_000;
/// References of one candidate.
const A_CANDIDATE: usize = 100;
/// Made-up people, each with a session.
const N_PEOPLE: usize = 100;
/// Enrolments at one time.
const AT_ONCE: usize = 200;
const DIMENSION: usize = 512;

struct SystemTime(Instant);

impl Clock for SystemTime {
    fn now(&self) -> Timestamp {
        Timestamp::now()
    }
    fn monotonic(&self) -> Duration {
        self.0.elapsed()
    }
}

fn caller() -> Caller {
    Caller {
        tenant: TenantId::default(),
        actor: Actor { kind: ActorKind::ApiKey, name: "bench".to_owned() },
        permissions: [Permission::Identity].into(),
    }
}

fn session_id(person: usize) -> SessionId {
    SessionId::new(&format!("session-{person}")).expect("a good id")
}

/// Ten seconds of somebody before a camera.
fn journal(random: &mut StdRng) -> Vec<JournalEntry> {
    let raw: Vec<f32> = (0..DIMENSION).map(|_| random.random_range(-1.0_f32..1.0)).collect();
    let embedding = Embedding::from_raw(&raw).expect("has a direction");
    let track_id = TrackId::new("camera").expect("a good id");
    let track = Track {
        track_id: track_id.clone(),
        participant_id: ParticipantId::new("candidate").expect("a good id"),
        kind: SourceKind::Camera,
        device: None,
    };
    let frame = |number: u32| {
        let face = FaceObservation {
            face_track: FaceTrackId(1),
            box_in_frame: BoxPx { left: 240.0, top: 120.0, right: 400.0, bottom: 280.0 },
            confidence: 0.99,
            pose: Some(HeadPose::default()),
            shape: None,
            quality: FaceQuality {
                face_height_px: 160.0,
                sharpness: 200.0,
                exposure: 0.5,
                clipped_ratio: 0.0,
                outside_ratio: 0.0,
                occlusion_ratio: 0.0,
            },
            embedding: Some(embedding.clone()),
            presentation: None,
            deepfake: None,
        };
        let media_time = MediaTime::from_millis(i64::from(number) * 1_000);
        let observation = FrameObservation {
            sequence: u64::from(number),
            media_time,
            arrival: media_time,
            missing_before: 0,
            shed_before: 0,
            picture: PictureStats {
                width_px: 640,
                height_px: 480,
                mean_luma: 0.5,
                luma_deviation: 0.2,
                change_levels: Some(2.0),
                average_hash: u64::from(number),
            },
            faces: FaceSearch::Run(vec![face]),
        };
        JournalEntry::Frame { track_id: track_id.clone(), observation }
    };
    std::iter::once(JournalEntry::TrackUpserted(track)).chain((0..10).map(frame)).collect()
}

async fn add_session(store: &SqlStore, person: usize, random: &mut StdRng) {
    let now = Timestamp::now();
    let name = caller().session(&session_id(person));
    let record = SessionRecord {
        name: name.clone(),
        display_name: String::new(),
        external_ref: String::new(),
        candidate: Some(CandidateId::new(&format!("person-{person}")).expect("a good id")),
        consent_reference: "consent/1".to_owned(),
        evidence: EvidenceMode::default(),
        labels: std::collections::BTreeMap::new(),
        policy: Policy::shipped().name(),
        create_time: now,
        end_time: None,
        expire_time: None,
        revision: 1,
        resume_secret: String::new(),
        journal_len: 0,
        review: ReviewSummary::default(),
        participants: Vec::new(),
    };
    let event = Event::done(now, "default", Actor::system("bench"), Action::SessionCreate, String::new());
    store.create(record, None, event).await.expect("creates");
    let commit = SessionCommit {
        name,
        expected_journal_len: 0,
        journal: journal(random),
        scores: Vec::new(),
        stills: Vec::new(),
        still_gaps: Vec::new(),
        segments: Vec::new(),
        end_time: Some(now),
        audit: Vec::new(),
    };
    store.commit(commit).await.expect("commits");
}

fn ledger(store: &Arc<SqlStore>, sealing: &Arc<SealingKeys>) -> Identities {
    let parts = IdentityParts {
        store: Arc::clone(store) as _,
        sessions: Arc::clone(store) as _,
        data_keys: Arc::clone(store) as _,
        sealing: Arc::clone(sealing),
        clock: Arc::new(SystemTime(Instant::now())),
        policy: Arc::new(Policy::shipped()),
        search: SearchPolicy::shipped(),
        scenes: ScenePolicy::shipped(),
    };
    let options = IdentityOptions { enabled: true, propose: false, ..IdentityOptions::default() };
    Identities::new(parts, options, None).expect("the shipped calibration")
}

async fn enroll(identities: &Identities, number: usize) {
    let new = NewReference {
        candidate: CandidateId::new(&format!("c-{}", number / A_CANDIDATE)).expect("a good id"),
        display_name: String::new(),
        purpose: ReferencePurpose::Interviewed,
        source: ReferenceSource::Session(SessionFace {
            // The last person is in nobody's reference, so that a search for them is one among strangers.
            session: session_id(number % (N_PEOPLE - 1)),
            participant: None,
            person: 0,
        }),
        consent_reference: String::new(),
        expire_time: None,
    };
    identities.enroll_reference(&caller(), new).await.expect("enrols");
}

fn search(criterion: &mut Criterion<CpuTime>) {
    let is_test = !std::env::args().any(|argument| argument == "--bench");
    let n_templates = if is_test { N_TEMPLATES / 100 } else { N_TEMPLATES };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    let folder = tempfile::tempdir().expect("a folder");
    let options = StoreOptions { database: folder.path().join("bench.sqlite"), ..StoreOptions::default() };
    let sealing = Arc::new(SealingKeys::generate());
    let (store, identities) = runtime.block_on(async {
        let store = SqlStore::open(&options, Arc::new(SigningKey::generate()), &[]).await.expect("opens");
        let mut random = StdRng::seed_from_u64(1);
        for person in 0..N_PEOPLE {
            add_session(&store, person, &mut random).await;
        }
        let identities = ledger(&store, &sealing);
        for person in 0..N_PEOPLE {
            let subject = Subject::session(session_id(person));
            identities.compare(&caller(), &subject, &subject).await.expect("makes its template");
        }
        stream::iter(0..n_templates).for_each_concurrent(AT_ONCE, |number| enroll(&identities, number)).await;
        (store, identities)
    });
    let stranger = Subject::session(session_id(N_PEOPLE - 1));
    let request = SearchRequest { subject: stranger, max_false_matches: None, max_hits: 20 };
    let mut group = criterion.benchmark_group(format!("use case, {n_templates} templates"));
    group.bench_function("search", |bencher| {
        bencher.iter(|| {
            let answer = runtime.block_on(identities.search(&caller(), &request)).expect("searches");
            assert!(answer.figures.n_searched >= n_templates && answer.hits.is_empty());
        });
    });
    group.sample_size(10).bench_function("first search", |bencher| {
        bencher.iter(|| {
            let identities = ledger(&store, &sealing);
            runtime.block_on(identities.search(&caller(), &request)).expect("searches")
        });
    });
    group.finish();
    runtime.block_on(store.close());
}

criterion_group! {
    name = benches;
    config = Criterion::default().with_measurement(CpuTime).sample_size(20);
    targets = search
}
criterion_main!(benches);
