//! What was given to a stream and is not yet acknowledged, so that it can be sent again.

use std::collections::VecDeque;

use crate::grpc::convert::{track_to_wire, video_to_wire};
use crate::grpc::proto::v1;
use crate::grpc::proto::v1::analyze_stream_request::Message;
use crate::service::StreamOptions;
use crate::session::TrackId;

use super::ClientCommand;

/// Bytes of pictures that may wait for their acknowledgement before no more are taken.
const MAX_UNSETTLED_BYTES: usize = 64 * 1024 * 1024;
/// Samples that may wait for their acknowledgement.
const MAX_UNSETTLED: usize = 1_024;

/// Commands in order: the first `n_sent` are with the server, the rest wait.
#[derive(Debug, Default)]
pub(super) struct Outbox {
    commands: VecDeque<ClientCommand>,
    n_sent: usize,
    n_bytes: usize,
}

impl Outbox {
    /// Whether another command may be taken.
    pub(super) fn has_room(&self) -> bool {
        self.n_bytes < MAX_UNSETTLED_BYTES && self.commands.len() < MAX_UNSETTLED
    }

    /// Takes a command. Track updates are remembered in `options` too, so that a resumed stream knows them from the start.
    pub(super) fn push(&mut self, command: ClientCommand, options: &mut StreamOptions) {
        match &command {
            ClientCommand::Video { .. } => {}
            ClientCommand::UpsertTrack(track, format) => {
                options.tracks.retain(|(known, _)| known.track_id != track.track_id);
                options.tracks.push((track.clone(), *format));
            }
            ClientCommand::RemoveTrack(track_id) => options.tracks.retain(|(known, _)| known.track_id != *track_id),
        }
        self.n_bytes += n_bytes(&command);
        self.commands.push_back(command);
    }

    /// Whether something waits to be sent.
    pub(super) fn has_unsent(&self) -> bool {
        self.n_sent < self.commands.len()
    }

    /// The next message to send; counts it as sent.
    pub(super) fn next(&mut self) -> Option<v1::AnalyzeStreamRequest> {
        let message = match self.commands.get(self.n_sent)? {
            ClientCommand::Video { track_id, sample } => Message::Sample(video_to_wire(track_id, sample)),
            ClientCommand::UpsertTrack(track, format) => Message::TrackUpdate(v1::TrackUpdate {
                change: Some(v1::track_update::Change::Upsert(track_to_wire(track, *format))),
            }),
            ClientCommand::RemoveTrack(track_id) => Message::TrackUpdate(v1::TrackUpdate {
                change: Some(v1::track_update::Change::RemoveTrackId(track_id.as_str().to_owned())),
            }),
        };
        self.n_sent += 1;
        Some(v1::AnalyzeStreamRequest { message: Some(message) })
    }

    /// Forgets the track's samples up to `sequence`.
    pub(super) fn settle_up_to(&mut self, track: &TrackId, sequence: u64) {
        self.forget(|command, _| {
            matches!(command, ClientCommand::Video { track_id, sample } if track_id == track && sample.sequence <= sequence)
        });
    }

    /// Forgets one sample.
    pub(super) fn settle_one(&mut self, track: &str, sequence: u64) {
        self.forget(|command, _| {
            matches!(command, ClientCommand::Video { track_id, sample } if track_id.as_str() == track && sample.sequence == sequence)
        });
    }

    /// Begins a new connection: everything that is left is to be sent again, but for track updates that its config carries.
    pub(super) fn rewind(&mut self) {
        self.forget(|command, is_sent| is_sent && !matches!(command, ClientCommand::Video { .. }));
        self.n_sent = 0;
    }

    fn forget(&mut self, is_settled: impl Fn(&ClientCommand, bool) -> bool) {
        let (n_sent, mut position, mut n_forgotten, mut n_bytes_left) = (self.n_sent, 0, 0, 0);
        self.commands.retain(|command| {
            let is_sent = position < n_sent;
            position += 1;
            let is_kept = !is_settled(command, is_sent);
            if is_kept {
                n_bytes_left += n_bytes(command);
            } else if is_sent {
                n_forgotten += 1;
            }
            is_kept
        });
        self.n_sent -= n_forgotten;
        self.n_bytes = n_bytes_left;
    }
}

fn n_bytes(command: &ClientCommand) -> usize {
    match command {
        ClientCommand::Video { sample, .. } => sample.data.len(),
        ClientCommand::UpsertTrack(..) | ClientCommand::RemoveTrack(_) => 0,
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use crate::media::{MediaTime, Rotation, VideoSample};
    use crate::service::StreamOptions;
    use crate::session::{ParticipantId, SessionId, SourceKind, Track, TrackId};

    use super::{ClientCommand, Outbox};

    fn track_id() -> TrackId {
        TrackId::new("camera-1").expect("valid")
    }

    fn picture(sequence: u64, n_bytes: usize) -> ClientCommand {
        ClientCommand::Video {
            track_id: track_id(),
            sample: VideoSample {
                sequence,
                media_time: MediaTime::ZERO,
                format: None,
                layout: None,
                rotation: Rotation::None,
                keyframe: false,
                data: Bytes::from(vec![0; n_bytes]),
            },
        }
    }

    fn options() -> StreamOptions {
        StreamOptions {
            session_id: SessionId::new("interview-7").expect("valid"),
            create: None,
            tracks: vec![],
            policy: String::new(),
            resume_token: None,
            score_interval: None,
            references: vec![],
        }
    }

    fn drain(outbox: &mut Outbox) -> usize {
        std::iter::from_fn(|| outbox.next()).count()
    }

    #[test]
    fn what_is_not_acknowledged_is_sent_again() {
        let (mut outbox, mut options) = (Outbox::default(), options());
        for sequence in 1..=5 {
            outbox.push(picture(sequence, 10), &mut options);
        }
        assert_eq!(drain(&mut outbox), 5);
        outbox.settle_up_to(&track_id(), 2);
        outbox.settle_one("camera-1", 4);
        outbox.rewind();
        assert_eq!(drain(&mut outbox), 2);
        assert_eq!(outbox.n_bytes, 20);
    }

    #[test]
    fn track_updates_travel_in_the_next_config() {
        let (mut outbox, mut options) = (Outbox::default(), options());
        let track = Track {
            track_id: track_id(),
            participant_id: ParticipantId::new("user-7").expect("valid"),
            kind: SourceKind::Camera,
            device: None,
        };
        outbox.push(ClientCommand::UpsertTrack(track.clone(), None), &mut options);
        outbox.push(picture(1, 10), &mut options);
        assert_eq!(drain(&mut outbox), 2);
        outbox.push(ClientCommand::RemoveTrack(track_id()), &mut options);
        outbox.rewind();
        assert_eq!(drain(&mut outbox), 2, "the picture and the update that was never sent");
        assert!(options.tracks.is_empty());
        outbox.push(ClientCommand::UpsertTrack(track.clone(), None), &mut options);
        assert_eq!(options.tracks, [(track, None)]);
    }

    #[test]
    fn it_is_bounded_by_bytes_and_by_count() {
        let (mut outbox, mut options) = (Outbox::default(), options());
        outbox.push(picture(1, 64 * 1024 * 1024), &mut options);
        assert!(!outbox.has_room());
        outbox.settle_up_to(&track_id(), 1);
        assert!(outbox.has_room());
        for sequence in 2..1_026 {
            outbox.push(picture(sequence, 0), &mut options);
        }
        assert!(!outbox.has_room());
    }
}
