//! Pages on a free port, with people and made-up sessions; no measurement of any person.

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Instant;

use bonafide::audit::{Action, Actor, Event};
use bonafide::identity::{ScenePolicy, SearchPolicy};
use bonafide::keys::{SealingKeys, SigningKey};
use bonafide::media::MediaTime;
use bonafide::scoring::{Authenticity, Level, Policy, Score, SignalEvidence};
use bonafide::service::ports::{Clock, ReviewSummary, SessionCommit, SessionRecord, SessionStore as _};
use bonafide::service::{
    Accounts, ApiKeyView, AuditTrail, Identities, IdentityOptions, IdentityParts, Installation, InstallationFacts,
    Interviews, NewAccount, Role, ServiceOptions, command_line,
};
use bonafide::session::{
    CandidateId, CaptureDevice, EvidenceMode, JournalEntry, ParticipantId, Segment, SegmentState, SessionId,
    SessionName, SourceKind, TenantId, Track, TrackId,
};
use bonafide::signals::{Reason, SignalName};
use bonafide::store::{SqlStore, StoreOptions};
use bonafide::web::{WebError, WebOptions, WebServer, WebServices, serve};
use jiff::{SignedDuration, Timestamp};
use tokio::sync::oneshot;

use crate::harness::{PATIENCE, SystemTime, pipeline, use_cases};

/// Everybody's password.
pub(super) const PASSWORD: &str = "correct horse battery";

/// A running server of pages.
pub(super) struct Pages {
    pub(super) address: SocketAddr,
    pub(super) store: Arc<SqlStore>,
    pub(super) interviews: Interviews,
    stop: oneshot::Sender<()>,
    running: WebServer,
    pub(super) folder: tempfile::TempDir,
}

impl Pages {
    /// Pages with these people in the default tenant: `vera` reads, `rita` and `rolf` review, `adam` administers; and `otto`
    /// reviews for another tenant. `ines` and `olga` compare faces, for the one and the other. `None`, said aloud, when there are no models.
    pub(super) async fn start() -> Option<Self> {
        Self::start_with(WebOptions::default()).await
    }

    pub(super) async fn start_with(options: WebOptions) -> Option<Self> {
        Self::start_as(options, true).await
    }

    /// Pages where faces are not compared across sessions.
    pub(super) async fn start_without_ledger() -> Option<Self> {
        Self::start_as(WebOptions::default(), false).await
    }

    /// Why pages with these options cannot be served; `None`, said aloud, when there are no models.
    pub(super) async fn refused(options: WebOptions) -> Option<WebError> {
        let outcome = Self::try_start(options, true).await?;
        Some(outcome.err().expect("is refused"))
    }

    async fn start_as(options: WebOptions, has_ledger: bool) -> Option<Self> {
        Some(Self::try_start(options, has_ledger).await?.expect("a free port"))
    }

    async fn try_start(options: WebOptions, has_ledger: bool) -> Option<Result<Self, WebError>> {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let pipeline = pipeline()?;
        let store_options = StoreOptions { database: folder.path().join("bonafide.db"), ..StoreOptions::default() };
        let key = Arc::new(SigningKey::generate());
        let store = SqlStore::open(&store_options, Arc::clone(&key), &[]).await.expect("a new store");
        let clock: Arc<dyn Clock> = Arc::new(SystemTime(Instant::now()));
        let policy = Arc::new(Policy::shipped());
        let facts = InstallationFacts {
            version: "test".to_owned(),
            models: pipeline.model_versions(),
            provider: "cpu".to_owned(),
            policy: Arc::clone(&policy),
            options: ServiceOptions::default(),
            database: "SQLite",
            api_keys: vec![
                ApiKeyView {
                    name: "plugin".to_owned(),
                    tenant: TenantId::default(),
                    scopes: vec!["sessions".to_owned()],
                },
                ApiKeyView { name: "foreign".to_owned(), tenant: other(), scopes: vec!["review".to_owned()] },
            ],
            signing_keys: vec![key.verifying_key().key_id()],
        };
        let accounts = Accounts::new(Arc::clone(&store) as _, Arc::clone(&clock));
        let cases = use_cases(&store, &clock, pipeline, folder.path(), Arc::clone(&key)).await;
        let interviews = cases.interviews;
        let services = WebServices {
            interviews: interviews.clone(),
            reviews: cases.reviews,
            accounts: accounts.clone(),
            evidence: cases.evidence,
            identities: if has_ledger { cases.identities } else { ledger_off(&store, &clock) },
            reports: cases.reports,
            signer: cases.signer,
            trail: AuditTrail::new(Arc::clone(&store), Arc::clone(&clock), vec![key.verifying_key()]),
            installation: Installation::new(Arc::clone(&store) as _, Arc::clone(&clock), interviews.clone(), facts),
            clock,
        };
        for (name, tenant, role) in [
            ("vera", TenantId::default(), Role::Viewer),
            ("rita", TenantId::default(), Role::Reviewer),
            ("rolf", TenantId::default(), Role::Reviewer),
            ("adam", TenantId::default(), Role::Admin),
            ("otto", other(), Role::Reviewer),
            ("ines", TenantId::default(), Role::Investigator),
            ("olga", other(), Role::Investigator),
        ] {
            let new = NewAccount {
                name: name.to_owned(),
                display_name: String::new(),
                roles: BTreeSet::from([role]),
                password: PASSWORD.to_owned(),
            };
            accounts.create(&command_line(tenant), new).await.expect("makes");
        }
        let (stop, stopped) = oneshot::channel();
        let shutdown = async {
            stopped.await.ok();
        };
        let listen =
            if options.listen.port() == 8_080 { SocketAddr::from(([127, 0, 0, 1], 0)) } else { options.listen };
        let running = match serve(&WebOptions { listen, ..options }, services, shutdown).await {
            Ok(running) => running,
            Err(error) => return Some(Err(error)),
        };
        Some(Ok(Self { address: running.address(), store, interviews, stop, running, folder }))
    }

    /// Stops the server in order.
    pub(super) async fn stop(self) {
        self.stop.send(()).expect("it runs");
        tokio::time::timeout(PATIENCE, self.running.join()).await.expect("in time").expect("in order");
        self.store.close().await;
    }

    /// Stores a session with its scores and segments.
    pub(super) async fn keep(&self, made: MadeUp) {
        let MadeUp { record, scores, segments, is_ended } = made;
        let name = record.name.clone();
        let end_time = is_ended.then_some(record.create_time);
        self.store.create(record, None, said(&name)).await.expect("creates");
        let track = Track {
            track_id: TrackId::new("camera").expect("valid"),
            participant_id: candidate(),
            kind: SourceKind::Camera,
            device: Some(CaptureDevice {
                label: "Example <Camera>".to_owned(),
                platform: "browser/example 1".to_owned(),
                probes: Vec::new(),
            }),
        };
        let commit = SessionCommit {
            name: name.clone(),
            expected_journal_len: 0,
            journal: vec![JournalEntry::TrackUpserted(track)],
            scores: scores.into_iter().map(|score| (candidate(), score)).collect(),
            stills: Vec::new(),
            still_gaps: Vec::new(),
            segments,
            end_time,
            audit: Vec::new(),
        };
        self.store.commit(commit).await.expect("commits");
    }
}

/// A ledger as it is before anybody enables it.
fn ledger_off(store: &Arc<SqlStore>, clock: &Arc<dyn Clock>) -> Identities {
    let parts = IdentityParts {
        store: Arc::clone(store) as _,
        sessions: Arc::clone(store) as _,
        data_keys: Arc::clone(store) as _,
        sealing: Arc::new(SealingKeys::generate()),
        clock: Arc::clone(clock),
        policy: Arc::new(Policy::shipped()),
        search: SearchPolicy::shipped(),
        scenes: ScenePolicy::shipped(),
    };
    Identities::new(parts, IdentityOptions::default(), None).expect("the shipped calibration")
}

/// The other tenant.
pub(super) fn other() -> TenantId {
    TenantId::new("other").expect("valid")
}

/// Who is interviewed.
pub(super) fn candidate() -> ParticipantId {
    ParticipantId::new("candidate").expect("valid")
}

fn said(name: &SessionName) -> Event {
    let object = format!("sessions/{name}");
    Event::done(Timestamp::now(), name.tenant.as_str(), Actor::system("test"), Action::SessionCreate, object)
}

/// A session that nobody gave.
pub(super) struct MadeUp {
    pub(super) record: SessionRecord,
    pub(super) scores: Vec<Score>,
    pub(super) segments: Vec<Segment>,
    pub(super) is_ended: bool,
}

impl MadeUp {
    /// A session of a minute with that level.
    pub(super) fn new(id: &str, level: Level) -> Self {
        Self::of(TenantId::default(), id, level, 60)
    }

    /// A session of so many seconds, one score a second, which becomes what it is after two thirds.
    pub(super) fn of(tenant: TenantId, id: &str, level: Level, secs: u32) -> Self {
        let create_time = Timestamp::now() - SignedDuration::from_mins(7);
        let record = SessionRecord {
            name: SessionName { tenant, id: SessionId::new(id).expect("valid") },
            display_name: format!("Backend engineer, {id}"),
            external_ref: "req-17".to_owned(),
            candidate: Some(CandidateId::new("ats-4711").expect("valid")),
            consent_reference: "consent/4711".to_owned(),
            evidence: EvidenceMode::NoImages,
            labels: BTreeMap::from([("batch".to_owned(), "november".to_owned())]),
            policy: Policy::shipped().name(),
            create_time,
            end_time: None,
            expire_time: Some(create_time + SignedDuration::from_hours(24 * 90)),
            revision: 1,
            resume_secret: "00112233445566778899aabbccddeeff".to_owned(),
            journal_len: 0,
            review: ReviewSummary::default(),
            participants: Vec::new(),
        };
        let scores = (1..=secs).map(|at| score(level, at, secs)).collect();
        let is_flagged = level >= Level::Suspicious;
        let segments = if is_flagged { vec![segment(1, level, secs * 2 / 3, secs)] } else { Vec::new() };
        Self { record, scores, segments, is_ended: true }
    }
}

/// A stretch in which another face was seen.
pub(super) fn segment(ordinal: u32, level: Level, from: u32, to: u32) -> Segment {
    Segment {
        ordinal,
        participant_id: candidate(),
        start: MediaTime::from_millis(i64::from(from) * 1_000),
        end: MediaTime::from_millis(i64::from(to) * 1_000),
        level,
        state: SegmentState::Closed,
        signals: score(level, to, to).signals,
    }
}

/// How it stands at `at` of `secs`.
fn score(level: Level, at: u32, secs: u32) -> Score {
    let is_early = at < secs * 2 / 3;
    let level = match level {
        Level::Suspicious | Level::Alert if is_early => Level::Clear,
        level => level,
    };
    let wave = (f64::from(at) * 0.37).sin();
    let value = match level {
        Level::Clear => 0.93 + 0.02 * wave,
        Level::Suspicious => 0.34 + 0.05 * wave,
        Level::Alert => 0.04 + 0.01 * wave,
        Level::Inconclusive => 0.5,
    };
    let authenticity = (level != Level::Inconclusive && at >= 6).then_some(Authenticity {
        value,
        low: (value - 0.2).max(0.0),
        high: (value + 0.05).min(1.0),
    });
    let bad = matches!(level, Level::Suspicious | Level::Alert);
    let signal = |name: SignalName, llr: Option<f64>, reason: Reason| SignalEvidence {
        name,
        llr: llr.filter(|_| at >= 6).map(|llr| llr + 0.15 * wave),
        usable_ratio: if at >= 6 { 0.87 } else { 0.0 },
        model: Some(format!("models/{name}@{:064x}", 0x5eed)).map(Into::into),
        reasons: vec![reason],
    };
    let identity = if bad {
        signal(
            SignalName::Identity,
            Some(-4.6),
            Reason::new("identity.changed").with("at_secs", 40.2).with("similarity", 0.07),
        )
    } else {
        signal(SignalName::Identity, Some(1.8), Reason::new("identity.consistency").with("similarity", 0.71))
    };
    let model = |code| Reason::new(code).with("attack_score", if bad { 0.61 } else { 0.08 }).with("blocks", 31.0);
    // Nobody is in the picture for a while.
    let usable = f64::from(at).min(f64::from(secs / 3)) + f64::from(at.saturating_sub(secs / 2));
    Score {
        authenticity,
        level: if authenticity.is_some() { level } else { Level::Inconclusive },
        signals: vec![
            identity,
            signal(SignalName::Presentation, Some(if bad { -0.9 } else { 1.2 }), model("presentation.model")),
            signal(SignalName::Deepfake, Some(0.6), model("deepfake.model")),
            signal(SignalName::Motion, Some(1.4), Reason::new("motion.within_face").with("of_typical_ratio", 0.92)),
            signal(SignalName::Presence, None, Reason::new("presence.no_face").with("secs", 4.0)),
            signal(SignalName::Stream, Some(1.1), Reason::new("stream.clock").with("interval_millis", 66.0)),
        ],
        reasons: match authenticity {
            None => vec![
                Reason::new("evidence.too_little_face_time").with("usable_face_secs", usable).with("secs_needed", 5.0),
            ],
            Some(_) if bad => {
                vec![Reason::new("segment.worst").with("start_secs", 40.2).with("end_secs", f64::from(at))]
            }
            Some(_) => Vec::new(),
        },
        usable_face_secs: usable,
        window_start_secs: 0.0,
        window_end_secs: f64::from(at),
        policy: Policy::shipped().name(),
        engine: "bonafide test".into(),
    }
}
