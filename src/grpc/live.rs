//! `bonafide.v1.LiveService`.

mod arrivals;
mod frames;
mod replies;
mod stream;
mod watch;

use std::sync::Arc;
use std::time::Duration;

use tonic::{Request, Response, Status, Streaming};

use crate::service::{Interviews, StreamReady};

use super::access;
use super::call::{CallError, Calls};
use super::convert::video_format_to_wire;
use super::name;
use super::options::MAX_MESSAGE_BYTES;
use super::proto::v1;
use super::proto::v1::live_service_server::LiveService;
use super::server::ServerVersions;

use self::replies::{ReplyStream, StreamWatch};

/// The live service.
#[derive(Clone)]
pub(super) struct Live {
    /// The use cases.
    pub(super) interviews: Interviews,
    /// The bounds of unary calls.
    pub(super) calls: Arc<Calls>,
    /// What runs here.
    pub(super) versions: Arc<ServerVersions>,
    /// How long the first message of a stream may take.
    pub(super) config_patience: Duration,
    /// How long a client may take none of its answers.
    pub(super) reader_patience: Duration,
}

impl Live {
    /// What scores a session, for the first answer.
    fn versions_of(&self, ready: &StreamReady) -> v1::Versions {
        v1::Versions {
            server: self.versions.server.clone(),
            policy: ready.policy.clone(),
            models: self.versions.models.clone(),
            provider: self.versions.provider.clone(),
        }
    }
}

/// The first answer on a stream.
fn ready_to_wire(ready: &StreamReady, versions: v1::Versions) -> v1::StreamReady {
    use crate::media::VideoFormat;

    let accepted = [
        VideoFormat::Jpeg,
        VideoFormat::Png,
        VideoFormat::WebP,
        VideoFormat::Rgb24,
        VideoFormat::Bgr24,
        VideoFormat::Rgba32,
        VideoFormat::Bgra32,
        VideoFormat::I420,
        VideoFormat::Nv12,
        VideoFormat::H264,
        VideoFormat::Vp8,
        VideoFormat::Vp9,
        VideoFormat::Av1,
    ];
    v1::StreamReady {
        session: name::session_name(&ready.session_id),
        resume_token: ready.resume_token.clone(),
        max_message_bytes: u32::try_from(MAX_MESSAGE_BYTES).unwrap_or(u32::MAX),
        accepted_video_formats: accepted.into_iter().map(|format| video_format_to_wire(format).into()).collect(),
        resume_from: ready
            .resume_from
            .iter()
            .map(|(track_id, sequence)| v1::TrackProgress {
                track_id: track_id.as_str().to_owned(),
                sequence: *sequence,
            })
            .collect(),
        versions: Some(versions),
    }
}

#[tonic::async_trait]
impl LiveService for Live {
    type AnalyzeStreamStream = ReplyStream<v1::AnalyzeStreamResponse>;
    type WatchSessionStream = ReplyStream<v1::WatchSessionResponse>;

    async fn analyze_stream(
        &self,
        request: Request<Streaming<v1::AnalyzeStreamRequest>>,
    ) -> Result<Response<Self::AnalyzeStreamStream>, Status> {
        let watch = StreamWatch::start("LiveService/AnalyzeStream");
        let (_, extensions, inbound) = request.into_parts();
        let (live, caller) = (self.clone(), access::caller(&extensions)?);
        // The headers go out at once: some clients wait for them before they send anything.
        Ok(Response::new(replies::spawn(watch, self.reader_patience, |replies| async move {
            stream::drive(&live, &caller, inbound, &replies).await
        })))
    }

    async fn analyze_frames(
        &self,
        request: Request<v1::AnalyzeFramesRequest>,
    ) -> Result<Response<v1::AnalyzeFramesResponse>, Status> {
        let (metadata, extensions, message) = request.into_parts();
        let caller = access::caller(&extensions)?;
        let limit = self.calls.time_limit(&metadata);
        let work = frames::analyze(self, &caller, message, limit);
        self.calls.run("LiveService/AnalyzeFrames", &metadata, work).await
    }

    async fn watch_session(
        &self,
        request: Request<v1::WatchSessionRequest>,
    ) -> Result<Response<Self::WatchSessionStream>, Status> {
        let watch = StreamWatch::start("LiveService/WatchSession");
        let (_, extensions, message) = request.into_parts();
        let caller = access::caller(&extensions)?;
        let followed: Result<_, CallError> = async {
            let id = name::parse_session("session", &message.session)?;
            let events = self.interviews.watch(&caller, &id).await?;
            Ok((id, events))
        }
        .await;
        let (id, events) = match followed {
            Ok(followed) => followed,
            Err(error) => {
                let status = error.to_status();
                watch.end(status.code());
                return Err(status);
            }
        };
        Ok(Response::new(replies::spawn(watch, self.reader_patience, |replies| async move {
            watch::forward(&id, events, &replies).await
        })))
    }
}
