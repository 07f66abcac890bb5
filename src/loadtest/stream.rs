//! One stream: every frame when it is due, whatever the server does, and the answers as they come.

use std::time::Duration;

use tokio::sync::mpsc;
use tokio::time::{Instant, sleep_until};
use tokio_util::sync::CancellationToken;

use crate::grpc::{ClientCommand, ClientError, ClientEvent};
use crate::media::{MediaTime, Rotation, VideoSample};
use crate::service::{EndCause, LiveEvent};
use crate::session::{SessionEvent, TrackId};

use super::session::Script;
use super::tally::{Pending, Tally};

/// How long a server may take to end a stream, or to finish a session, once everything is sent.
pub(super) const FAREWELL: Duration = Duration::from_mins(1);
/// How late a frame may be taken up before the generator counts as too slow, or handed over before the connection does.
const TOLERANCE: Duration = Duration::from_millis(20);
/// Longest wait for nothing in particular.
const FAR: Duration = Duration::from_hours(24);

/// Both ends of an open stream.
#[derive(Debug)]
pub(super) struct Line {
    /// Takes frames; dropped, it ends the input.
    pub(super) commands: mpsc::Sender<ClientCommand>,
    /// What the server says.
    pub(super) events: mpsc::Receiver<Result<ClientEvent, ClientError>>,
    /// The track that frames go to.
    pub(super) track_id: TrackId,
}

/// How a stream went.
#[derive(Debug, Default)]
pub(super) struct Streamed {
    /// Whether the recording was not played to its end.
    pub(super) is_cut: bool,
    /// Why it did not end in order.
    pub(super) failure: Option<String>,
    pub(super) n_sent: u64,
    pub(super) n_dropped: u64,
    pub(super) n_refused: u64,
    /// Of acknowledged frames.
    pub(super) latencies: Vec<Duration>,
    /// How long frames waited that were never acknowledged.
    pub(super) unanswered: Vec<Duration>,
}

/// A frame whose time has come and that is not handed over yet.
#[derive(Clone, Copy)]
struct Waiting {
    due: Instant,
    /// When it was taken up.
    since: Instant,
    is_late: bool,
}

/// A stream under way.
struct Sending<'a> {
    script: &'a Script,
    tally: &'a Tally,
    pacer: Pacer,
    pending: Pending,
    /// The next picture.
    position: usize,
    waiting: Option<Waiting>,
    /// When the last frame was handed over: until then the connection held the next one back.
    free_since: Instant,
    is_ended: bool,
    streamed: Streamed,
}

/// Sends a script's frames, each when it is due, and hears the server out.
pub(super) async fn stream(line: Line, script: &Script, tally: &Tally, over: &CancellationToken) -> Streamed {
    let Line { commands, mut events, track_id } = line;
    let mut sending = Sending {
        script,
        tally,
        pacer: Pacer::new(script.follows_pacing),
        pending: Pending::default(),
        position: 0,
        waiting: None,
        free_since: script.start,
        is_ended: false,
        streamed: Streamed::default(),
    };
    let mut commands = Some(commands);
    let mut deadline = None;
    loop {
        let next_due = sending.next_due();
        if deadline.is_none() && (next_due.is_none() || over.is_cancelled()) {
            deadline = Some(sending.stop_sending());
        }
        if deadline.is_some() {
            commands = None;
        }
        let is_sending = deadline.is_none();
        tokio::select! {
            event = events.recv() => match event {
                Some(Ok(event)) => sending.hear(event),
                Some(Err(error)) => {
                    sending.fail(error.to_string());
                    break;
                }
                None => break,
            },
            () = sleep_until(next_due.unwrap_or_else(far)), if is_sending && sending.waiting.is_none() => {
                sending.take_up();
            }
            permit = reserve(commands.as_ref()), if is_sending && sending.waiting.is_some() => match permit {
                Some(permit) => {
                    if let Some(sample) = sending.hand_over() {
                        permit.send(ClientCommand::Video { track_id: track_id.clone(), sample });
                    }
                }
                // The stream is gone; why stands in the events.
                None => deadline = Some(sending.stop_sending()),
            },
            () = over.cancelled(), if is_sending => {}
            () = sleep_until(deadline.unwrap_or_else(far)), if !is_sending => {
                sending.fail(format!("the server did not end the stream within {} s of its last frame", FAREWELL.as_secs()));
                break;
            }
        }
    }
    if deadline.is_none() {
        sending.fail("the server ended the stream before everything was sent".to_owned());
        sending.stop_sending();
    }
    sending.into_streamed()
}

async fn reserve(commands: Option<&mpsc::Sender<ClientCommand>>) -> Option<mpsc::Permit<'_, ClientCommand>> {
    commands?.reserve().await.ok()
}

fn far() -> Instant {
    Instant::now() + FAR
}

impl Sending<'_> {
    /// When the next frame is due, or was; `None` when nothing is left to send.
    fn next_due(&self) -> Option<Instant> {
        let picture = self.script.footage.pictures.get(self.position)?;
        Some(self.script.start + picture.at).filter(|due| *due < self.script.end)
    }

    /// The next frame's time has come: takes it up, or leaves it out when the server asked for fewer.
    fn take_up(&mut self) {
        let (Some(due), Some(picture)) = (self.next_due(), self.script.footage.pictures.get(self.position)) else {
            return;
        };
        if !self.pacer.takes(picture.at.as_secs_f64()) {
            self.position += 1;
            return;
        }
        self.tally.due(1);
        let since = Instant::now();
        let is_late = since.saturating_duration_since(due.max(self.free_since)) > TOLERANCE;
        self.waiting = Some(Waiting { due, since, is_late });
    }

    /// The connection takes the frame that waits.
    fn hand_over(&mut self) -> Option<VideoSample> {
        let Waiting { due, since, is_late } = self.waiting.take()?;
        let picture = self.script.footage.pictures.get(self.position)?;
        self.position += 1;
        self.streamed.n_sent += 1;
        let sequence = self.streamed.n_sent;
        self.free_since = Instant::now();
        self.pending.push(sequence, due);
        self.tally.sent(is_late, self.free_since.saturating_duration_since(since) > TOLERANCE);
        Some(VideoSample {
            sequence,
            media_time: MediaTime::ZERO.saturating_add(picture.at),
            format: Some(self.script.format),
            layout: picture.layout.clone(),
            rotation: Rotation::None,
            keyframe: true,
            data: picture.data.clone(),
        })
    }

    /// Nothing more is sent; gives back until when the server may take to end the stream. Frames whose time came while another
    /// one was held back are due, too.
    fn stop_sending(&mut self) -> Instant {
        let now = Instant::now();
        self.streamed.is_cut = self.position < self.script.footage.pictures.len();
        self.position += usize::from(self.waiting.take().is_some());
        let left = self.script.footage.pictures.get(self.position..).unwrap_or_default();
        let last = now.min(self.script.end).saturating_duration_since(self.script.start);
        let overdue = left.iter().map(|picture| picture.at).take_while(|at| *at < last);
        let n_overdue = overdue.filter(|at| self.pacer.takes(at.as_secs_f64())).count();
        self.tally.due(n_overdue as u64);
        self.tally.sent_all(now.saturating_duration_since(self.script.start));
        now + FAREWELL
    }

    fn hear(&mut self, event: ClientEvent) {
        match event {
            ClientEvent::Ack { ack, processing_time } => {
                let latencies = self.pending.settle(ack.sequence, Instant::now());
                let n_dropped = ack.dropped_frames.saturating_sub(self.streamed.n_dropped);
                self.streamed.n_dropped += n_dropped;
                self.tally.acknowledged(&latencies, n_dropped, processing_time);
                self.streamed.latencies.extend(latencies);
            }
            ClientEvent::Live(LiveEvent::SampleProblem(problem)) => {
                if self.streamed.n_refused == 0 {
                    tracing::warn!(frame.idx = problem.sequence, "the server refused a frame: {}", problem.message);
                }
                self.pending.forget(problem.sequence);
                self.streamed.n_refused += 1;
                self.tally.refused();
            }
            ClientEvent::Live(LiveEvent::Session(SessionEvent::Pacing(pacing))) => {
                self.pacer.ask(pacing.frames_per_second);
            }
            ClientEvent::Resuming { problem, .. } => {
                tracing::warn!("connection lost, resuming: {problem}");
                self.tally.lost_connection();
            }
            ClientEvent::Live(LiveEvent::Ended(cause)) => {
                self.is_ended = true;
                match cause {
                    None | Some(EndCause::Finished) => {}
                    Some(cause) => self.fail(format!("the server ended the stream: {cause:?}")),
                }
            }
            ClientEvent::Ready(_) | ClientEvent::Live(LiveEvent::Session(_) | LiveEvent::Ack(_)) => {}
        }
    }

    /// Notes why the stream failed, the first cause only.
    fn fail(&mut self, problem: String) {
        self.streamed.failure.get_or_insert(problem);
    }

    fn into_streamed(mut self) -> Streamed {
        if !self.is_ended {
            self.fail("the stream broke off".to_owned());
        }
        self.streamed.unanswered = self.pending.give_up(Instant::now());
        self.streamed
    }
}

/// Leaves frames out so that the rate is what the server asks for on average; never sends more than there are.
struct Pacer {
    is_followed: bool,
    interval_secs: f64,
    next_secs: f64,
}

impl Pacer {
    const fn new(is_followed: bool) -> Self {
        Self { is_followed, interval_secs: 0.0, next_secs: 0.0 }
    }

    /// The server asks for so many frames a second; a rate that is none asks for nothing.
    fn ask(&mut self, rate_hz: f64) {
        let interval_secs = rate_hz.recip();
        self.interval_secs = if interval_secs.is_finite() && interval_secs > 0.0 { interval_secs } else { 0.0 };
    }

    /// Whether the frame at this time is sent.
    fn takes(&mut self, at_secs: f64) -> bool {
        if self.is_followed && at_secs < self.next_secs {
            return false;
        }
        self.next_secs = (self.next_secs + self.interval_secs).max(at_secs);
        true
    }
}

#[cfg(test)]
mod tests;
