//! A ledger with made-up people.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use jiff::Timestamp;

use crate::audit::{Action, Actor, Event, Outcome};
use crate::error::{ErrorKind, Kinded};
use crate::identity::{ScenePolicy, SearchPolicy, TemplateKey};
use crate::keys::{SealingKeys, SigningKey};
use crate::media::MediaTime;
use crate::scoring::{Level, Policy, Score, SignalEvidence};
use crate::service::ports::{
    Clock, FaceName, IdentityStore, PageRequest, ReferencePurpose, ReviewSummary, SessionCommit, SessionRecord,
    SessionStore, TemplateKind,
};
use crate::service::{
    Caller, Enrolment, Identities, IdentityOptions, IdentityParts, NewReference, Permission, ReferenceSource,
    SceneSearch, SearchAnswer, SearchRequest, ServiceError, SessionFace, Subject,
};
use crate::session::{
    CandidateId, EvidenceMode, JournalEntry, ParticipantId, SessionId, SessionName, SourceKind, TenantId, Track,
    TrackId,
};
use crate::signals::testing::{face, frame_at};
use crate::signals::{FaceSearch, SignalName};
use crate::store::{AuditReader, SqlStore, StoreOptions};
use crate::vision::Embedding;
use crate::vision::scene::SceneGap;
use crate::vision::scene::testing::scene;

/// Numbers of an identity vector.
const DIMENSION: usize = 512;
/// Looks at each person of a session.
const LOOKS: u32 = 12;

/// A clock that tests move.
#[derive(Default)]
pub(super) struct TestClock(AtomicI64);

impl TestClock {
    pub(super) fn advance(&self, secs: i64) {
        self.0.fetch_add(secs, Ordering::SeqCst);
    }
}

impl Clock for TestClock {
    fn now(&self) -> Timestamp {
        Timestamp::new(1_790_000_000 + self.0.load(Ordering::SeqCst), 0).expect("in range")
    }
    fn monotonic(&self) -> Duration {
        Duration::from_secs(self.0.load(Ordering::SeqCst).unsigned_abs())
    }
}

/// A ledger, its store and its keys.
pub(super) struct Bench {
    pub(super) identities: Identities,
    pub(super) store: Arc<SqlStore>,
    pub(super) clock: Arc<TestClock>,
    pub(super) sealing: Arc<SealingKeys>,
    pub(super) options: StoreOptions,
    _folder: tempfile::TempDir,
}

/// A session to make up.
pub(super) struct Made<'a> {
    pub(super) id: &'a str,
    pub(super) candidate: Option<&'a str>,
    /// Who is before each participant's camera, one after the other.
    pub(super) seen: &'a [(&'a str, &'a [usize])],
    pub(super) consent: &'a str,
    pub(super) labels: &'a [(&'a str, &'a str)],
    /// Whose vectors they are, as the last score says; `None` = there is no score.
    pub(super) model: Option<&'a str>,
    /// What is behind each participant, by a number; `None` = a bare wall.
    pub(super) place: Option<u64>,
}

impl<'a> Made<'a> {
    /// One person before one camera, with consent.
    pub(super) const fn of(id: &'a str, candidate: &'a str, seen: &'a [(&'a str, &'a [usize])]) -> Self {
        Self { id, candidate: Some(candidate), seen, consent: "consent/1", labels: &[], model: None, place: None }
    }
}

impl Bench {
    pub(super) async fn start() -> Self {
        Self::start_with(|_| {}).await
    }

    pub(super) async fn start_with(change: impl FnOnce(&mut IdentityOptions)) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let options = StoreOptions { database: folder.path().join("test.sqlite"), ..StoreOptions::default() };
        let store = SqlStore::open(&options, Arc::new(SigningKey::from_seed([1; 32])), &[]).await.expect("opens");
        let mut of_ledger = IdentityOptions { enabled: true, ..IdentityOptions::default() };
        change(&mut of_ledger);
        let (clock, sealing) = (Arc::new(TestClock::default()), Arc::new(SealingKeys::generate()));
        let identities = ledger(&store, &clock, &sealing, of_ledger, SearchPolicy::shipped());
        Self { identities, store, clock, sealing, options, _folder: folder }
    }

    /// Another server on the same database.
    pub(super) fn another(&self) -> Identities {
        let options = IdentityOptions { enabled: true, ..IdentityOptions::default() };
        ledger(&self.store, &self.clock, &self.sealing, options, SearchPolicy::shipped())
    }

    /// Another server, with keys or a search calibration of its own.
    pub(super) fn with(&self, sealing: &Arc<SealingKeys>, search: SearchPolicy) -> Identities {
        let options = IdentityOptions { enabled: true, ..IdentityOptions::default() };
        ledger(&self.store, &self.clock, sealing, options, search)
    }

    /// A finished session with its templates and what is proposed because of it.
    pub(super) async fn finished(&self, made: &Made<'_>) -> SessionName {
        let name = self.stored(made).await;
        self.identities.sweep().await.expect("sweeps");
        name
    }

    /// A finished session of which nobody made templates yet.
    pub(super) async fn stored(&self, made: &Made<'_>) -> SessionName {
        self.stored_for(&TenantId::default(), made).await
    }

    pub(super) async fn stored_for(&self, tenant: &TenantId, made: &Made<'_>) -> SessionName {
        self.clock.advance(60);
        let name = SessionName { tenant: tenant.clone(), id: SessionId::new(made.id).expect("a good id") };
        let now = self.clock.now();
        let record = SessionRecord {
            name: name.clone(),
            display_name: format!("session {}", made.id),
            external_ref: String::new(),
            candidate: made.candidate.map(candidate),
            consent_reference: made.consent.to_owned(),
            evidence: EvidenceMode::default(),
            labels: made.labels.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect(),
            policy: Policy::shipped().name(),
            create_time: now,
            end_time: None,
            expire_time: None,
            revision: 1,
            resume_secret: "00112233445566778899aabbccddeeff".to_owned(),
            journal_len: 0,
            review: ReviewSummary::default(),
            participants: Vec::new(),
        };
        let event = || Event::done(now, tenant.as_str(), Actor::system("test"), Action::SessionCreate, String::new());
        self.store.create(record, None, event()).await.expect("creates");
        let commit = SessionCommit {
            name: name.clone(),
            expected_journal_len: 0,
            journal: journal(made.seen, made.place),
            scores: made
                .model
                .into_iter()
                .flat_map(|model| made.seen.iter().map(move |seen| scored(seen.0, model)))
                .collect(),
            stills: Vec::new(),
            still_gaps: Vec::new(),
            segments: Vec::new(),
            end_time: Some(now),
            audit: Vec::new(),
        };
        self.store.commit(commit).await.expect("commits");
        name
    }

    pub(super) async fn enroll(&self, of: &str, purpose: ReferencePurpose, source: &str) -> FaceName {
        let new = reference(of, purpose, source);
        match self.identities.enroll_reference(&investigator(), new).await.expect("enrols") {
            Enrolment::Kept(reference) => FaceName::Reference(reference.name),
            Enrolment::Refused(reasons) => panic!("{reasons:?}"),
        }
    }

    pub(super) async fn search(&self, subject: Subject) -> SearchAnswer {
        self.identities.search(&investigator(), &request(subject)).await.expect("searches")
    }

    /// The names of what a search finds.
    pub(super) async fn found(&self, subject: Subject) -> Vec<String> {
        self.search(subject).await.hits.into_iter().map(|hit| short(&hit.face.face)).collect()
    }

    pub(super) async fn template_keys(&self) -> Vec<TemplateKey> {
        let stored = self.store.templates(&TenantId::default(), TemplateKind::Face, TemplateKey(0), 1_000).await;
        stored.expect("reads").into_iter().map(|stored| stored.key).collect()
    }

    /// All that stands in the audit log.
    pub(super) async fn audit(&self) -> Vec<Event> {
        let reader = AuditReader::open(&self.options).expect("opens");
        reader.page(0, 1_000).await.expect("reads").into_iter().map(|(_, event)| event).collect()
    }

    /// How many entries of the log are of that outcome.
    pub(super) async fn n_with(&self, outcome: Outcome) -> usize {
        self.audit().await.iter().filter(|event| event.outcome == outcome).count()
    }
}

fn ledger(
    store: &Arc<SqlStore>,
    clock: &Arc<TestClock>,
    sealing: &Arc<SealingKeys>,
    options: IdentityOptions,
    search: SearchPolicy,
) -> Identities {
    let parts = IdentityParts {
        store: Arc::clone(store) as _,
        sessions: Arc::clone(store) as _,
        data_keys: Arc::clone(store) as _,
        sealing: Arc::clone(sealing),
        clock: Arc::clone(clock) as _,
        policy: Arc::new(Policy::shipped()),
        search,
        scenes: ScenePolicy::shipped(),
    };
    Identities::new(parts, options, None).expect("the shipped calibration can be used")
}

/// A score that says which model measured identity.
fn scored(participant: &str, model: &str) -> (ParticipantId, Score) {
    let signal = SignalEvidence {
        name: SignalName::Identity,
        llr: Some(1.0),
        usable_ratio: 1.0,
        model: Some(model.to_owned().into()),
        reasons: Vec::new(),
    };
    let score = Score {
        level: Level::Clear,
        authenticity: None,
        signals: vec![signal],
        reasons: Vec::new(),
        usable_face_secs: 5.0,
        window_start_secs: 0.0,
        window_end_secs: 5.0,
        policy: Policy::shipped().name(),
        engine: "test".into(),
    };
    (ParticipantId::new(participant).expect("a good id"), score)
}

pub(super) fn reference(of: &str, purpose: ReferencePurpose, source: &str) -> NewReference {
    NewReference {
        candidate: candidate(of),
        display_name: String::new(),
        purpose,
        source: ReferenceSource::Session(SessionFace {
            session: SessionId::new(source).expect("a good id"),
            participant: None,
            person: 0,
        }),
        consent_reference: String::new(),
        expire_time: None,
    }
}

/// A near-unit vector of that person, different with every look.
fn look(person: usize, number: u32) -> Embedding {
    let mut raw = vec![0.0_f32; DIMENSION];
    raw[person] = 1.0;
    raw[256 + (person * 7 + number as usize) % 256] = 0.25;
    Embedding::from_raw(&raw).expect("has a direction")
}

fn journal(seen: &[(&str, &[usize])], place: Option<u64>) -> Vec<JournalEntry> {
    let mut entries = Vec::new();
    for (participant, persons) in seen {
        let track_id = TrackId::new(participant).expect("a good id");
        entries.push(JournalEntry::TrackUpserted(Track {
            track_id: track_id.clone(),
            participant_id: ParticipantId::new(participant).expect("a good id"),
            kind: SourceKind::Camera,
            device: None,
        }));
        let looks = persons.iter().flat_map(|person| (0..LOOKS).map(move |number| look(*person, number)));
        for (number, embedding) in (0_u32..).zip(looks) {
            let mut observation = frame_at(f64::from(number) / 2.0);
            let mut face = face();
            face.embedding = Some(embedding);
            observation.faces = FaceSearch::Run(vec![face]);
            entries.push(JournalEntry::Frame { track_id: track_id.clone(), observation });
        }
        let reading = place.map(scene).ok_or(SceneGap::Plain);
        entries.push(JournalEntry::Scene { track_id, at: MediaTime::from_millis(3_000), reading });
    }
    entries.push(JournalEntry::Finished { at: MediaTime::ZERO });
    entries
}

pub(super) fn candidate(id: &str) -> CandidateId {
    CandidateId::new(id).expect("a good id")
}

pub(super) fn id(session: &str) -> SessionId {
    SessionId::new(session).expect("a good id")
}

pub(super) fn session(name: &str) -> Subject {
    Subject::session(id(name))
}

/// A later person of a session's only participant.
pub(super) fn person(name: &str, participant: &str, person: u32) -> Subject {
    let participant = Some(ParticipantId::new(participant).expect("a good id"));
    Subject::Session(SessionFace { session: id(name), participant, person })
}

pub(super) fn request(subject: Subject) -> SearchRequest {
    SearchRequest { subject, max_false_matches: None, max_hits: 50 }
}

pub(super) fn scene_search(subject: Subject) -> SceneSearch {
    SceneSearch { subject, max_false_matches: None, max_hits: 50 }
}

pub(super) fn page() -> PageRequest {
    PageRequest { size: 100, token: None }
}

/// Who may compare faces.
pub(super) fn investigator() -> Caller {
    caller("default", &[Permission::ReadSessions, Permission::Review, Permission::Identity])
}

pub(super) fn caller(tenant: &str, permissions: &[Permission]) -> Caller {
    Caller {
        tenant: TenantId::new(tenant).expect("a good id"),
        actor: Actor::system("test"),
        permissions: permissions.iter().copied().collect(),
    }
}

pub(super) fn kind<T: std::fmt::Debug>(outcome: Result<T, ServiceError>) -> ErrorKind {
    outcome.expect_err("is refused").kind()
}

/// A face by its session and person, or `ref`.
pub(super) fn short(face: &FaceName) -> String {
    match face {
        FaceName::Session { session, person, .. } => format!("{session}/{person}"),
        FaceName::Reference(name) => format!("ref of {}", name.candidate),
    }
}

/// A count of each by name.
pub(super) fn counted<T: Ord>(items: impl IntoIterator<Item = T>) -> BTreeMap<T, usize> {
    let mut counted = BTreeMap::new();
    for item in items {
        *counted.entry(item).or_default() += 1;
    }
    counted
}
