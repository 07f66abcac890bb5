//! The server: transport, access, services, health, reflection, and an orderly end.

use std::future::Future;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::TcpListener;
use tokio::sync::oneshot;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tokio_util::task::AbortOnDropHandle;
use tonic::server::NamedService;
use tonic::transport::{Certificate, Identity, Server, ServerTlsConfig};
use tonic_health::ServingStatus;
use tonic_health::server::HealthReporter;

use crate::report::Signer;
use crate::service::{Evidence, Identities, Interviews, Reports, Reviews};

use super::access::AccessLayer;
use super::call::Calls;
use super::evidence::Stills;
use super::identity::Identity as IdentityCalls;
use super::incoming::connections;
use super::live::Live;
use super::options::{GrpcError, GrpcOptions, MAX_MESSAGE_BYTES, TlsOptions, secs};
use super::proto::FILE_DESCRIPTOR_SET;
use super::proto::v1::evidence_service_server::EvidenceServiceServer;
use super::proto::v1::identity_service_server::IdentityServiceServer;
use super::proto::v1::live_service_server::LiveServiceServer;
use super::proto::v1::report_service_server::ReportServiceServer;
use super::proto::v1::review_service_server::ReviewServiceServer;
use super::proto::v1::session_service_server::SessionServiceServer;
use super::report::Report;
use super::review::Review;
use super::sessions::Sessions;

/// HTTP/2 flow-control windows: measured five times the messages a second of the defaults with 60 kB messages.
const STREAM_WINDOW_BYTES: u32 = 4 * 1024 * 1024;
const CONNECTION_WINDOW_BYTES: u32 = 8 * 1024 * 1024;
/// A TLS handshake takes a round trip or two; who needs longer holds a connection for nothing.
const TLS_HANDSHAKE_PATIENCE: Duration = Duration::from_secs(10);
/// How often readiness is looked at; each look writes to the database.
const READINESS_INTERVAL: Duration = Duration::from_secs(5);
/// After draining, streams have this long to carry their last messages, before connections (health watchers) are closed.
const LAST_WORDS: Duration = Duration::from_secs(3);

/// What runs here; told to every client, so that a score can be repeated.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ServerVersions {
    /// The program's version.
    pub server: String,
    /// `models/{id}@{sha256}` of each model in use.
    pub models: Vec<String>,
    /// Where the models run, such as `cpu`.
    pub provider: String,
}

/// What the services call.
#[derive(Clone, Debug)]
pub struct UseCases {
    /// Interviews, live and stored.
    pub interviews: Interviews,
    /// What people do with them.
    pub reviews: Reviews,
    /// What shows why.
    pub evidence: Evidence,
    /// Who was seen before.
    pub identities: Identities,
    /// What is told of them.
    pub reports: Reports,
    /// What signs that.
    pub signer: Signer,
}

/// A server that runs. Dropping it stops it without the courtesies.
#[derive(Debug)]
pub struct GrpcServer {
    address: SocketAddr,
    task: AbortOnDropHandle<Result<(), GrpcError>>,
}

impl GrpcServer {
    /// Where it listens, with the port that was really taken.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Waits for the end, which the shutdown signal given to [`serve`] brings about.
    ///
    /// # Errors
    /// [`GrpcError::Transport`] when the server broke, [`GrpcError::Panicked`] when it has a defect.
    pub async fn join(self) -> Result<(), GrpcError> {
        self.task.await.unwrap_or(Err(GrpcError::Panicked))
    }
}

/// Opens the port and serves until `shutdown`; then: health says `NOT_SERVING`, nothing new is accepted, streams end with a
/// resume token, what is known is stored, connections close; all within `drain_secs`.
///
/// # Errors
/// [`GrpcError`] when an option cannot be used, a file cannot be read, or the port cannot be opened.
pub async fn serve(
    options: &GrpcOptions,
    use_cases: UseCases,
    versions: ServerVersions,
    shutdown: impl Future<Output = ()> + Send + 'static,
) -> Result<GrpcServer, GrpcError> {
    options.validate()?;
    let UseCases { interviews, reviews, evidence, identities, reports, signer } = use_cases;
    let mut builder = Server::builder();
    if let Some(tls) = &options.tls {
        builder = builder.tls_config(tls_config(tls).await?).map_err(|source| GrpcError::Transport { source })?;
    }
    let listen = options.listen;
    let bind_error = |source| GrpcError::Bind { listen, source };
    let listener = TcpListener::bind(listen).await.map_err(bind_error)?;
    let address = listener.local_addr().map_err(bind_error)?;
    let health = HealthReporter::new();
    let reflection = || {
        tonic_reflection::server::Builder::configure()
            .register_encoded_file_descriptor_set(FILE_DESCRIPTOR_SET)
            .register_encoded_file_descriptor_set(tonic_health::pb::FILE_DESCRIPTOR_SET)
    };
    let calls = Arc::new(Calls::new(options));
    let live = Live {
        interviews: interviews.clone(),
        calls: Arc::clone(&calls),
        versions: Arc::new(versions),
        config_patience: secs(options.config_patience_secs),
        reader_patience: secs(options.slow_reader_patience_secs),
    };
    let sessions = Sessions { interviews: interviews.clone(), calls: Arc::clone(&calls) };
    let report_service = Report::new(reports, signer, Arc::clone(&calls));
    let review = Review { reviews, calls: Arc::clone(&calls) };
    let stills = Stills { evidence, calls: Arc::clone(&calls) };
    let identity = IdentityCalls { identities, calls };
    let router = builder
        .initial_stream_window_size(STREAM_WINDOW_BYTES)
        .initial_connection_window_size(CONNECTION_WINDOW_BYTES)
        .max_concurrent_streams(options.max_streams_per_connection)
        .http2_keepalive_interval(Some(secs(options.keepalive_interval_secs)))
        .http2_keepalive_timeout(Some(secs(options.keepalive_timeout_secs)))
        .layer(AccessLayer::new(&options.api_keys)?)
        .add_service(
            LiveServiceServer::new(live)
                .max_decoding_message_size(MAX_MESSAGE_BYTES)
                .max_encoding_message_size(MAX_MESSAGE_BYTES),
        )
        .add_service(
            SessionServiceServer::new(sessions)
                .max_decoding_message_size(MAX_MESSAGE_BYTES)
                .max_encoding_message_size(MAX_MESSAGE_BYTES),
        )
        .add_service(
            IdentityServiceServer::new(identity)
                .max_decoding_message_size(MAX_MESSAGE_BYTES)
                .max_encoding_message_size(MAX_MESSAGE_BYTES),
        )
        .add_service(ReviewServiceServer::new(review).max_decoding_message_size(MAX_MESSAGE_BYTES))
        .add_service(ReportServiceServer::new(report_service).max_decoding_message_size(MAX_MESSAGE_BYTES))
        .add_service(EvidenceServiceServer::new(stills).max_decoding_message_size(MAX_MESSAGE_BYTES))
        .add_service(tonic_health::pb::health_server::HealthServer::new(
            tonic_health::server::HealthService::from_health_reporter(health.clone()),
        ))
        .add_service(reflection().build_v1().map_err(|source| GrpcError::Reflection { source })?)
        .add_service(reflection().build_v1alpha().map_err(|source| GrpcError::Reflection { source })?);
    let closing = CancellationToken::new();
    let (stop, stopped) = oneshot::channel::<()>();
    let incoming = connections(listener, options.max_connections, closing.clone());
    report(&health, interviews.is_ready().await).await;
    let transport = AbortOnDropHandle::new(tokio::spawn(router.serve_with_incoming_shutdown(incoming, async {
        // A stop that is dropped unsent means that the owner is gone, which is an end as well.
        stopped.await.ok();
    })));
    let patience = secs(options.drain_secs);
    let run = Run { interviews, health, closing, stop, transport, patience };
    tracing::info!(grpc.address = %address, grpc.is_tls = options.tls.is_some(), "serving gRPC");
    Ok(GrpcServer { address, task: AbortOnDropHandle::new(tokio::spawn(run.until(shutdown))) })
}

async fn tls_config(options: &TlsOptions) -> Result<ServerTlsConfig, GrpcError> {
    let identity = Identity::from_pem(read("cert", &options.cert).await?, read("key", &options.key).await?);
    let config = ServerTlsConfig::new().identity(identity).timeout(TLS_HANDSHAKE_PATIENCE);
    Ok(match &options.client_ca {
        Some(path) => config.client_ca_root(Certificate::from_pem(read("client_ca", path).await?)),
        None => config,
    })
}

async fn read(key: &'static str, path: &Path) -> Result<Vec<u8>, GrpcError> {
    tokio::fs::read(path).await.map_err(|source| GrpcError::TlsFile { key, path: path.to_owned(), source })
}

/// Tells health checks whether new work is welcome.
async fn report(health: &HealthReporter, is_ready: bool) {
    let status = if is_ready { ServingStatus::Serving } else { ServingStatus::NotServing };
    let services = [
        "",
        LiveServiceServer::<Live>::NAME,
        SessionServiceServer::<Sessions>::NAME,
        ReportServiceServer::<Report>::NAME,
        ReviewServiceServer::<Review>::NAME,
        EvidenceServiceServer::<Stills>::NAME,
        IdentityServiceServer::<IdentityCalls>::NAME,
    ];
    for service in services {
        health.set_service_status(service, status).await;
    }
}

/// A running transport and what its end needs.
struct Run {
    interviews: Interviews,
    health: HealthReporter,
    closing: CancellationToken,
    stop: oneshot::Sender<()>,
    transport: AbortOnDropHandle<Result<(), tonic::transport::Error>>,
    patience: Duration,
}

impl Run {
    async fn until(mut self, shutdown: impl Future<Output = ()> + Send) -> Result<(), GrpcError> {
        tokio::pin!(shutdown);
        let mut readiness = tokio::time::interval(READINESS_INTERVAL);
        let mut was_ready = None;
        loop {
            tokio::select! {
                () = &mut shutdown => break,
                outcome = &mut self.transport => return ended(outcome),
                _ = readiness.tick() => {
                    let is_ready = self.interviews.is_ready().await;
                    if was_ready.replace(is_ready) != Some(is_ready) {
                        report(&self.health, is_ready).await;
                    }
                }
            }
        }
        self.end().await
    }

    async fn end(mut self) -> Result<(), GrpcError> {
        let deadline = Instant::now() + self.patience;
        report(&self.health, false).await;
        // Fails only if the transport has ended already, which is what it asks for.
        self.stop.send(()).ok();
        let drain = self.interviews.drain(self.patience.saturating_sub(LAST_WORDS.min(self.patience / 4)));
        if tokio::time::timeout_at(deadline, drain).await.is_err() {
            tracing::warn!(drain_secs = self.patience.as_secs_f64(), "draining took too long: streams are cut");
        }
        let last_words = deadline.min(Instant::now() + LAST_WORDS);
        let outcome = match tokio::time::timeout_at(last_words, &mut self.transport).await {
            Ok(outcome) => ended(outcome),
            Err(_elapsed) => {
                self.closing.cancel();
                match tokio::time::timeout(LAST_WORDS, &mut self.transport).await {
                    Ok(outcome) => ended(outcome),
                    Err(_elapsed) => Ok(()),
                }
            }
        };
        tracing::info!("stopped serving gRPC");
        outcome
    }
}

fn ended(outcome: Result<Result<(), tonic::transport::Error>, tokio::task::JoinError>) -> Result<(), GrpcError> {
    match outcome {
        Ok(Ok(())) => Ok(()),
        Ok(Err(source)) => Err(GrpcError::Transport { source }),
        Err(_panic) => Err(GrpcError::Panicked),
    }
}
