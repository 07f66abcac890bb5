//! One session from its creation to its verdict.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use tokio::time::{Instant, timeout};
use tokio_util::sync::CancellationToken;

use crate::grpc::LiveClient;
use crate::media::VideoFormat;
use crate::scoring::{Authenticity, Level};
use crate::service::{NewSession, SessionView, StreamOptions};
use crate::session::{IdError, ParticipantId, SessionId, SourceKind, Track, TrackId};

use super::footage::Footage;
use super::stream::{FAREWELL, Line, Streamed, stream};
use super::tally::{Ending, Tally};

/// What is filed as consent: nobody is interviewed.
const CONSENT_REFERENCE: &str = "loadtest";
/// The label that tells sessions of load tests from interviews.
const RUN_LABEL: &str = "loadtest";

/// What one session plays.
#[derive(Clone, Debug)]
pub(super) struct Script {
    /// The recording.
    pub(super) footage: Arc<Footage>,
    /// How its pictures are coded.
    pub(super) format: VideoFormat,
    /// When its first frame is due.
    pub(super) start: Instant,
    /// Frames due from here on are not sent.
    pub(super) end: Instant,
    /// Whether fewer frames are sent when the server asks for fewer.
    pub(super) follows_pacing: bool,
}

/// Who plays it, and who is told.
#[derive(Clone, Debug)]
pub(super) struct Cast {
    /// The new session's id.
    pub(super) session_id: SessionId,
    /// Tells the sessions of this load from those of others.
    pub(super) run: String,
    /// What everything is reported to.
    pub(super) tally: Arc<Tally>,
    /// Ends the sending.
    pub(super) over: CancellationToken,
}

/// The last word on a session.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Verdict {
    /// The level.
    pub(super) level: Level,
    /// The score; `None` when the level is INCONCLUSIVE.
    pub(super) authenticity: Option<Authenticity>,
}

/// How a session went.
#[derive(Clone, Debug)]
pub(super) struct Played {
    /// How it ended.
    pub(super) ending: Ending,
    /// Why it did not end in order.
    pub(super) failure: Option<String>,
    pub(super) n_sent: u64,
    pub(super) n_dropped: u64,
    pub(super) n_refused: u64,
    /// 99th percentile of its frames' latencies.
    pub(super) latency_p99: Option<Duration>,
    /// `None` when it did not end in order.
    pub(super) verdict: Option<Verdict>,
}

/// Plays a recording as a session of its own, finishes it and reads its verdict.
pub(super) async fn play(client: &LiveClient, script: &Script, cast: &Cast) -> Played {
    cast.tally.started();
    let mut streamed = match stream_options(script.format, cast) {
        Ok((options, track_id)) => {
            let open = client.stream(options);
            let line = Line { commands: open.commands, events: open.events, track_id };
            stream(line, script, &cast.tally, &cast.over).await
        }
        Err(error) => Streamed { failure: Some(error.to_string()), ..Streamed::default() },
    };
    let verdict = match streamed.failure {
        Some(_) => None,
        None => match timeout(FAREWELL, client.finish(&cast.session_id)).await {
            Ok(Ok(view)) => Some(verdict(&view)),
            Ok(Err(error)) => {
                streamed.failure = Some(format!("the session could not be finished: {error}"));
                None
            }
            Err(_elapsed) => {
                streamed.failure =
                    Some(format!("the server did not finish the session within {} s", FAREWELL.as_secs()));
                None
            }
        },
    };
    let ending = match (&streamed.failure, streamed.is_cut) {
        (Some(_), _) => Ending::Failed,
        (None, true) => Ending::Cut,
        (None, false) => Ending::Finished,
    };
    cast.tally.ended(ending, &streamed.unanswered);
    streamed.latencies.append(&mut streamed.unanswered);
    Played {
        ending,
        latency_p99: percentile_99(streamed.latencies),
        failure: streamed.failure,
        n_sent: streamed.n_sent,
        n_dropped: streamed.n_dropped,
        n_refused: streamed.n_refused,
        verdict,
    }
}

fn stream_options(format: VideoFormat, cast: &Cast) -> Result<(StreamOptions, TrackId), IdError> {
    let track_id = TrackId::new("camera")?;
    let participant_id = ParticipantId::new("candidate")?;
    let track = Track { track_id: track_id.clone(), participant_id, kind: SourceKind::Camera, device: None };
    let labels = BTreeMap::from([(RUN_LABEL.to_owned(), cast.run.clone())]);
    let session = NewSession { consent_reference: CONSENT_REFERENCE.to_owned(), labels, ..NewSession::default() };
    let options = StreamOptions {
        session_id: cast.session_id.clone(),
        create: Some(session),
        tracks: vec![(track, Some(format))],
        policy: String::new(),
        resume_token: None,
        score_interval: None,
        references: Vec::new(),
    };
    Ok((options, track_id))
}

/// A session in which nobody was scored keeps the level that the server gives it, INCONCLUSIVE.
fn verdict(view: &SessionView) -> Verdict {
    let authenticity = view.participants.first().and_then(|participant| participant.score.authenticity);
    Verdict { level: view.level, authenticity }
}

/// The latency that all but one in a hundred are within: the nearest rank.
fn percentile_99(mut latencies: Vec<Duration>) -> Option<Duration> {
    let rank = (latencies.len() * 99).div_ceil(100);
    latencies.sort_unstable();
    latencies.get(rank.checked_sub(1)?).copied()
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::percentile_99;

    #[test]
    fn the_percentile_is_the_nearest_rank() {
        let millis = |range: std::ops::RangeInclusive<u64>| range.rev().map(Duration::from_millis).collect::<Vec<_>>();
        for (latencies, expected) in [(millis(1..=100), 99), (millis(1..=101), 100), (millis(7..=7), 7)] {
            assert_eq!(percentile_99(latencies), Some(Duration::from_millis(expected)));
        }
        assert_eq!(percentile_99(Vec::new()), None);
    }
}
