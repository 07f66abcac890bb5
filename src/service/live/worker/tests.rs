use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use tokio::sync::mpsc;

use super::{Analyst, Command, Worker, run};
use crate::media::{Dependence, MediaError, MediaTime, Rotation, VideoFormat, VideoSample};
use crate::service::analysis_pool::AnalysisPool;
use crate::service::analyst::{Analysed, SampleContext};
use crate::service::error::ServiceError;
use crate::service::live::queue::{ByteBudget, QueueBounds, QueueItem, StreamId, TrackQueue};
use crate::service::live::shared::Shared;
use crate::session::{JournalEntry, ParticipantId, SourceKind, Track, TrackId};
use crate::signals::FaceSearch;
use crate::signals::testing::frame_at;

/// What a sample's first byte tells the fake to do.
const PANIC: u8 = 1;
const FAIL: u8 = 2;
const DELTA: u8 = 3;
const NOTHING: u8 = 4;

/// Notes what it was given.
#[derive(Debug, Default)]
struct Log {
    contexts: Mutex<Vec<(u64, SampleContext)>>,
    formats: Mutex<Vec<Option<VideoFormat>>>,
    n_made: AtomicUsize,
}

struct Fake {
    log: Arc<Log>,
    format: Option<VideoFormat>,
}

impl Analyst for Fake {
    fn set_default_format(&mut self, format: Option<VideoFormat>) {
        self.format = format;
    }

    fn dependence(&self, sample: &VideoSample) -> Dependence {
        if sample.data[0] == DELTA { Dependence::OnEarlier } else { Dependence::Free }
    }

    fn analyse(&mut self, sample: &VideoSample, context: &SampleContext) -> Result<Analysed, ServiceError> {
        self.log.contexts.lock().expect("no panic").push((sample.sequence, *context));
        self.log.formats.lock().expect("no panic").push(self.format);
        match sample.data[0] {
            PANIC => panic!("as the test wants"),
            FAIL => Err(MediaError::InvalidField { field: "data", problem: "is bad".to_owned() }.into()),
            NOTHING => Ok(Analysed::default()),
            _ => {
                let mut observation = frame_at(0.0);
                (observation.sequence, observation.media_time) = (sample.sequence, sample.media_time);
                observation.faces = FaceSearch::Run(Vec::new());
                Ok(Analysed { observations: vec![observation], ..Analysed::default() })
            }
        }
    }

    fn finish(&mut self, _context: &SampleContext) -> Result<Analysed, ServiceError> {
        Ok(Analysed { observations: vec![frame_at(9.0)], ..Analysed::default() })
    }
}

struct Bench {
    queue: Arc<TrackQueue>,
    log: Arc<Log>,
    commands: mpsc::Receiver<Command>,
    task: tokio::task::JoinHandle<()>,
}

impl Bench {
    fn start(max_bytes: u64) -> Self {
        let bounds = QueueBounds { max_bytes, max_span: Duration::from_mins(1) };
        let queue = Arc::new(TrackQueue::new(bounds, Arc::new(ByteBudget::new(1_000_000))));
        let (sender, commands) = mpsc::channel(64);
        let log = Arc::new(Log::default());
        let analyst_log = Arc::clone(&log);
        let new_analyst = move |format| {
            analyst_log.n_made.fetch_add(1, Ordering::SeqCst);
            Fake { log: Arc::clone(&analyst_log), format }
        };
        let track_id = TrackId::new("camera").expect("valid");
        let worker = Worker::new(
            track_id,
            Arc::clone(&queue),
            AnalysisPool::start(1).expect("a thread starts"),
            Arc::new(Shared::default()),
            new_analyst,
        );
        let task = tokio::spawn(run(worker, None, sender));
        Self { queue, log, commands, task }
    }

    fn push(&self, sequence: u64, data: &'static [u8]) {
        let sample = VideoSample {
            sequence,
            media_time: MediaTime::from_millis(i64::try_from(sequence).expect("small") * 100),
            format: None,
            layout: None,
            rotation: Rotation::None,
            keyframe: false,
            data: Bytes::from_static(data),
        };
        self.queue.push_sample(sample, MediaTime::ZERO);
    }

    fn announce(&self, kind: SourceKind, format: Option<VideoFormat>) {
        let track = Track {
            track_id: TrackId::new("camera").expect("valid"),
            participant_id: ParticipantId::new("candidate").expect("valid"),
            kind,
            device: None,
        };
        assert!(self.queue.push_change(QueueItem::Upsert(track, format)));
    }

    /// The next command in short.
    async fn next(&mut self) -> String {
        let command = tokio::time::timeout(Duration::from_secs(10), self.commands.recv()).await.expect("in time");
        match command.expect("the worker runs") {
            Command::Observed { progress, observations, .. } => {
                format!("observed {}: {}", progress.sequence, observations.len())
            }
            Command::Accounted { sequence, .. } => format!("accounted {sequence}"),
            Command::Problem(problem) => format!("problem {}: {:?}", problem.sequence, problem.kind),
            Command::Journal(JournalEntry::TrackUpserted(_)) => "upserted".to_owned(),
            Command::TrackEnded(_) => "ended".to_owned(),
            Command::Flushed { stream, .. } => format!("flushed {stream:?}"),
            other => panic!("unexpected {other:?}"),
        }
    }

    async fn expect(&mut self, expected: &[&str]) {
        for line in expected {
            assert_eq!(self.next().await, *line);
        }
    }
}

#[tokio::test]
async fn a_panic_costs_one_sample_only() {
    let mut bench = Bench::start(1_000);
    bench.announce(SourceKind::Camera, Some(VideoFormat::Vp8));
    for (sequence, data) in [(1, &[0][..]), (2, &[PANIC]), (3, &[DELTA]), (4, &[0]), (5, &[DELTA])] {
        bench.push(sequence, data);
    }
    let expected =
        ["upserted", "observed 1: 1", "problem 2: Internal", "accounted 3", "observed 4: 1", "observed 5: 1"];
    bench.expect(&expected).await;
    assert_eq!(bench.log.n_made.load(Ordering::SeqCst), 2);
    let formats = bench.log.formats.lock().expect("no panic").clone();
    assert_eq!(formats, [Some(VideoFormat::Vp8); 4], "the track's format outlives the analyst");
}

#[tokio::test]
async fn bad_samples_are_told_and_empty_ones_accounted_for() {
    let mut bench = Bench::start(1_000);
    bench.announce(SourceKind::Camera, None);
    for (sequence, data) in [(1, &[FAIL][..]), (2, &[NOTHING]), (9, &[0])] {
        bench.push(sequence, data);
    }
    bench.expect(&["upserted", "problem 1: InvalidInput", "observed 2: 0", "observed 9: 1"]).await;
    let contexts = bench.log.contexts.lock().expect("no panic").clone();
    let missing: Vec<_> = contexts.iter().map(|(_, context)| context.missing_before).collect();
    assert_eq!(missing, [0, 0, 6]);
}

#[tokio::test]
async fn what_builds_upon_a_shed_picture_is_skipped_and_counted_as_shed() {
    let mut bench = Bench::start(3);
    bench.announce(SourceKind::Camera, None);
    bench.expect(&["upserted"]).await;
    // One thread runs this test: nothing is taken out while these go in.
    for (sequence, data) in [(1, &[0][..]), (2, &[DELTA]), (3, &[DELTA]), (4, &[DELTA]), (5, &[DELTA])] {
        bench.push(sequence, data);
    }
    assert_eq!(bench.queue.shed_total(), 2);
    bench.expect(&["accounted 3", "accounted 4", "accounted 5"]).await;
    bench.push(6, &[0]);
    bench.expect(&["observed 6: 1"]).await;
    assert_eq!(bench.queue.shed_total(), 5);
    let contexts = bench.log.contexts.lock().expect("no panic").clone();
    let [(6, context)] = contexts[..] else { panic!("{contexts:?}") };
    assert_eq!((context.shed_before, context.missing_before), (5, 0));
}

#[tokio::test]
async fn only_cameras_are_looked_at() {
    let mut bench = Bench::start(1_000);
    bench.push(1, &[0]);
    bench.announce(SourceKind::Screen, None);
    bench.push(2, &[PANIC]);
    bench.announce(SourceKind::Camera, None);
    bench.push(3, &[0]);
    bench.queue.push_audio(4);
    bench.expect(&["accounted 1", "upserted", "accounted 2", "upserted", "observed 3: 1", "accounted 4"]).await;
}

#[tokio::test]
async fn marks_come_in_order_and_a_removed_track_begins_anew() {
    let mut bench = Bench::start(1_000);
    bench.announce(SourceKind::Camera, Some(VideoFormat::Vp8));
    bench.push(50, &[0]);
    bench.queue.push_mark(QueueItem::Flush(StreamId(7)));
    assert!(bench.queue.push_change(QueueItem::Remove));
    bench.announce(SourceKind::Camera, None);
    bench.push(60, &[0]);
    bench.queue.push_mark(QueueItem::Finish);
    bench.expect(&["upserted", "observed 50: 1", "flushed Some(StreamId(7))", "ended", "upserted"]).await;
    bench.expect(&["observed 60: 1", "observed 60: 1", "flushed None"]).await;
    let contexts = bench.log.contexts.lock().expect("no panic").clone();
    assert_eq!(contexts.iter().map(|(_, context)| context.missing_before).collect::<Vec<_>>(), [0, 0]);
    assert_eq!(*bench.log.formats.lock().expect("no panic"), [Some(VideoFormat::Vp8), None]);
    bench.queue.close();
    tokio::time::timeout(Duration::from_secs(10), bench.task).await.expect("it ends").expect("no panic");
}
