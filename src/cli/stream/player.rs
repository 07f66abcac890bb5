//! Plays one recording to a server: reads ahead on a thread, sends at the pace of the recording or of the server.

use std::collections::BTreeMap;
use std::io::Write as _;
use std::path::Path;
use std::time::Duration;

use anyhow::{Context as _, bail};
use bytes::Bytes;
use indicatif::{ProgressBar, ProgressStyle};
use serde_json::{Value, json};
use tokio::sync::{mpsc, watch};
use tokio::time::Instant;

use crate::grpc::{ClientCommand, ClientError, ClientEvent, LiveClient};
use crate::media::{MediaLimits, PixelLayout, Recording, Rotation, VideoFormat, VideoFrame, VideoSample, encode_jpeg};
use crate::service::{EndCause, LiveEvent, NewSession, SessionView, StreamOptions};
use crate::session::{ParticipantId, SessionEvent, SessionId, SourceKind, Track, TrackId};

use super::{SendFormat, Speed, StreamArgs};
use crate::cli::result::{participant_json, segment_json};

/// Samples read ahead of the network.
const READ_AHEAD: usize = 8;
/// Unacknowledged frames at full speed: enough to keep the server busy, below what it would shed.
const MAX_IN_FLIGHT: u64 = 96;
/// Quality of the stills, as a browser's canvas would make them.
const JPEG_QUALITY: u8 = 90;
/// How long the server has to answer at the end.
const FAREWELL: Duration = Duration::from_mins(1);
/// How often a progress bar is drawn.
const TICK: Duration = Duration::from_millis(120);
/// What is filed as consent when somebody streams a recording of his own.
const OWN_RECORDING: &str = "own-recording";

/// How one recording went.
pub(super) struct Outcome {
    pub(super) session: SessionView,
    pub(super) n_sent: u64,
    pub(super) n_dropped: u64,
    pub(super) n_problems: u64,
}

/// What one recording needs to be played.
pub(super) struct Player<'a> {
    pub(super) args: &'a StreamArgs,
    pub(super) limits: MediaLimits,
    pub(super) client: &'a LiveClient,
    pub(super) reference: Option<&'a [u8]>,
}

/// What the server said so far.
#[derive(Clone, Copy, Debug, Default)]
struct Heard {
    acknowledged: Option<u64>,
    n_dropped: u64,
    n_problems: u64,
    wanted_hz: f64,
    is_over: bool,
}

/// What sending needs of an open stream; dropped, it ends the input.
struct Line {
    commands: mpsc::Sender<ClientCommand>,
    hears: watch::Receiver<Heard>,
    track_id: TrackId,
}

impl Player<'_> {
    /// Streams the file, finishes the session and gives back how it was scored.
    pub(super) async fn play(&self, path: &Path, session_id: SessionId) -> anyhow::Result<Outcome> {
        let track_id = TrackId::new("recording")?;
        let participant_id = ParticipantId::new(&self.args.participant)?;
        let format = match self.args.send {
            SendFormat::Jpeg => Some(VideoFormat::Jpeg),
            SendFormat::I420 => Some(VideoFormat::I420),
            SendFormat::Coded => None,
        };
        let consent_reference = self.args.consent_reference.clone().unwrap_or_else(|| OWN_RECORDING.to_owned());
        let track = Track {
            track_id: track_id.clone(),
            participant_id: participant_id.clone(),
            kind: SourceKind::Camera,
            device: None,
        };
        let options = StreamOptions {
            session_id: session_id.clone(),
            create: Some(NewSession {
                consent_reference,
                candidate: self.args.candidate.clone(),
                display_name: self.args.display_name.clone(),
                ..NewSession::default()
            }),
            tracks: vec![(track, format)],
            policy: String::new(),
            resume_token: None,
            score_interval: None,
            references: self
                .reference
                .iter()
                .map(|image| (participant_id.clone(), Bytes::copy_from_slice(image)))
                .collect(),
        };
        let (samples, duration_secs) = read_ahead(path, self.limits, self.args.send)?;
        let bar = self.progress_bar(path, duration_secs);
        let stream = self.client.stream(options);
        let (heard, hears) = watch::channel(Heard::default());
        let listener = tokio::spawn(listen(stream.events, heard, self.args.json, session_id.clone()));
        // Sending ends the input; the server answers with what is left.
        let sent = self.send(samples, Line { commands: stream.commands, hears, track_id }, &bar).await;
        bar.finish_and_clear();
        let heard =
            tokio::time::timeout(FAREWELL, listener).await.context("the server did not end the stream")???;
        let n_sent = sent?;
        let session = self.client.finish(&session_id).await?;
        Ok(Outcome { session, n_sent, n_dropped: heard.n_dropped, n_problems: heard.n_problems })
    }

    async fn send(
        &self,
        mut samples: mpsc::Receiver<anyhow::Result<VideoSample>>,
        line: Line,
        bar: &ProgressBar,
    ) -> anyhow::Result<u64> {
        let Line { commands, mut hears, track_id } = line;
        let start = Instant::now();
        let (mut first_at, mut next_due_secs, mut n_sent) = (None, f64::NEG_INFINITY, 0_u64);
        while let Some(sample) = samples.recv().await {
            let sample = sample?;
            let at = sample.media_time;
            let elapsed_secs = at.secs_since(*first_at.get_or_insert(at)).max(0.0);
            // Coded units depend on each other: all are sent. Pictures are thinned to what was asked for.
            if self.args.send != SendFormat::Coded {
                let rate_hz = self.args.fps.unwrap_or_else(|| hears.borrow().wanted_hz);
                if elapsed_secs < next_due_secs {
                    continue;
                }
                next_due_secs = if rate_hz > 0.0 { elapsed_secs + 0.9 / rate_hz } else { elapsed_secs };
            }
            match self.args.speed {
                Speed::Realtime => tokio::time::sleep_until(start + Duration::from_secs_f64(elapsed_secs)).await,
                Speed::Max => {
                    let has_room = |heard: &Heard| {
                        heard.is_over || sample.sequence.saturating_sub(heard.acknowledged.unwrap_or(0)) < MAX_IN_FLIGHT
                    };
                    if hears.wait_for(has_room).await.is_err() {
                        break;
                    }
                }
            }
            if hears.borrow().is_over {
                break;
            }
            #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a bar's position")]
            bar.set_position((elapsed_secs * 1_000.0) as u64);
            if commands.send(ClientCommand::Video { track_id: track_id.clone(), sample }).await.is_err() {
                break;
            }
            n_sent += 1;
        }
        Ok(n_sent)
    }

    fn progress_bar(&self, path: &Path, duration_secs: Option<f64>) -> ProgressBar {
        if !self.args.shows_progress() {
            return ProgressBar::hidden();
        }
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a bar's length")]
        let bar = duration_secs
            .map_or_else(ProgressBar::no_length, |secs| ProgressBar::new((secs.max(0.0) * 1_000.0) as u64));
        if let Ok(style) = ProgressStyle::with_template("{msg:24!} {wide_bar:.cyan/dim} {percent:>3} % {eta:>4}") {
            bar.set_style(style);
        }
        bar.set_message(path.file_name().unwrap_or_default().to_string_lossy().into_owned());
        bar.enable_steady_tick(TICK);
        bar
    }
}

/// Takes the server's messages to the end; prints each as a JSON line when asked to.
async fn listen(
    mut events: mpsc::Receiver<Result<ClientEvent, ClientError>>,
    heard: watch::Sender<Heard>,
    is_json: bool,
    session_id: SessionId,
) -> anyhow::Result<Heard> {
    let mut dropped: BTreeMap<TrackId, u64> = BTreeMap::new();
    let mut outcome = Ok(());
    while let Some(event) = events.recv().await {
        let event = match event {
            Ok(event) => event,
            Err(error) => {
                outcome = Err(error.into());
                break;
            }
        };
        if is_json && let Some(line) = event_json(&event, &session_id) {
            writeln!(std::io::stdout().lock(), "{line}")?;
        }
        match event {
            ClientEvent::Ack { ack, .. } => {
                dropped.insert(ack.track_id, ack.dropped_frames);
                heard.send_modify(|heard| {
                    heard.acknowledged = Some(ack.sequence);
                    heard.n_dropped = dropped.values().sum();
                });
            }
            ClientEvent::Live(LiveEvent::SampleProblem(problem)) => {
                tracing::warn!(frame.idx = problem.sequence, "the server refused a frame: {}", problem.message);
                heard.send_modify(|heard| heard.n_problems += 1);
            }
            ClientEvent::Live(LiveEvent::Session(SessionEvent::Pacing(pacing))) => {
                heard.send_modify(|heard| heard.wanted_hz = pacing.frames_per_second);
            }
            ClientEvent::Resuming { attempt, delay, problem } => {
                tracing::warn!(attempt, delay_secs = delay.as_secs_f64(), "connection lost, resuming: {problem}");
            }
            ClientEvent::Live(LiveEvent::Ended(cause)) => {
                outcome = match cause {
                    None | Some(EndCause::Finished) => Ok(()),
                    Some(cause) => Err(anyhow::anyhow!("the server ended the stream: {cause:?}")),
                };
            }
            ClientEvent::Ready(_) | ClientEvent::Live(LiveEvent::Session(_) | LiveEvent::Ack(_)) => {}
        }
    }
    heard.send_modify(|heard| heard.is_over = true);
    outcome.map(|()| *heard.borrow())
}

/// A message of the server as one JSON object; acknowledgements are left out.
fn event_json(event: &ClientEvent, session_id: &SessionId) -> Option<Value> {
    let (kind, mut object) = match event {
        ClientEvent::Ready(ready) => {
            let from = ready.resume_from.iter().map(|(track, sequence)| (track.to_string(), json!(sequence)));
            ("ready", json!({ "resume_from": from.collect::<serde_json::Map<_, _>>() }))
        }
        ClientEvent::Resuming { attempt, delay, problem } => {
            ("resuming", json!({ "attempt": attempt, "delay_secs": delay.as_secs_f64(), "problem": problem }))
        }
        ClientEvent::Live(LiveEvent::Session(SessionEvent::Score { participant_id, score })) => {
            ("score", participant_json(participant_id, score))
        }
        ClientEvent::Live(LiveEvent::Session(SessionEvent::Segment { segment, .. })) => {
            ("segment", segment_json(segment))
        }
        ClientEvent::Live(LiveEvent::Session(SessionEvent::Pacing(pacing))) => {
            ("pacing", json!({ "frames_per_second": pacing.frames_per_second, "min_height_px": pacing.min_height_px }))
        }
        ClientEvent::Live(LiveEvent::SampleProblem(problem)) => {
            ("sample_problem", json!({ "sequence": problem.sequence, "message": problem.message }))
        }
        ClientEvent::Live(LiveEvent::Ended(cause)) => {
            ("ended", json!({ "cause": cause.map(|cause| format!("{cause:?}")) }))
        }
        ClientEvent::Ack { .. } | ClientEvent::Live(LiveEvent::Ack(_)) => return None,
    };
    object["event"] = kind.into();
    object["session"] = session_id.as_str().into();
    Some(object)
}

/// Reads samples on a thread of their own; gives back the recording's duration as well.
fn read_ahead(
    path: &Path,
    limits: MediaLimits,
    send: SendFormat,
) -> anyhow::Result<(mpsc::Receiver<anyhow::Result<VideoSample>>, Option<f64>)> {
    let mut recording = Recording::open(path, &limits)?;
    let duration_secs = recording.info().duration_secs;
    let (sender, samples) = mpsc::channel(READ_AHEAD);
    tokio::task::spawn_blocking(move || {
        loop {
            let sample = match send {
                SendFormat::Coded => recording.next_coded_sample().map_err(anyhow::Error::from),
                SendFormat::Jpeg | SendFormat::I420 => recording
                    .next_frame()
                    .map_err(anyhow::Error::from)
                    .and_then(|frame| frame.map(|frame| picture_sample(&frame, send)).transpose()),
            };
            let is_last = !matches!(sample, Ok(Some(_)));
            let message = sample.transpose();
            if message.is_some_and(|message| sender.blocking_send(message).is_err()) || is_last {
                return;
            }
        }
    });
    Ok((samples, duration_secs))
}

fn picture_sample(frame: &VideoFrame, send: SendFormat) -> anyhow::Result<VideoSample> {
    let (format, layout, data) = match send {
        SendFormat::Jpeg => (VideoFormat::Jpeg, None, encode_jpeg(frame.picture.to_rgb().view(), JPEG_QUALITY)?),
        SendFormat::I420 => {
            let image = frame.picture.to_rgb();
            let layout = PixelLayout { width: image.width(), height: image.height(), ..PixelLayout::default() };
            (VideoFormat::I420, Some(layout), crate::media::encode_i420(image.view()))
        }
        SendFormat::Coded => bail!("coded units are not made of pictures"),
    };
    Ok(VideoSample {
        sequence: frame.sequence,
        media_time: frame.media_time,
        format: Some(format),
        layout,
        rotation: Rotation::None,
        keyframe: true,
        data: Bytes::from(data),
    })
}
