//! The operators' endpoint: `/metrics`, `/livez`, `/readyz`, on a port of its own.

use std::future::Future;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::IntoResponse;
use axum::routing::get;
use tokio::net::TcpListener;
use tokio::sync::watch;

use super::error::TelemetryError;
use super::logs::Telemetry;

/// How often waiting histogram samples are moved into their buckets.
const UPKEEP_INTERVAL: Duration = Duration::from_secs(5);
/// How long answers may take once the stop signal came.
const STOP_GRACE: Duration = Duration::from_secs(2);
/// Prometheus' text format.
const METRICS_TYPE: &str = "text/plain; version=0.0.4; charset=utf-8";

/// Says whether new work is welcome, or why not.
type Readiness = Arc<dyn Fn() -> Result<(), String> + Send + Sync>;

/// A bound endpoint, not served yet.
pub struct OpsServer {
    listener: TcpListener,
    address: SocketAddr,
    state: OpsState,
}

#[derive(Clone)]
struct OpsState {
    telemetry: Telemetry,
    readiness: Readiness,
}

impl OpsServer {
    /// Takes the port. `readiness` is asked at every `/readyz`: `Ok` = 200, `Err` = 503 with the reason, which is shown.
    ///
    /// # Errors
    /// [`TelemetryError::Listen`].
    pub async fn bind(
        address: SocketAddr,
        telemetry: Telemetry,
        readiness: impl Fn() -> Result<(), String> + Send + Sync + 'static,
    ) -> Result<Self, TelemetryError> {
        let failed = |source| TelemetryError::Listen { address, source };
        let listener = TcpListener::bind(address).await.map_err(failed)?;
        let address = listener.local_addr().map_err(failed)?;
        Ok(Self { listener, address, state: OpsState { telemetry, readiness: Arc::new(readiness) } })
    }

    /// Where it listens, with the port that the system chose for port 0.
    #[must_use]
    pub const fn local_addr(&self) -> SocketAddr {
        self.address
    }

    /// Serves until `stop` is done; answers in progress get two more seconds.
    ///
    /// # Errors
    /// [`TelemetryError::Serve`].
    pub async fn serve(self, stop: impl Future<Output = ()> + Send + 'static) -> Result<(), TelemetryError> {
        let telemetry = self.state.telemetry.clone();
        let router = Router::new()
            .route("/metrics", get(show_metrics))
            .route("/livez", get(|| async { "alive\n" }))
            .route("/readyz", get(show_readiness))
            .with_state(self.state);
        let (stopping, mut stopped) = watch::channel(());
        let stop = async move {
            stop.await;
            drop(stopping);
        };
        let serving = axum::serve(self.listener, router).with_graceful_shutdown(stop).into_future();
        let patience = async move {
            // The sender only ever goes away.
            drop(stopped.changed().await);
            tokio::time::sleep(STOP_GRACE).await;
        };
        tokio::select! {
            served = serving => served.map_err(|source| TelemetryError::Serve { source }),
            () = patience => Ok(()),
            never = keep_up(telemetry) => match never {},
        }
    }
}

impl std::fmt::Debug for OpsServer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("OpsServer").field("address", &self.address).finish_non_exhaustive()
    }
}

async fn keep_up(telemetry: Telemetry) -> std::convert::Infallible {
    let mut ticks = tokio::time::interval(UPKEEP_INTERVAL);
    loop {
        ticks.tick().await;
        telemetry.run_upkeep();
    }
}

async fn show_metrics(State(state): State<OpsState>) -> impl IntoResponse {
    ([(header::CONTENT_TYPE, METRICS_TYPE)], state.telemetry.render_metrics())
}

async fn show_readiness(State(state): State<OpsState>) -> (StatusCode, String) {
    match (state.readiness)() {
        Ok(()) => (StatusCode::OK, "ready\n".to_owned()),
        Err(reason) => (StatusCode::SERVICE_UNAVAILABLE, format!("not ready: {reason}\n")),
    }
}

#[cfg(test)]
mod tests {
    use std::net::{Ipv4Addr, SocketAddr};
    use std::sync::Arc;
    use std::sync::atomic::{AtomicBool, Ordering};
    use std::time::Duration;

    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::TcpStream;
    use tokio::sync::oneshot;

    use super::OpsServer;
    use crate::telemetry::logs::Telemetry;
    use crate::telemetry::metrics;
    use crate::telemetry::probe::{ProbeOutcome, probe_ready};

    const PATIENCE: Duration = Duration::from_secs(5);

    async fn ask(address: SocketAddr, path: &str) -> String {
        let mut stream = TcpStream::connect(address).await.expect("connects");
        let request = format!("GET {path} HTTP/1.1\r\nhost: test\r\nconnection: close\r\n\r\n");
        stream.write_all(request.as_bytes()).await.expect("asks");
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.expect("answers");
        answer
    }

    #[tokio::test]
    async fn operators_see_metrics_and_readiness_until_the_stop() {
        let recorder = metrics::recorder();
        let telemetry = Telemetry::from_handle(recorder.handle());
        ::metrics::with_local_recorder(&recorder, || metrics::frame_dropped(metrics::DropReason::QueueFull));
        let is_ready = Arc::new(AtomicBool::new(false));
        let readiness = {
            let is_ready = Arc::clone(&is_ready);
            move || is_ready.load(Ordering::Relaxed).then_some(()).ok_or_else(|| "models are warming up".to_owned())
        };
        let any_port = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
        let server = OpsServer::bind(any_port, telemetry, readiness).await.expect("binds");
        let address = server.local_addr();
        let (stop, stopped) = oneshot::channel::<()>();
        let serving = tokio::spawn(server.serve(async { drop(stopped.await) }));

        assert!(ask(address, "/livez").await.starts_with("HTTP/1.1 200"));
        let answer = ask(address, "/readyz").await;
        assert!(answer.starts_with("HTTP/1.1 503") && answer.contains("warming up"), "{answer}");
        let outcome = probe_ready(address, PATIENCE).await;
        assert_eq!(outcome, ProbeOutcome::NotReady { answer: "not ready: models are warming up".to_owned() });
        is_ready.store(true, Ordering::Relaxed);
        assert_eq!(probe_ready(address, PATIENCE).await, ProbeOutcome::Ready);
        let answer = ask(address, "/metrics").await;
        assert!(answer.contains("bonafide_service_frames_dropped_total{reason=\"queue_full\"} 1"), "{answer}");
        assert!(ask(address, "/other").await.starts_with("HTTP/1.1 404"));

        // A connection that says nothing does not hold up the stop.
        let _silent = TcpStream::connect(address).await.expect("connects");
        drop(stop);
        let served = tokio::time::timeout(PATIENCE, serving).await.expect("stops in time");
        served.expect("does not panic").expect("stops orderly");
        assert!(matches!(probe_ready(address, PATIENCE).await, ProbeOutcome::Unreachable { .. }));
    }
}
