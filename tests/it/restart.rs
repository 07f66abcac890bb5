//! A server that is killed in the middle of everything, and another one on the same database.

use std::collections::BTreeMap;

use bonafide::grpc::proto::v1;
use bonafide::grpc::proto::v1::analyze_stream_response::Message as Heard;

use crate::process::Process;
use crate::wire::{Client, Stream, TRACK, config, frame, moving_pictures, scores};

const N_PICTURES: usize = 96;
/// Sequences at whose acknowledgement the server is killed.
const KILLED_AT: [u64; 3] = [17, 40, 71];
/// Pictures that are under way when it is.
const N_AHEAD: u64 = 6;

/// What a client knows of its session.
#[derive(Default)]
struct Known {
    token: String,
    acked: u64,
    /// The latest score of each participant.
    scores: BTreeMap<String, v1::Score>,
}

impl Known {
    fn hear(&mut self, heard: Vec<Heard>) {
        for answer in heard {
            match answer {
                Heard::Ready(ready) => self.token = ready.resume_token,
                Heard::Ack(ack) => {
                    assert!(ack.sequence >= self.acked, "acknowledgements do not go back");
                    (self.acked, self.token) = (ack.sequence, ack.resume_token);
                }
                Heard::Score(score) => drop(self.scores.insert(score.participant_id.clone(), score)),
                Heard::SampleError(error) => panic!("{error:?}"),
                Heard::Segment(_) | Heard::Pacing(_) | Heard::Ended(_) => {}
            }
        }
    }
}

fn nanos(time: Option<&prost_types::Duration>) -> i128 {
    time.map_or(0, |time| i128::from(time.seconds) * 1_000_000_000 + i128::from(time.nanos))
}

/// Sends from `next` on, a few ahead of what is acknowledged, until `last` is.
async fn send(stream: &mut Stream, pictures: &[bytes::Bytes], next: u64, last: u64, known: &mut Known) {
    let mut next = next;
    while known.acked < last {
        while next <= known.acked + N_AHEAD
            && let Some(picture) = pictures.get(usize::try_from(next - 1).expect("small"))
        {
            assert!(stream.show(frame(next, picture.clone())).await, "the stream goes on");
            next += 1;
        }
        let heard = stream.until_acked(known.acked + 1).await;
        known.hear(heard);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_that_was_told_is_lost_when_the_server_is_killed() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let pictures = moving_pictures(N_PICTURES);
    let mut known = Known::default();
    let mut next = 1;
    for killed_at in KILLED_AT {
        let Some(server) = Process::start(folder.path(), &[]).await else { return };
        let client = Client::connect(server.address).await;
        next = check_and_resume(&client, &mut known, next).await;
        let mut stream = open(&client, &mut known).await;
        send(&mut stream, &pictures, next, killed_at, &mut known).await;
        server.kill().await;
        next = known.acked + 1;
    }
    let Some(server) = Process::start(folder.path(), &[]).await else { return };
    let client = Client::connect(server.address).await;
    next = check_and_resume(&client, &mut known, next).await;
    let mut stream = open(&client, &mut known).await;
    send(&mut stream, &pictures, next, N_PICTURES as u64, &mut known).await;
    stream.end();
    let (heard, status) = stream.until_ended().await;
    status.expect("an orderly end");
    known.hear(heard);
    let session = client.finish("killed").await;
    let score = *scores(&session).first().expect("scored");
    assert!(nanos(score.window_start.as_ref()) <= 250_000_000, "the score begins where the session did: {score:?}");
    let last = nanos(frame(N_PICTURES as u64, bytes::Bytes::new()).media_time.as_ref());
    assert!(last - nanos(score.window_end.as_ref()) < 1_000_000_000, "and goes on to its end: {score:?}");
    server.stop().await;
}

async fn open(client: &Client, known: &mut Known) -> Stream {
    let config = v1::StreamConfig { resume_token: known.token.clone(), ..config("killed") };
    let (stream, ready) = client.open(config).await.expect("resumes");
    known.token = ready.resume_token;
    stream
}

/// Looks at what a new server knows; answers where to go on.
async fn check_and_resume(client: &Client, known: &mut Known, next: u64) -> u64 {
    if known.token.is_empty() {
        return next;
    }
    let session = client.get("killed").await;
    for (participant, told) in &known.scores {
        let stored =
            scores(&session).into_iter().find(|score| score.participant_id == *participant).expect("is stored");
        let (stored, told) = (nanos(stored.window_end.as_ref()), nanos(told.window_end.as_ref()));
        assert!(stored >= told, "a score up to {told} ns was told, {stored} ns are stored");
    }
    let config = v1::StreamConfig { resume_token: known.token.clone(), ..config("killed") };
    let (stream, ready) = client.open(config).await.expect("resumes");
    drop(stream);
    let stored = ready.resume_from.iter().find(|progress| progress.track_id == TRACK).map_or(0, |track| track.sequence);
    assert!(stored >= known.acked, "{} was acknowledged, {stored} is stored", known.acked);
    known.acked = stored;
    stored + 1
}
