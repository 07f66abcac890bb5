//! Bare messages of the contract, right and wrong ones, without the client that would put them right.

use std::net::SocketAddr;
use std::path::PathBuf;

use bonafide::grpc::proto::v1;
use bonafide::grpc::proto::v1::analyze_stream_request::Message as Say;
use bonafide::grpc::proto::v1::analyze_stream_response::Message as Heard;
use bonafide::grpc::proto::v1::live_service_client::LiveServiceClient;
use bonafide::grpc::proto::v1::session_service_client::SessionServiceClient;
use bonafide::media::{MediaLimits, Recording, encode_jpeg};
use bytes::Bytes;
use image::codecs::jpeg::JpegEncoder;
use image::{Rgb, RgbImage};
use prost_types::Duration as WireDuration;
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;
use tonic::transport::Channel;
use tonic::{Status, Streaming};

use crate::harness::PATIENCE;

/// The one track of most tests.
pub(crate) const TRACK: &str = "camera-1";
/// Pictures a second of what [`moving_pictures`] gives.
pub(crate) const PICTURE_HZ: f64 = 8.0;
const JPEG_QUALITY: u8 = 85;

/// A connection to a server.
#[derive(Clone)]
pub(crate) struct Client {
    pub(crate) live: LiveServiceClient<Channel>,
    pub(crate) sessions: SessionServiceClient<Channel>,
}

impl Client {
    pub(crate) async fn connect(address: SocketAddr) -> Self {
        let endpoint = tonic::transport::Endpoint::from_shared(format!("http://{address}")).expect("an address");
        let channel = endpoint.connect().await.expect("the server listens");
        Self { live: LiveServiceClient::new(channel.clone()), sessions: SessionServiceClient::new(channel) }
    }

    /// Opens a stream and reads its first answer.
    pub(crate) async fn open(&self, config: v1::StreamConfig) -> Result<(Stream, v1::StreamReady), Status> {
        let (sender, receiver) = mpsc::channel(16);
        let first = v1::AnalyzeStreamRequest { message: Some(Say::Config(config)) };
        sender.send(first).await.expect("there is room");
        let replies = self.live.clone().analyze_stream(ReceiverStream::new(receiver)).await?.into_inner();
        let mut stream = Stream { sender: Some(sender), replies };
        match stream.next().await? {
            Some(Heard::Ready(ready)) => Ok((stream, ready)),
            other => panic!("the first answer is {other:?}"),
        }
    }

    /// Finishes a session.
    pub(crate) async fn finish(&self, session: &str) -> v1::Session {
        let request = v1::FinishSessionRequest { name: format!("sessions/{session}") };
        let answer = self.sessions.clone().finish_session(request).await.expect("finishes").into_inner();
        answer.session.expect("is set")
    }

    /// Gets a session.
    pub(crate) async fn get(&self, session: &str) -> v1::Session {
        let request = v1::GetSessionRequest { name: format!("sessions/{session}") };
        self.sessions.clone().get_session(request).await.expect("exists").into_inner().session.expect("is set")
    }
}

/// An open stream.
pub(crate) struct Stream {
    sender: Option<mpsc::Sender<v1::AnalyzeStreamRequest>>,
    replies: Streaming<v1::AnalyzeStreamResponse>,
}

impl Stream {
    /// Sends a message; `false` when the stream takes no more.
    pub(crate) async fn say(&self, message: Say) -> bool {
        let Some(sender) = &self.sender else { return false };
        sender.send(v1::AnalyzeStreamRequest { message: Some(message) }).await.is_ok()
    }

    /// Sends a picture.
    pub(crate) async fn show(&self, frame: v1::VideoFrame) -> bool {
        self.say(sample(TRACK, frame)).await
    }

    /// Ends the client's side.
    pub(crate) fn end(&mut self) {
        self.sender = None;
    }

    /// The next answer; `None` at the end.
    pub(crate) async fn next(&mut self) -> Result<Option<Heard>, Status> {
        let answer = tokio::time::timeout(PATIENCE, self.replies.message()).await.expect("an answer in time")?;
        Ok(answer.map(|answer| answer.message.expect("is set")))
    }

    /// Reads until the track is acknowledged up to `sequence`; everything on the way.
    pub(crate) async fn until_acked(&mut self, sequence: u64) -> Vec<Heard> {
        let mut heard = Vec::new();
        loop {
            let answer = self.next().await.expect("the stream goes on").expect("more answers");
            let is_it = matches!(&answer, Heard::Ack(ack) if ack.track_id == TRACK && ack.sequence >= sequence);
            assert!(!matches!(answer, Heard::Ended(_)), "ended before {sequence}: {answer:?} after {heard:?}");
            heard.push(answer);
            if is_it {
                return heard;
            }
        }
    }

    /// Reads to the end; everything, and the status.
    pub(crate) async fn until_ended(&mut self) -> (Vec<Heard>, Result<(), Status>) {
        let mut heard = Vec::new();
        loop {
            match self.next().await {
                Ok(Some(answer)) => heard.push(answer),
                Ok(None) => return (heard, Ok(())),
                Err(status) => return (heard, Err(status)),
            }
        }
    }
}

/// The latest score of each participant of a session.
pub(crate) fn scores(session: &v1::Session) -> Vec<&v1::Score> {
    session.participants.iter().map(|participant| participant.score.as_ref().expect("is set")).collect()
}

/// A config that creates the session when it is missing, with one camera.
pub(crate) fn config(session: &str) -> v1::StreamConfig {
    v1::StreamConfig {
        session: format!("sessions/{session}"),
        create_if_missing: true,
        tracks: vec![track(TRACK)],
        new_session: Some(v1::Session { consent_reference: "consents/1".into(), ..v1::Session::default() }),
        ..v1::StreamConfig::default()
    }
}

/// A camera track.
pub(crate) fn track(track_id: &str) -> v1::Track {
    v1::Track {
        track_id: track_id.into(),
        participant_id: "candidate-1".into(),
        kind: v1::SourceKind::Camera.into(),
        ..v1::Track::default()
    }
}

/// A video sample as a message.
pub(crate) fn sample(track_id: &str, frame: v1::VideoFrame) -> Say {
    let payload = Some(v1::media_sample::Payload::Video(frame));
    Say::Sample(v1::MediaSample { track_id: track_id.into(), payload })
}

/// A frame of unnamed format at [`PICTURE_HZ`].
pub(crate) fn frame(sequence: u64, data: Bytes) -> v1::VideoFrame {
    let millis = i64::try_from(sequence).expect("small") * 1_000 / 8;
    v1::VideoFrame { sequence, media_time: Some(at_millis(millis)), data, ..v1::VideoFrame::default() }
}

/// A time on the media clock.
pub(crate) fn at_millis(millis: i64) -> WireDuration {
    let nanos = i32::try_from(millis % 1_000 * 1_000_000).expect("below a second");
    WireDuration { seconds: millis / 1_000, nanos }
}

/// A picture of stripes, without a face.
pub(crate) fn stripes(width: u32, height: u32, shift: u64) -> RgbImage {
    let shade = u8::try_from(shift * 7 % 256).expect("a byte");
    RgbImage::from_fn(width, height, |x, _| Rgb([u8::try_from(x % 256).expect("a byte"), shade, 90]))
}

/// A picture as JPEG.
pub(crate) fn jpeg(picture: &RgbImage) -> Bytes {
    let mut bytes = Vec::new();
    JpegEncoder::new_with_quality(&mut bytes, JPEG_QUALITY).encode_image(picture).expect("a JPEG");
    bytes.into()
}

/// `n` JPEGs at [`PICTURE_HZ`]: of a person when sample media are there, of stripes when not.
pub(crate) fn moving_pictures(n: usize) -> Vec<Bytes> {
    let drawn = || (0..n).map(|number| jpeg(&stripes(320, 240, number as u64))).collect();
    let Some(path) = clip() else { return drawn() };
    let mut recording = Recording::open(&path, &MediaLimits::default()).expect("a readable clip");
    let mut pictures = Vec::with_capacity(n);
    while let Ok(Some(frame)) = recording.next_frame() {
        if frame.media_time.as_secs_f64() * PICTURE_HZ >= pictures.len() as f64 {
            pictures.push(encode_jpeg(frame.picture.to_rgb().view(), JPEG_QUALITY).expect("a JPEG").into());
        }
        if pictures.len() == n {
            return pictures;
        }
    }
    drawn()
}

/// A clip of one person, of `BONAFIDE_TEST_MEDIA` or where `scripts/setup` puts them.
fn clip() -> Option<PathBuf> {
    let home = || Some(PathBuf::from(std::env::var_os("HOME")?).join(".cache/bonafide/media"));
    let folder = std::env::var_os("BONAFIDE_TEST_MEDIA").map(PathBuf::from).or_else(home)?;
    let clips = ["clips/bona_fide", "bona_fide", ""];
    let entries = clips.iter().filter_map(|part| std::fs::read_dir(folder.join(part)).ok()).flatten();
    let paths = entries.filter_map(Result::ok).map(|entry| entry.path());
    paths.filter(|path| path.extension().is_some_and(|ending| ending == "mp4")).min()
}
