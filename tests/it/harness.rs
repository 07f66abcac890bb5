//! A real server on a free port: real models, a temporary SQLite store, the real gRPC adapter.
//!
//! Models are those of `BONAFIDE_TEST_MODELS_DIR`, else of `~/.cache/bonafide/models`; without them [`Server::start`] says that
//! the test is skipped.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use bonafide::audit::Actor;
use bonafide::grpc::{
    ApiKey, ClientOptions, GrpcOptions, GrpcServer, LiveClient, Scope, ServerVersions, UseCases, serve,
};
use bonafide::identity::{ScenePolicy, SearchPolicy};
use bonafide::inference::{Executor, FileState, InferenceOptions, Manifest, ProviderChoice, status};
use bonafide::keys::{SealingKeys, SigningKey};
use bonafide::media::MediaLimits;
use bonafide::report::Signer;
use bonafide::scoring::Policy;
use bonafide::service::ports::{Clock, SessionStore};
use bonafide::service::{
    Caller, Evidence, EvidenceOptions, Identities, IdentityOptions, IdentityParts, Interviews, Permission, Pipeline,
    Reports, Reviews, SecondReviewer, ServiceOptions, SessionKeys,
};
use bonafide::session::TenantId;
use bonafide::store::{EvidenceFolder, SqlStore, StoreOptions};
use jiff::Timestamp;
use sha2::{Digest as _, Sha256};
use tokio::sync::oneshot;

/// How long anything in these tests may take.
pub(crate) const PATIENCE: Duration = Duration::from_mins(2);

/// The system's clocks.
pub(crate) struct SystemTime(pub(crate) Instant);

impl Clock for SystemTime {
    fn now(&self) -> Timestamp {
        Timestamp::now()
    }

    fn monotonic(&self) -> Duration {
        self.0.elapsed()
    }
}

/// A running server with its folder.
pub(crate) struct Server {
    /// Where it listens.
    pub(crate) address: SocketAddr,
    /// The use cases behind it.
    pub(crate) interviews: Interviews,
    /// The identity ledger behind it.
    pub(crate) identities: Identities,
    stop: oneshot::Sender<()>,
    running: GrpcServer,
    store: Arc<SqlStore>,
    folder: tempfile::TempDir,
}

impl Server {
    /// Starts a server with `key` as its only API key, or open without; `None`, said aloud, when there are no models.
    pub(crate) async fn start(key: Option<&str>) -> Option<Self> {
        let api_keys = key.map(|key| ApiKey {
            name: "test".to_owned(),
            sha256: hex(&Sha256::digest(key)),
            tenant: "default".to_owned(),
            scopes: vec![Scope::Sessions],
        });
        Self::start_with(GrpcOptions { api_keys: api_keys.into_iter().collect(), ..GrpcOptions::default() }).await
    }

    /// As [`Server::start`] with options of the test's own; any free local port is taken.
    pub(crate) async fn start_with(options: GrpcOptions) -> Option<Self> {
        let options = GrpcOptions { listen: SocketAddr::from(([127, 0, 0, 1], 0)), drain_secs: 10.0, ..options };
        let folder = tempfile::tempdir().expect("a temporary folder");
        let pipeline = pipeline()?;
        let store_options = StoreOptions { database: folder.path().join("bonafide.db"), ..StoreOptions::default() };
        let signing_key = Arc::new(SigningKey::generate());
        let store = SqlStore::open(&store_options, Arc::clone(&signing_key), &[]).await.expect("a new store");
        let versions =
            ServerVersions { server: "test".to_owned(), models: pipeline.model_versions(), provider: "cpu".to_owned() };
        let clock: Arc<dyn Clock> = Arc::new(SystemTime(Instant::now()));
        let use_cases = use_cases(&store, &clock, pipeline, folder.path(), signing_key).await;
        let (interviews, identities) = (use_cases.interviews.clone(), use_cases.identities.clone());
        let (stop, stopped) = oneshot::channel();
        let shutdown = async {
            stopped.await.ok();
        };
        let server = serve(&options, use_cases, versions, shutdown).await.expect("a free port");
        Some(Self { address: server.address(), interviews, identities, stop, running: server, store, folder })
    }

    /// Its folder: the database, and sealed stills in `evidence`.
    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// A client of this server.
    pub(crate) async fn client(&self) -> LiveClient {
        let options = ClientOptions { endpoint: format!("http://{}", self.address), ..ClientOptions::default() };
        LiveClient::connect(&options).await.expect("the server listens")
    }

    /// Stops the server in order and checks that it left nothing behind.
    pub(crate) async fn stop(self) {
        self.stop.send(()).expect("the server runs");
        tokio::time::timeout(PATIENCE, self.running.join())
            .await
            .expect("it stops in time")
            .expect("it stops in order");
        assert_eq!(self.interviews.n_live_sessions(), 0, "a session outlived its server");
        self.store.close().await;
    }
}

/// Every use case on a store, with stills in `folder` and the identity ledger enabled.
pub(crate) async fn use_cases(
    store: &Arc<SqlStore>,
    clock: &Arc<dyn Clock>,
    pipeline: Pipeline,
    folder: &Path,
    signing_key: Arc<SigningKey>,
) -> UseCases {
    let reviews = Reviews::new(Arc::clone(store) as _, Arc::clone(clock), SecondReviewer::Decline);
    let sealing = Arc::new(SealingKeys::generate());
    let session_keys = SessionKeys::new(Arc::clone(store) as _, Arc::clone(&sealing));
    let stills = Arc::new(EvidenceFolder::new(&folder.join("evidence")));
    let evidence =
        Evidence::new(Arc::clone(store) as _, stills, session_keys, Arc::clone(clock), EvidenceOptions::default());
    evidence.claim().await.expect("a folder of its own");
    let reports = Reports::new(Arc::clone(store) as _, Arc::clone(clock), SecondReviewer::Decline)
        .with_stills(Arc::new(evidence.clone()))
        .with_policy(Arc::new(Policy::shipped()));
    let signer = Signer::new(signing_key);
    let interviews = Interviews::start(
        Arc::clone(store) as Arc<dyn SessionStore>,
        Arc::clone(clock),
        pipeline,
        Arc::new(Policy::shipped()),
        ServiceOptions::default(),
    )
    .expect("threads start")
    .keeping(evidence.clone())
    .keeping_scenes();
    let parts = IdentityParts {
        store: Arc::clone(store) as _,
        sessions: Arc::clone(store) as _,
        data_keys: Arc::clone(store) as _,
        sealing,
        clock: Arc::clone(clock),
        policy: Arc::new(Policy::shipped()),
        search: SearchPolicy::shipped(),
        scenes: ScenePolicy::shipped(),
    };
    let options_of_ledger = IdentityOptions { enabled: true, ..IdentityOptions::default() };
    let identities = Identities::new(parts, options_of_ledger, Some(&interviews)).expect("the shipped calibration");
    let (ledger, news) = (identities.clone(), interviews.news().expect("nobody listens yet"));
    tokio::spawn(async move { ledger.run(news).await });
    UseCases { interviews, reviews, evidence, identities, reports, signer }
}

/// The models and what they are fed through; `None`, said aloud, when one is missing.
pub(crate) fn pipeline() -> Option<Pipeline> {
    let options =
        InferenceOptions { models_dir: models_dir()?, provider: ProviderChoice::Cpu, ..InferenceOptions::default() };
    let manifest = Manifest::bundled().expect("the shipped manifest");
    let policy = Policy::shipped();
    let executor = Executor::start(&manifest, &options).expect("the models load");
    Some(Pipeline::new(executor, &manifest, MediaLimits::default(), policy.sampling).expect("a model for every task"))
}

/// Where the fetched models are; `None`, said aloud, when one is missing.
pub(crate) fn models_dir() -> Option<PathBuf> {
    let home = || Some(PathBuf::from(std::env::var_os("HOME")?).join(".cache/bonafide/models"));
    let models_dir = std::env::var_os("BONAFIDE_TEST_MODELS_DIR").map(PathBuf::from).or_else(home)?;
    let options = InferenceOptions { models_dir: models_dir.clone(), ..InferenceOptions::default() };
    let manifest = Manifest::bundled().expect("the shipped manifest");
    let files = status(&manifest, &options).expect("the manifest's files");
    if let Some(file) = files.iter().find(|file| file.state != FileState::Present) {
        eprintln!("SKIPPED: {} is not fetched; run `bonafide models fetch`", file.file);
        return None;
    }
    Some(models_dir)
}

/// Files of a certificate for `localhost` and its key, made for this test alone; `None`, said aloud, without openssl.
pub(crate) fn certificate(folder: &Path) -> Option<(PathBuf, PathBuf)> {
    let (cert, key) = (folder.join("cert.pem"), folder.join("key.pem"));
    let made = std::process::Command::new("openssl")
        .args(["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2"])
        .args(["-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost"])
        .args(["-addext", "basicConstraints=critical,CA:FALSE"])
        .arg("-keyout")
        .arg(&key)
        .arg("-out")
        .arg(&cert)
        .output();
    match made {
        Ok(output) if output.status.success() => Some((cert, key)),
        _ => {
            eprintln!("SKIPPED: openssl cannot make a certificate");
            None
        }
    }
}

/// Who may do everything with sessions.
pub(crate) fn operator() -> Caller {
    Caller {
        tenant: TenantId::default(),
        actor: Actor::system("test"),
        permissions: [Permission::ReadSessions, Permission::WriteSessions, Permission::DeleteSessions].into(),
    }
}

/// Hexadecimal digits.
pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes
        .iter()
        .flat_map(|byte| [byte >> 4, byte & 15])
        .filter_map(|digit| char::from_digit(digit.into(), 16))
        .collect()
}
