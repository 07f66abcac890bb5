//! A client of the live service for the command line: it streams pictures, reads typed events, and resumes by itself when the
//! connection breaks or the server shuts down.

mod error;
mod outbox;
mod run;

use std::path::PathBuf;
use std::time::Duration;

use secrecy::{ExposeSecret as _, SecretString};
use tokio::sync::mpsc;
use tokio_util::task::AbortOnDropHandle;
use tonic::metadata::{Ascii, MetadataValue};
use tonic::service::Interceptor;
use tonic::service::interceptor::InterceptedService;
use tonic::transport::{Certificate, Channel, ClientTlsConfig, Endpoint};
use tonic::{Request, Status};

use crate::media::{VideoFormat, VideoSample};
use crate::service::{Acknowledgement, LiveEvent, SessionView, StreamOptions, StreamReady};
use crate::session::{SessionId, Track, TrackId};

use super::convert::session_from_wire;
use super::name;
use super::options::MAX_MESSAGE_BYTES;
use super::proto::v1;
use super::proto::v1::live_service_client::LiveServiceClient;
use super::proto::v1::session_service_client::SessionServiceClient;

pub use self::error::ClientError;

const CONNECT_PATIENCE: Duration = Duration::from_secs(10);
const KEEPALIVE_INTERVAL: Duration = Duration::from_secs(20);
const STREAM_WINDOW_BYTES: u32 = 4 * 1024 * 1024;
const CONNECTION_WINDOW_BYTES: u32 = 8 * 1024 * 1024;
/// Commands and events that may wait between the caller and the connection.
const QUEUED: usize = 16;

/// Where the server is and how to be let in.
#[derive(Clone, Debug, Default)]
pub struct ClientOptions {
    /// `http://host:port` or `https://host:port`.
    pub endpoint: String,
    /// Sent as `authorization: Bearer KEY`.
    pub api_key: Option<SecretString>,
    /// Authority of the server's certificate, PEM; needed for `https`.
    pub ca_cert: Option<PathBuf>,
}

/// What the caller puts into a stream.
#[derive(Clone, Debug)]
pub enum ClientCommand {
    /// A video sample.
    Video {
        /// Its track.
        track_id: TrackId,
        /// The sample.
        sample: VideoSample,
    },
    /// A track appeared or changed, with the format its samples default to.
    UpsertTrack(Track, Option<VideoFormat>),
    /// A track ended.
    RemoveTrack(TrackId),
}

/// What comes out of a stream.
#[derive(Clone, Debug)]
pub enum ClientEvent {
    /// The server accepted the stream; again after every resume.
    Ready(StreamReady),
    /// The connection is lost; it will be resumed after `delay`.
    Resuming {
        /// Counts from 1 since the last progress.
        attempt: u32,
        /// How long is waited before.
        delay: Duration,
        /// What happened.
        problem: String,
    },
    /// Samples up to here are durably accounted for.
    Ack {
        /// How far, and what was shed.
        ack: Acknowledgement,
        /// From the arrival of the acknowledged sample at the server to the acknowledgement, as the server says; `None` when it
        /// says nothing usable.
        processing_time: Option<Duration>,
    },
    /// What else the session has to say, acknowledgements aside; after [`LiveEvent::Ended`] nothing more comes.
    Live(LiveEvent),
}

/// A stream under way.
#[derive(Debug)]
pub struct ClientStream {
    /// Takes samples and track updates; waits while the server is behind. Dropping it ends the input.
    pub commands: mpsc::Sender<ClientCommand>,
    /// Events, closed after the end or the first error.
    pub events: mpsc::Receiver<Result<ClientEvent, ClientError>>,
    _task: AbortOnDropHandle<()>,
}

/// Adds the key to every call.
#[derive(Clone)]
pub(super) struct Credential(Option<MetadataValue<Ascii>>);

impl Interceptor for Credential {
    fn call(&mut self, mut request: Request<()>) -> Result<Request<()>, Status> {
        if let Some(value) = &self.0 {
            request.metadata_mut().insert("authorization", value.clone());
        }
        Ok(request)
    }
}

type Transport = InterceptedService<Channel, Credential>;

/// A connection to one server.
#[derive(Clone)]
pub struct LiveClient {
    live: LiveServiceClient<Transport>,
    sessions: SessionServiceClient<Transport>,
}

impl std::fmt::Debug for LiveClient {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("LiveClient").finish_non_exhaustive()
    }
}

impl LiveClient {
    /// Connects.
    ///
    /// # Errors
    /// [`ClientError::BadOption`] for an endpoint, key or file that cannot be used, [`ClientError::Connect`] when nobody answers.
    pub async fn connect(options: &ClientOptions) -> Result<Self, ClientError> {
        let bad = |key, problem: String| ClientError::BadOption { key, problem };
        let mut endpoint = Endpoint::from_shared(options.endpoint.clone())
            .map_err(|error| bad("endpoint", format!("is not http://host:port: {error}")))?
            .connect_timeout(CONNECT_PATIENCE)
            .initial_stream_window_size(STREAM_WINDOW_BYTES)
            .initial_connection_window_size(CONNECTION_WINDOW_BYTES)
            .http2_keep_alive_interval(KEEPALIVE_INTERVAL)
            .keep_alive_while_idle(true);
        if let Some(path) = &options.ca_cert {
            let pem = tokio::fs::read(path)
                .await
                .map_err(|error| bad("ca_cert", format!("cannot read {}: {error}", path.display())))?;
            let tls = ClientTlsConfig::new().ca_certificate(Certificate::from_pem(pem));
            endpoint = endpoint.tls_config(tls).map_err(|source| ClientError::Connect { source })?;
        }
        let credential = options
            .api_key
            .as_ref()
            .map(|key| {
                let mut value: MetadataValue<Ascii> = format!("Bearer {}", key.expose_secret())
                    .parse()
                    .map_err(|_| bad("api_key", "holds characters that cannot stand in a header".to_owned()))?;
                value.set_sensitive(true);
                Ok::<_, ClientError>(value)
            })
            .transpose()?;
        let channel = endpoint.connect().await.map_err(|source| ClientError::Connect { source })?;
        let transport = InterceptedService::new(channel, Credential(credential));
        Ok(Self {
            live: LiveServiceClient::new(transport.clone())
                .max_decoding_message_size(MAX_MESSAGE_BYTES)
                .max_encoding_message_size(MAX_MESSAGE_BYTES),
            sessions: SessionServiceClient::new(transport),
        })
    }

    /// Starts a stream; its events say what becomes of it.
    #[must_use]
    pub fn stream(&self, options: StreamOptions) -> ClientStream {
        let (commands, command_receiver) = mpsc::channel(QUEUED);
        let (event_sender, events) = mpsc::channel(QUEUED);
        let task = tokio::spawn(run::run(self.live.clone(), options, command_receiver, event_sender));
        ClientStream { commands, events, _task: AbortOnDropHandle::new(task) }
    }

    /// Gets a session.
    ///
    /// # Errors
    /// [`ClientError::Rpc`] with the server's answer.
    pub async fn get(&self, id: &SessionId) -> Result<SessionView, ClientError> {
        let request = v1::GetSessionRequest { name: name::session_name(id) };
        view(self.sessions.clone().get_session(request).await?.into_inner().session)
    }

    /// Finishes a session.
    ///
    /// # Errors
    /// [`ClientError::Rpc`] with the server's answer.
    pub async fn finish(&self, id: &SessionId) -> Result<SessionView, ClientError> {
        let request = v1::FinishSessionRequest { name: name::session_name(id) };
        view(self.sessions.clone().finish_session(request).await?.into_inner().session)
    }
}

fn view(session: Option<v1::Session>) -> Result<SessionView, ClientError> {
    let session = session.ok_or(ClientError::Protocol { problem: "session is not set".to_owned() })?;
    Ok(session_from_wire(session)?)
}
