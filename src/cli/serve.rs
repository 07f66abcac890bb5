//! `bonafide serve`: the server, from start to an orderly end.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use anyhow::Context as _;
use clap::Args;
use jiff::Timestamp;
use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;

use crate::config::{Config, Flag};
use crate::grpc::{ApiKey, ServerVersions, UseCases};
use crate::identity::{ScenePolicy, SearchPolicy};
use crate::keys::{KeyFile, SealingKeys, VerifyingKey};
use crate::report::Signer;
use crate::scoring::Policy;
use crate::service::ports::{Clock, SessionStore};
use crate::service::{
    Accounts, ApiKeyView, AuditRetention, AuditTrail, Evidence, Identities, IdentityParts, Installation,
    InstallationFacts, Interviews, Reports, Reviews, ServiceError, SessionKeys,
};
use crate::session::TenantId;
use crate::store::{EvidenceFolder, SqlStore};
use crate::telemetry::{OpsServer, Telemetry};
use crate::web::{WebServer, WebServices};

use super::engine::Engine;
use super::global::GlobalArgs;

/// How often sessions past their time are looked for.
const SWEEP_INTERVAL: Duration = Duration::from_mins(1);
/// How often files are looked for that a crash left behind, and the key file for a new key; the first time at start.
const HOURLY: Duration = Duration::from_hours(1);
/// How often old audit rows are looked for; each time that some go leaves a row.
const AUDIT_INTERVAL: Duration = Duration::from_hours(24);
/// How often readiness is looked at; each look writes to the database.
const READINESS_INTERVAL: Duration = Duration::from_secs(5);

/// Serves interviews over gRPC until it is told to stop.
#[derive(Clone, Debug, Default, Args)]
pub struct ServeArgs {
    /// Address and port for gRPC; port 0 lets the system choose and is printed [default: grpc.listen]
    #[arg(long, value_name = "ADDRESS:PORT")]
    pub listen: Option<SocketAddr>,
    /// Address and port for the review pages; port 0 lets the system choose and is printed [default: web.listen]
    #[arg(long, value_name = "ADDRESS:PORT")]
    pub web_listen: Option<SocketAddr>,
}

impl ServeArgs {
    /// Runs the server until SIGTERM or SIGINT.
    ///
    /// # Errors
    /// When configuration, models or store cannot be used, or a port cannot be opened.
    pub fn run(&self, global: &GlobalArgs) -> anyhow::Result<()> {
        let listen =
            self.listen.map(|address| Flag { flag: "--listen", key: "grpc.listen", value: address.to_string() });
        let web_listen =
            self.web_listen.map(|address| Flag { flag: "--web-listen", key: "web.listen", value: address.to_string() });
        let config = global.load_config(listen.into_iter().chain(web_listen))?;
        let telemetry = crate::telemetry::init(&config.get().telemetry)?;
        let engine = Engine::start(config.get(), None)?;
        super::runtime()?.block_on(serve(config.get(), telemetry, engine))
    }
}

async fn serve(config: &Config, telemetry: Telemetry, engine: Engine) -> anyhow::Result<()> {
    // Asked for before anything can be started, so that an early signal is not lost.
    let signal = stop_signal()?;
    let keys = KeyFile::load_or_create(&config.keys.file, Timestamp::now())?;
    let store = SqlStore::open(&config.store, keys.signing_key(), &keys.verifying_keys())
        .await
        .context("cannot open the store")?;
    let assembled = assemble(config, &keys, &store, engine).await?;
    let Assembled { use_cases, web_services, tended, versions } = assembled;
    let (interviews, identities) = (use_cases.interviews.clone(), use_cases.identities.clone());
    let is_ready = Arc::new(AtomicBool::new(interviews.is_ready().await));
    let shown_readiness = Arc::clone(&is_ready);
    let ops = OpsServer::bind(config.telemetry.ops_listen, telemetry, move || {
        if shown_readiness.load(Ordering::Relaxed) {
            Ok(())
        } else {
            Err("the store does not answer, or the server shuts down".to_owned())
        }
    })
    .await?;
    tracing::info!(ops.address = %ops.local_addr(), "serving metrics and readiness");
    let ended = CancellationToken::new();
    let ops_task = tokio::spawn(ops.serve(ended.clone().cancelled_owned()));
    let chores = chores(tended, Arc::clone(&is_ready));
    let chores = tokio::spawn(ended.clone().run_until_cancelled_owned(chores));
    let ledger = interviews
        .news()
        .map(|news| tokio::spawn(ended.clone().run_until_cancelled_owned(async move { identities.run(news).await })));
    let stopping = CancellationToken::new();
    let server = crate::grpc::serve(&config.grpc, use_cases, versions, stopping.clone().cancelled_owned()).await?;
    let pages = serve_pages(config, web_services, &stopping).await?;
    println!("bonafide {} serves gRPC on {}", env!("CARGO_PKG_VERSION"), server.address());
    if let Some(pages) = &pages {
        let scheme = if config.web.tls.is_some() { "https" } else { "http" };
        println!("review pages on {scheme}://{}", pages.address());
    }
    tokio::spawn({
        let stopping = stopping.clone();
        async move {
            signal.await;
            stopping.cancel();
        }
    });
    let outcome = server.join().await;
    stopping.cancel();
    let pages_outcome = match pages {
        Some(pages) => pages.join().await,
        None => Ok(()),
    };
    is_ready.store(false, Ordering::Relaxed);
    store.close().await;
    ended.cancel();
    let _ = chores.await;
    if let Some(ledger) = ledger {
        let _ = ledger.await;
    }
    ops_task.await.context("the operators' endpoint failed")??;
    outcome?;
    pages_outcome?;
    tracing::info!("server ended");
    Ok(())
}

/// Everything that serves, before it does.
struct Assembled {
    use_cases: UseCases,
    web_services: WebServices,
    tended: Tended,
    versions: ServerVersions,
}

/// Puts the use cases together.
async fn assemble(config: &Config, keys: &KeyFile, store: &Arc<SqlStore>, engine: Engine) -> anyhow::Result<Assembled> {
    let versions = ServerVersions {
        server: env!("CARGO_PKG_VERSION").to_owned(),
        models: engine.pipeline.model_versions(),
        provider: engine.provider.to_owned(),
    };
    let clock: Arc<dyn Clock> = Arc::new(SystemClock { start: Instant::now() });
    let second_reviewer = config.service.second_reviewer;
    let reviews = Reviews::new(Arc::clone(store) as _, Arc::clone(&clock), second_reviewer);
    let session_keys = SessionKeys::new(Arc::clone(store) as _, keys.sealing_keys());
    let folder = Arc::new(EvidenceFolder::new(&config.evidence.folder));
    let evidence =
        Evidence::new(Arc::clone(store) as _, folder, session_keys, Arc::clone(&clock), config.evidence.clone());
    evidence.claim().await.context("cannot use the folder of stills")?;
    let accounts = Accounts::new(Arc::clone(store) as _, Arc::clone(&clock));
    let reports = Reports::new(Arc::clone(store) as _, Arc::clone(&clock), second_reviewer)
        .with_stills(Arc::new(evidence.clone()))
        .with_policy(Arc::clone(&engine.policy));
    let policy = Arc::clone(&engine.policy);
    let sessions = Arc::clone(store) as Arc<dyn SessionStore>;
    let interviews = Interviews::start(
        Arc::clone(&sessions),
        Arc::clone(&clock),
        engine.pipeline,
        engine.policy,
        config.service.clone(),
    )?
    .keeping(evidence.clone());
    let interviews =
        if config.identity.enabled && config.identity.scenes { interviews.keeping_scenes() } else { interviews };
    let parts = IdentityParts {
        store: Arc::clone(store) as _,
        sessions,
        data_keys: Arc::clone(store) as _,
        sealing: keys.sealing_keys(),
        clock: Arc::clone(&clock),
        policy: Arc::clone(&policy),
        search: SearchPolicy::shipped(),
        scenes: ScenePolicy::shipped(),
    };
    let identities = Identities::new(parts, config.identity.clone(), Some(&interviews))?;
    let signer = Signer::new(keys.signing_key());
    let facts = installation_facts(config, &versions, policy, keys)?;
    let web_services = WebServices {
        interviews: interviews.clone(),
        reviews: reviews.clone(),
        accounts: accounts.clone(),
        evidence: evidence.clone(),
        identities: identities.clone(),
        reports: reports.clone(),
        signer: signer.clone(),
        trail: AuditTrail::new(Arc::clone(store), Arc::clone(&clock), keys.verifying_keys()),
        installation: Installation::new(Arc::clone(store) as _, Arc::clone(&clock), interviews.clone(), facts),
        clock: Arc::clone(&clock),
    };
    let tended = Tended {
        interviews: interviews.clone(),
        accounts,
        evidence: evidence.clone(),
        identities: identities.clone(),
        audit: AuditRetention::new(Arc::clone(store) as _, clock, config.audit),
        keys: keys.sealing_keys(),
    };
    let use_cases = UseCases { interviews, reviews, evidence, identities, reports, signer };
    Ok(Assembled { use_cases, web_services, tended, versions })
}

/// Serves the review pages, if there shall be any.
async fn serve_pages(
    config: &Config,
    services: WebServices,
    stopping: &CancellationToken,
) -> anyhow::Result<Option<WebServer>> {
    if !config.web.enabled {
        return Ok(None);
    }
    Ok(Some(crate::web::serve(&config.web, services, stopping.clone().cancelled_owned()).await?))
}

/// What those who run the installation may see of it.
fn installation_facts(
    config: &Config,
    versions: &ServerVersions,
    policy: Arc<Policy>,
    keys: &KeyFile,
) -> anyhow::Result<InstallationFacts> {
    let api_key = |key: &ApiKey| -> anyhow::Result<ApiKeyView> {
        let scopes = key.scopes.iter().map(|scope| scope.as_str().to_owned()).collect();
        Ok(ApiKeyView { name: key.name.clone(), tenant: TenantId::new(&key.tenant)?, scopes })
    };
    Ok(InstallationFacts {
        version: versions.server.clone(),
        models: versions.models.clone(),
        provider: versions.provider.clone(),
        policy,
        options: config.service.clone(),
        database: if config.store.postgres_url.is_empty() { "SQLite" } else { "PostgreSQL" },
        api_keys: config.grpc.api_keys.iter().map(api_key).collect::<anyhow::Result<_>>()?,
        signing_keys: keys.verifying_keys().iter().map(VerifyingKey::key_id).collect(),
    })
}

/// What grows old while the server runs.
struct Tended {
    interviews: Interviews,
    accounts: Accounts,
    evidence: Evidence,
    identities: Identities,
    audit: AuditRetention,
    keys: Arc<SealingKeys>,
}

/// Watches readiness and deletes what is past its time.
async fn chores(tended: Tended, is_ready: Arc<AtomicBool>) {
    let Tended { interviews, accounts, evidence, identities, audit, keys } = tended;
    let mut readiness = tokio::time::interval(READINESS_INTERVAL);
    let mut sweep = tokio::time::interval(SWEEP_INTERVAL);
    let mut ledger = tokio::time::interval(SWEEP_INTERVAL);
    let mut hourly = tokio::time::interval(HOURLY);
    let mut daily = tokio::time::interval(AUDIT_INTERVAL);
    loop {
        tokio::select! {
            _ = readiness.tick() => is_ready.store(interviews.is_ready().await, Ordering::Relaxed),
            _ = sweep.tick() => {
                told("sessions past their retention", interviews.sweep().await);
                told("files of stills past their retention", evidence.sweep().await.map(|swept| swept.files));
                if let Err(error) = accounts.sweep().await {
                    tracing::warn!(error = &error as &dyn std::error::Error, "could not forget old logins");
                }
            }
            _ = ledger.tick() => told("templates past their retention", identities.sweep().await),
            _ = hourly.tick() => {
                keys.refresh();
                told("files of stills that a crash left behind", evidence.remove_orphans().await);
            }
            _ = daily.tick() => told("audit rows past their retention", audit.sweep().await),
        }
    }
}

/// Says what was deleted, if anything was.
fn told(what: &'static str, outcome: Result<u64, ServiceError>) {
    match outcome {
        Ok(0) => {}
        Ok(count) => tracing::info!(count, "deleted {what}"),
        Err(error) => tracing::warn!(error = &error as &dyn std::error::Error, "could not delete {what}"),
    }
}

/// Done at the first SIGTERM or SIGINT.
fn stop_signal() -> anyhow::Result<impl Future<Output = ()> + Send + 'static> {
    let mut terminate = signal(SignalKind::terminate()).context("cannot listen for SIGTERM")?;
    let mut interrupt = signal(SignalKind::interrupt()).context("cannot listen for SIGINT")?;
    Ok(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
        tracing::info!("told to stop");
    })
}

/// The machine's clocks.
#[derive(Debug)]
pub(super) struct SystemClock {
    pub(super) start: Instant,
}

impl Clock for SystemClock {
    fn now(&self) -> Timestamp {
        Timestamp::now()
    }

    fn monotonic(&self) -> Duration {
        self.start.elapsed()
    }
}
