//! The whole of a load test: prepare, connect, play alone, put the load on, report.

use std::sync::Arc;
use std::time::Duration;

use futures_util::{StreamExt as _, TryStreamExt as _};
use tokio::task::JoinSet;
use tokio::time::{Instant, MissedTickBehavior, interval_at, sleep_until};
use tokio_util::sync::CancellationToken;

use crate::error::InvalidOption;
use crate::grpc::{ClientOptions, LiveClient};
use crate::media::{MediaLimits, VideoFormat};
use crate::scoring::Level;
use crate::session::SessionId;

use super::error::LoadError;
use super::footage::{Footage, Kitchen};
use super::process::{Process, Usage};
use super::profile::{PictureFormat, Profile};
use super::report::{LoadReport, Outcome, SessionRow, WallClock};
use super::schedule::{Crowd, Reel, Schedule, Start};
use super::session::{Cast, Played, Script, play};
use super::tally::{Ending, Second, Tally};

/// Connections that are opened at one time.
const OPENED_AT_ONCE: usize = 32;
/// How often progress is told.
const SECOND: Duration = Duration::from_secs(1);
/// Most sessions that are live at one time.
const MAX_SESSIONS: usize = 10_000;
/// No camera of an interview is faster.
const MAX_RATE_HZ: f64 = 120.0;
/// Slowest rate, a frame in ten seconds.
const MIN_RATE_HZ: f64 = 0.1;

/// What load is put on which server.
#[derive(Clone, Debug)]
pub struct LoadTask {
    /// The server.
    pub server: ClientOptions,
    /// What the load is made of.
    pub profile: Profile,
    /// Sessions that are live at one time.
    pub n_sessions: usize,
    /// Frames a second of each.
    pub rate_hz: f64,
    /// Seconds that it lasts.
    pub secs: f64,
    /// The server's process, when it is on this machine and shall be watched.
    pub server_pid: Option<u32>,
    /// Whether each recording is first played by itself, for its level without load.
    pub is_alone_first: bool,
    /// Bounds of the decoder.
    pub limits: MediaLimits,
}

/// How far it is.
#[derive(Clone, Copy, Debug)]
pub enum Progress<'a> {
    /// Recordings are decoded and encoded.
    Prepared {
        /// Recordings that are done.
        n_done: usize,
        /// Recordings of all.
        n_recordings: usize,
    },
    /// A recording has fewer frames a second than are asked for: all of them are sent.
    Slow {
        /// Its name.
        recording: &'a str,
        /// Frames a second that it has.
        rate_hz: f64,
    },
    /// A recording was played by itself.
    Alone {
        /// Recordings that are done.
        n_done: usize,
        /// Recordings of all.
        n_recordings: usize,
        /// Its name.
        recording: &'a str,
        /// Its level.
        level: Level,
    },
    /// A second of the load is over.
    Second(&'a Second),
}

/// Told how far it is.
pub type Tell<'a> = dyn Fn(Progress<'_>) + Sync + 'a;

impl LoadTask {
    /// Checks what the types do not.
    ///
    /// # Errors
    /// [`InvalidOption`] for the first flag or key of the profile that is out of range.
    pub fn validate(&self) -> Result<(), InvalidOption> {
        InvalidOption::unless_within("--sessions", self.n_sessions, 1..=MAX_SESSIONS)?;
        InvalidOption::unless_within("--fps", self.rate_hz, MIN_RATE_HZ..=MAX_RATE_HZ)?;
        self.profile.validate(self.secs)
    }
}

/// Puts the load on the server until its time is over or `stop` is cancelled, and waits until every session has ended.
///
/// # Errors
/// [`LoadError`] when the load cannot begin; what goes wrong under load is part of the report.
pub async fn run(task: &LoadTask, tell: &Tell<'_>, stop: &CancellationToken) -> Result<LoadReport, LoadError> {
    task.validate()?;
    let process = task.server_pid.map(Process::find).transpose()?;
    // Whether the server is there is known at once, not after minutes of preparation.
    let first = LiveClient::connect(&task.server).await?;
    let kitchen =
        Kitchen { profile: &task.profile, limits: &task.limits, rate_hz: task.rate_hz, secs: task.secs, stop };
    let n_recordings = task.profile.interviews.len();
    let prepared =
        tokio::task::block_in_place(|| kitchen.prepare(&|n_done| tell(Progress::Prepared { n_done, n_recordings })))?;
    for footage in prepared.iter().filter(|footage| footage.is_slower_than(task.rate_hz)) {
        tell(Progress::Slow { recording: &footage.name, rate_hz: footage.rate_hz() });
    }
    let stage = Stage {
        task,
        tell,
        stop,
        footages: prepared.into_iter().map(Arc::new).collect(),
        run: format!("{:08x}", rand::random::<u32>()),
    };
    let alone = if task.is_alone_first { stage.play_alone(&first).await? } else { Vec::new() };
    let clients = stage.connect(first).await?;
    if stop.is_cancelled() {
        return Err(LoadError::Interrupted);
    }
    let usage = || process.and_then(Process::usage);
    let load = stage.play_together(&clients, &usage).await;
    Ok(LoadReport::of(&Outcome {
        task,
        run: &stage.run,
        footages: &stage.footages,
        alone,
        sessions: load.sessions,
        total: load.total,
        clock: load.clock,
    }))
}

/// What stays the same while recordings are played.
struct Stage<'a> {
    task: &'a LoadTask,
    tell: &'a Tell<'a>,
    stop: &'a CancellationToken,
    footages: Vec<Arc<Footage>>,
    /// Names this run in the ids of its sessions.
    run: String,
}

/// What playing together gave.
struct Load {
    sessions: Vec<SessionRow>,
    total: super::tally::Total,
    clock: WallClock,
}

impl Stage<'_> {
    /// One client for each connection.
    async fn connect(&self, first: LiveClient) -> Result<Vec<LiveClient>, LoadError> {
        let n_connections = self.task.n_sessions.div_ceil(self.task.profile.sessions_per_connection);
        let more = futures_util::stream::iter(1..n_connections).map(|_| LiveClient::connect(&self.task.server));
        let mut clients = vec![first];
        clients.extend(more.buffered(OPENED_AT_ONCE).try_collect::<Vec<_>>().await?);
        Ok(clients)
    }

    /// Plays each recording by itself, one after the other, in real time and at the rate of the load; gives back their levels.
    /// A recording that the load's end would always cut has none.
    async fn play_alone(&self, client: &LiveClient) -> Result<Vec<Option<Level>>, LoadError> {
        let mut levels = Vec::with_capacity(self.footages.len());
        for (footage, number) in self.footages.iter().zip(1..) {
            if !footage.is_whole {
                levels.push(None);
                continue;
            }
            let start = Instant::now();
            let script = self.script(footage, start, start + footage.span + SECOND);
            let tally = Arc::new(Tally::new(None));
            let played = play(client, &script, &self.cast(&format!("alone-{number}"), &tally, self.stop)?).await;
            if self.stop.is_cancelled() {
                return Err(LoadError::Interrupted);
            }
            let Some(verdict) = played.verdict else {
                let problem = played.failure.unwrap_or_default();
                return Err(LoadError::Alone { recording: footage.name.clone(), problem });
            };
            levels.push(Some(verdict.level));
            let (n_recordings, level) = (self.footages.len(), verdict.level);
            (self.tell)(Progress::Alone { n_done: number, n_recordings, recording: &footage.name, level });
        }
        Ok(levels)
    }

    /// Puts the load on.
    async fn play_together(&self, clients: &[LiveClient], usage: &(dyn Fn() -> Option<Usage> + Sync)) -> Load {
        let task = self.task;
        let crowd = Crowd {
            n_sessions: task.n_sessions,
            rate_hz: task.rate_hz,
            ramp_secs: task.profile.ramp_secs,
            end: Duration::from_secs_f64(task.secs),
            seed: task.profile.seed,
        };
        let reels = self.footages.iter().map(|footage| Reel { weight: footage.weight, span: footage.span }).collect();
        let mut starts = Schedule::new(reels, &crowd).zip(1_u64..).peekable();
        let over = self.stop.child_token();
        let tally = Arc::new(Tally::new(usage()));
        let began = Instant::now();
        let end = began + crowd.end;
        let mut sending_secs = task.secs;
        let mut seconds = interval_at(began + SECOND, SECOND);
        seconds.set_missed_tick_behavior(MissedTickBehavior::Skip);
        let (mut playing, mut sessions) = (JoinSet::new(), Vec::new());
        let tell_second = || {
            let second = tally.second(began.elapsed().as_secs_f64(), usage());
            (self.tell)(Progress::Second(&second));
        };
        while !over.is_cancelled() || !playing.is_empty() {
            let next_start = starts.peek().map_or(end, |(start, _)| began + start.at);
            tokio::select! {
                _ = seconds.tick() => tell_second(),
                () = sleep_until(next_start), if next_start < end && !over.is_cancelled() => {
                    if let Some((start, number)) = starts.next() {
                        self.begin(&mut playing, clients, (start, number, began), (&tally, &over));
                    }
                }
                () = sleep_until(end), if !over.is_cancelled() => over.cancel(),
                () = self.stop.cancelled(), if !over.is_cancelled() => {}
                Some(ended) = playing.join_next(), if !playing.is_empty() => {
                    sessions.push(ended.unwrap_or_else(|error| SessionRow::crashed(&error)));
                }
            }
            if over.is_cancelled() {
                sending_secs = sending_secs.min(began.elapsed().as_secs_f64());
            }
        }
        if !tally.is_told() {
            tell_second();
        }
        sessions.sort_by_key(|session| session.number);
        let clock = WallClock { sending_secs, all_secs: began.elapsed().as_secs_f64() };
        let total = Arc::into_inner(tally).map_or_else(|| Tally::new(None).into_total(), Tally::into_total);
        Load { sessions, total, clock }
    }

    /// Begins a session in a task of its own.
    fn begin(
        &self,
        playing: &mut JoinSet<SessionRow>,
        clients: &[LiveClient],
        (start, number, began): (Start, u64, Instant),
        (tally, over): (&Arc<Tally>, &CancellationToken),
    ) {
        let Some(footage) = self.footages.get(start.reel) else { return };
        let end = began + Duration::from_secs_f64(self.task.secs);
        let script = self.script(footage, began + start.at, end);
        let connection = start.place / self.task.profile.sessions_per_connection;
        let (Some(client), Ok(cast)) = (clients.get(connection).cloned(), self.cast(&number.to_string(), tally, over))
        else {
            return;
        };
        playing.spawn(async move {
            let played = play(&client, &script, &cast).await;
            SessionRow { number, start_secs: start.at.as_secs_f64(), reel: Some(start.reel), played }
        });
    }

    fn script(&self, footage: &Arc<Footage>, start: Instant, end: Instant) -> Script {
        let format = match self.task.profile.format {
            PictureFormat::Jpeg => VideoFormat::Jpeg,
            PictureFormat::I420 => VideoFormat::I420,
        };
        let follows_pacing = self.task.profile.follow_pacing;
        Script { footage: Arc::clone(footage), format, start, end, follows_pacing }
    }

    fn cast(&self, name: &str, tally: &Arc<Tally>, over: &CancellationToken) -> Result<Cast, LoadError> {
        let session_id = SessionId::new(&format!("loadtest-{}-{name}", self.run))
            .map_err(|error| InvalidOption { key: "session", problem: error.to_string() })?;
        Ok(Cast { session_id, run: self.run.clone(), tally: Arc::clone(tally), over: over.clone() })
    }
}

impl SessionRow {
    /// A session whose task panicked: a defect of the generator, counted as a failure.
    fn crashed(error: &tokio::task::JoinError) -> Self {
        let played = Played {
            ending: Ending::Failed,
            failure: Some(error.to_string()),
            n_sent: 0,
            n_dropped: 0,
            n_refused: 0,
            latency_p99: None,
            verdict: None,
        };
        Self { number: u64::MAX, start_secs: f64::NAN, reel: None, played }
    }
}
