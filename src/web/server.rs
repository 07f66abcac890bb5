//! The listener of the pages, from its start to an orderly end.

use std::future::{Future, IntoFuture as _};
use std::net::SocketAddr;
use std::time::Duration;

use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio_util::task::AbortOnDropHandle;

use super::connections::{Connections, Peer};
use super::oidc::{Oidc, OidcOptions};
use super::options::{WebError, WebOptions};
use super::routes::router;
use super::state::{Web, WebServices};
use super::tls::acceptor;

/// Answers in progress may take so long once the stop signal came.
const STOP_GRACE: Duration = Duration::from_secs(5);

/// Pages that are served. Dropping it stops them without the courtesies.
#[derive(Debug)]
pub struct WebServer {
    address: SocketAddr,
    task: AbortOnDropHandle<Result<(), WebError>>,
}

impl WebServer {
    /// Where it listens, with the port that was really taken.
    #[must_use]
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// Waits for the end, which the shutdown signal given to [`serve`] brings about.
    ///
    /// # Errors
    /// [`WebError::Panicked`] when it has a defect.
    pub async fn join(self) -> Result<(), WebError> {
        self.task.await.unwrap_or(Err(WebError::Panicked))
    }
}

/// Opens the port and serves until `shutdown`; then nothing new is accepted, and answers in progress get some seconds.
///
/// # Errors
/// [`WebError`] when an option cannot be used, a file cannot be read, or the port cannot be opened.
pub async fn serve(
    options: &WebOptions,
    services: WebServices,
    shutdown: impl Future<Output = ()> + Send + 'static,
) -> Result<WebServer, WebError> {
    options.validate()?;
    let tls = match &options.tls {
        Some(tls) => Some(acceptor(tls).await?),
        None => None,
    };
    let failed = |source| WebError::Bind { listen: options.listen, source };
    let listener = TcpListener::bind(options.listen).await.map_err(failed)?;
    let address = listener.local_addr().map_err(failed)?;
    let oidc = match options.oidc.clone() {
        Some(oidc) => Some(identity_provider(oidc, options.origin_at(address)).await?),
        None => None,
    };
    let connections = Connections::new(listener, options.max_connections, tls);
    let (ending, ended) = watch::channel(false);
    let web = Web::new(options.clone(), services, oidc, ended.clone());
    let app = router(web).into_make_service_with_connect_info::<Peer>();
    let stop = async move {
        shutdown.await;
        ending.send_replace(true);
    };
    let serving = axum::serve(connections, app).with_graceful_shutdown(stop).into_future();
    tracing::info!(web.address = %address, web.is_tls = options.tls.is_some(), web.is_secure = options.is_secure(), "serving pages");
    let task = async move {
        tokio::select! {
            // An error here would be that of a listener that does not fail.
            _served = serving => {}
            () = patience(ended) => {}
        }
        tracing::info!("stopped serving pages");
        Ok(())
    };
    Ok(WebServer { address, task: AbortOnDropHandle::new(tokio::spawn(task)) })
}

/// Gets ready to log people in with an identity provider.
async fn identity_provider(options: OidcOptions, origin: String) -> Result<Oidc, WebError> {
    tracing::info!(oidc.issuer = options.issuer, oidc.origin = origin, "people can log in with an identity provider");
    let made = tokio::task::spawn_blocking(move || Oidc::new(options, &origin)).await;
    let made = made.map_err(|_panic| WebError::Panicked)?;
    made.map_err(|error| WebError::Oidc { source: Box::new(error) })
}

/// Done some seconds after the end began.
async fn patience(mut ended: watch::Receiver<bool>) {
    // The sender lives until it told of the end.
    drop(ended.wait_for(|is_ended| *is_ended).await);
    tokio::time::sleep(STOP_GRACE).await;
}
