//! What a session is: a pure state machine over its journal.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::media::MediaTime;
use crate::scoring::{Policy, Score};
use crate::signals::SignalName;
use crate::vision::FaceTrackId;

use super::event::{Pacing, SessionEvent};
use super::ids::{ParticipantId, TrackId};
use super::journal::{JournalEntry, SourceKind, Track};
use super::participant::Participant;
use super::sampler::Urgency;
use super::sighting::Sighting;

/// Tracks of one session; more are refused where they come in.
pub const MAX_TRACKS: usize = 64;
/// Participants of one session.
pub const MAX_PARTICIPANTS: usize = 32;

/// One interview. The same entries in the same order always give the same events and scores.
#[derive(Debug)]
pub struct Interview {
    policy: Arc<Policy>,
    models: Arc<BTreeMap<SignalName, String>>,
    tracks: BTreeMap<TrackId, TrackState>,
    participants: BTreeMap<ParticipantId, Participant>,
    next_ordinal: u32,
    is_finished: bool,
}

#[derive(Debug)]
struct TrackState {
    track: Track,
    last_sequence: Option<u64>,
    last_at: Option<MediaTime>,
    pacing: Option<Pacing>,
}

impl Interview {
    /// An interview of which nothing is known; `models` names the weights behind each signal.
    #[must_use]
    pub fn new(policy: Arc<Policy>, models: Arc<BTreeMap<SignalName, String>>) -> Self {
        Self {
            policy,
            models,
            tracks: BTreeMap::new(),
            participants: BTreeMap::new(),
            next_ordinal: 1,
            is_finished: false,
        }
    }

    /// The policy that scores it.
    #[must_use]
    pub fn policy(&self) -> &Policy {
        &self.policy
    }

    /// Takes one entry and says what follows from it. Entries after the end change nothing.
    pub fn apply(&mut self, entry: &JournalEntry) -> Vec<SessionEvent> {
        if self.is_finished {
            return Vec::new();
        }
        match entry {
            JournalEntry::TrackUpserted(track) => self.upsert_track(track),
            JournalEntry::TrackRemoved(track_id) => {
                self.tracks.remove(track_id);
                Vec::new()
            }
            JournalEntry::ReferenceEnrolled { participant_id, embedding } => {
                if let Some(participant) = self.participant_mut(participant_id) {
                    participant.enroll_reference(embedding.clone());
                }
                Vec::new()
            }
            JournalEntry::Frame { track_id, observation } => self.apply_frame(track_id, observation),
            JournalEntry::Scene { track_id, at, reading } => {
                if let Some(participant) = self.tracks.get(track_id).map(|state| &state.track.participant_id)
                    && let Some(participant) = self.participants.get_mut(participant)
                {
                    participant.observe_scene(*at, reading);
                }
                Vec::new()
            }
            JournalEntry::Accounted { track_id, sequence } => {
                if let Some(state) = self.tracks.get_mut(track_id) {
                    state.last_sequence = Some(state.last_sequence.map_or(*sequence, |last| last.max(*sequence)));
                }
                Vec::new()
            }
            JournalEntry::Finished { .. } => {
                self.is_finished = true;
                self.rescore_all()
            }
        }
    }

    /// Whether the end was reached.
    #[must_use]
    pub const fn is_finished(&self) -> bool {
        self.is_finished
    }

    /// The latest score of each participant.
    pub fn scores(&self) -> impl Iterator<Item = (&ParticipantId, &Score)> {
        self.participants.iter().filter_map(|(id, participant)| Some((id, participant.score()?)))
    }

    /// A track that was announced and not removed.
    #[must_use]
    pub fn track(&self, track_id: &TrackId) -> Option<&Track> {
        self.tracks.get(track_id).map(|state| &state.track)
    }

    /// The tracks that were announced and not removed.
    pub fn tracks(&self) -> impl Iterator<Item = &Track> {
        self.tracks.values().map(|state| &state.track)
    }

    /// The participants that were ever behind a camera or named by a reference image.
    pub fn participant_ids(&self) -> impl Iterator<Item = &ParticipantId> {
        self.participants.keys()
    }

    /// What was seen of each participant.
    #[must_use]
    pub fn sightings(&self) -> Vec<Sighting> {
        self.participants.values().map(Participant::sighting).collect()
    }

    /// The latest media time of a track or of the participant behind it, whichever is later.
    #[must_use]
    pub fn last_media_time(&self, track_id: &TrackId, participant_id: &ParticipantId) -> Option<MediaTime> {
        let of_track = self.tracks.get(track_id).and_then(|state| state.last_at);
        let of_participant = self.participants.get(participant_id).and_then(Participant::last_media_time);
        of_track.max(of_participant)
    }

    /// Highest sequence of each track that is in the journal.
    pub fn last_sequences(&self) -> impl Iterator<Item = (&TrackId, u64)> {
        self.tracks.iter().filter_map(|(track_id, state)| Some((track_id, state.last_sequence?)))
    }

    /// Whether one more track, and the participant behind it, still fit.
    #[must_use]
    pub fn has_room_for(&self, track: &Track) -> bool {
        (self.tracks.contains_key(&track.track_id) || self.tracks.len() < MAX_TRACKS)
            && (self.participants.contains_key(&track.participant_id) || self.participants.len() < MAX_PARTICIPANTS)
    }

    /// How much is wanted of a track's frames to come.
    #[must_use]
    pub fn urgency(&self, track_id: &TrackId) -> Urgency {
        let participant =
            self.tracks.get(track_id).and_then(|state| self.participants.get(&state.track.participant_id));
        participant.map(Participant::urgency).unwrap_or_default()
    }

    /// Whether a track's next frame with a face is worth a look at what is behind it.
    #[must_use]
    pub fn wants_scene(&self, track_id: &TrackId) -> bool {
        let state = self.tracks.get(track_id).filter(|state| state.track.kind == SourceKind::Camera);
        state.and_then(|state| self.participants.get(&state.track.participant_id)).is_some_and(Participant::wants_scene)
    }

    /// Who is behind a track, and the face in its picture that is followed as theirs.
    #[must_use]
    pub fn followed_face(&self, track_id: &TrackId) -> Option<(&ParticipantId, Option<FaceTrackId>)> {
        let id = &self.tracks.get(track_id)?.track.participant_id;
        Some((id, self.participants.get(id).and_then(Participant::face)))
    }

    /// What is worth sending of a camera, as its participant stands; `None` for what is no camera.
    #[must_use]
    pub fn wanted_pacing(&self, track_id: &TrackId) -> Option<Pacing> {
        let track = self.track(track_id).filter(|track| track.kind == SourceKind::Camera)?;
        let participant = self.participants.get(&track.participant_id)?;
        let sampling = &self.policy.sampling;
        Some(Pacing {
            track_id: track_id.clone(),
            frames_per_second: participant.urgency().track_hz(sampling.track_hz),
            min_height_px: participant.wanted_height_px(),
            wants_audio: false,
        })
    }

    /// Takes a track, and asks a camera's sender for the cadence to begin with.
    fn upsert_track(&mut self, track: &Track) -> Vec<SessionEvent> {
        if !self.has_room_for(track) {
            return Vec::new();
        }
        if track.kind == SourceKind::Camera
            && let Some(participant) = self.participant_mut(&track.participant_id)
            && let Some(device) = &track.device
        {
            participant.claim_device(&device.label);
        }
        let before = self.tracks.remove(&track.track_id);
        self.tracks.insert(
            track.track_id.clone(),
            TrackState {
                track: track.clone(),
                last_sequence: before.as_ref().and_then(|state| state.last_sequence),
                last_at: before.as_ref().and_then(|state| state.last_at),
                pacing: None,
            },
        );
        self.changed_pacing(&track.track_id).into_iter().collect()
    }

    /// What is worth sending of a camera from here on, where that changed.
    fn changed_pacing(&mut self, track_id: &TrackId) -> Option<SessionEvent> {
        let pacing = self.wanted_pacing(track_id)?;
        let told = &mut self.tracks.get_mut(track_id)?.pacing;
        if told.as_ref() == Some(&pacing) {
            return None;
        }
        *told = Some(pacing.clone());
        Some(SessionEvent::Pacing(pacing))
    }

    fn participant_mut(&mut self, id: &ParticipantId) -> Option<&mut Participant> {
        if !self.participants.contains_key(id) {
            if self.participants.len() >= MAX_PARTICIPANTS {
                return None;
            }
            self.participants.insert(id.clone(), Participant::new(id.clone()));
        }
        self.participants.get_mut(id)
    }

    fn apply_frame(&mut self, track_id: &TrackId, observation: &crate::signals::FrameObservation) -> Vec<SessionEvent> {
        let Some(state) = self.tracks.get_mut(track_id) else { return Vec::new() };
        state.last_sequence = Some(observation.sequence.max(state.last_sequence.unwrap_or(0)));
        if state.track.kind != SourceKind::Camera {
            return Vec::new();
        }
        let Some(participant) = self.participants.get_mut(&state.track.participant_id) else { return Vec::new() };
        if state.last_at.is_some_and(|last| observation.media_time < last) {
            participant.observe_reversed(observation);
            return Vec::new();
        }
        state.last_at = Some(observation.media_time);
        participant.observe(observation);
        let mut events = participant.rescore(&self.policy, &self.models, &mut self.next_ordinal, false);
        if !events.is_empty() {
            events.extend(self.changed_pacing(track_id));
        }
        events
    }

    fn rescore_all(&mut self) -> Vec<SessionEvent> {
        let mut events = Vec::new();
        for participant in self.participants.values_mut() {
            events.extend(participant.rescore(&self.policy, &self.models, &mut self.next_ordinal, true));
        }
        events
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::sync::Arc;

    use crate::scoring::{Level, Policy};
    use crate::session::{SegmentChange, SegmentState};
    use crate::signals::testing::{face, frame_at};
    use crate::signals::{FaceSearch, FrameObservation, Reason};
    use crate::vision::{Embedding, FaceShape, PresentationOutput};

    use super::{Interview, JournalEntry, ParticipantId, SessionEvent, SourceKind, Track, TrackId};

    fn interview() -> Interview {
        Interview::new(Arc::new(Policy::shipped()), Arc::new(BTreeMap::new()))
    }

    fn track() -> Track {
        Track {
            track_id: TrackId::new("camera").expect("valid"),
            participant_id: ParticipantId::new("candidate").expect("valid"),
            kind: SourceKind::Camera,
            device: None,
        }
    }

    /// A frame of a talking, bona fide `person`.
    fn talking(at: f64, person: usize) -> FrameObservation {
        #[expect(clippy::cast_possible_truncation, reason = "a wave")]
        let wave = |rate: f64| (at * rate).sin() as f32;
        let mut frame = frame_at(at);
        let mut face = face();
        let mut raw = [0.05_f32; 8];
        raw[person] = 1.0;
        face.embedding = Embedding::from_raw(&raw);
        face.presentation = Some(PresentationOutput { attack_score: 0.02, context_ratio: 1.0 });
        face.shape = Some(FaceShape {
            left_eye_ratio: 0.3 + 0.06 * wave(4.0),
            right_eye_ratio: 0.3 + 0.06 * wave(4.0),
            mouth_ratio: 0.2 + 0.1 * wave(9.0),
            mouth_width_ratio: 0.5 + 0.03 * wave(5.0),
            jaw_ratio: 0.8 + 0.03 * wave(8.0),
            ..FaceShape::default()
        });
        frame.faces = FaceSearch::Run(vec![face]);
        frame
    }

    fn journal(secs: u32, frame: impl Fn(f64) -> FrameObservation) -> Vec<JournalEntry> {
        let mut entries = vec![JournalEntry::TrackUpserted(track())];
        entries.extend((0..secs * 10).map(|tick| JournalEntry::Frame {
            track_id: track().track_id,
            observation: frame(f64::from(tick) / 10.0),
        }));
        entries
    }

    fn play(entries: &[JournalEntry]) -> (Interview, Vec<SessionEvent>) {
        let mut interview = interview();
        let events = entries.iter().flat_map(|entry| interview.apply(entry)).collect();
        (interview, events)
    }

    fn level(interview: &Interview) -> Level {
        interview.scores().map(|(_, score)| score.level).max().unwrap_or(Level::Inconclusive)
    }

    #[test]
    fn a_talking_person_becomes_clear() {
        let (interview, events) = play(&journal(20, |at| talking(at, 0)));
        assert_eq!(level(&interview), Level::Clear, "{:?}", interview.scores().next());
        assert!(!events.iter().any(|event| matches!(event, SessionEvent::Segment { .. })));
        let n_scores = events.iter().filter(|event| matches!(event, SessionEvent::Score { .. })).count();
        assert!((18..=21).contains(&n_scores), "one a second: {n_scores}");
    }

    #[test]
    fn the_first_seconds_are_inconclusive_with_their_cause() {
        let (interview, _) = play(&journal(2, |at| talking(at, 0)));
        let (_, score) = interview.scores().next().expect("scored");
        assert_eq!(score.level, Level::Inconclusive);
        assert_eq!(score.reasons[0].code, "evidence.too_little_face_time");
    }

    #[test]
    fn another_person_opens_a_segment_within_three_seconds() {
        let (interview, events) = play(&journal(24, |at| talking(at, if at < 12.0 { 0 } else { 4 })));
        assert!(level(&interview) >= Level::Suspicious, "{:?}", interview.scores().next());
        let opened = events.iter().find_map(|event| {
            if let SessionEvent::Segment { change: SegmentChange::Opened, segment } = event {
                Some(segment)
            } else {
                None
            }
        });
        let opened = opened.expect("a segment");
        assert!((12.0..=15.0).contains(&opened.end.as_secs_f64()), "{opened:?}");
        assert!((opened.start.as_secs_f64() - 12.0).abs() < 0.2, "begins with the other person: {opened:?}");
        let told = opened.signals.iter().flat_map(|signal| &signal.reasons);
        let changed: Vec<&Reason> = told.filter(|reason| reason.code == "identity.changed").collect();
        assert!((changed[0].values["at_secs"] - 12.0).abs() < 0.2, "{changed:?}");
    }

    #[test]
    fn finishing_closes_open_segments_and_nothing_follows() {
        let mut entries = journal(20, |at| talking(at, if at < 10.0 { 0 } else { 4 }));
        entries.push(JournalEntry::Finished { at: crate::media::MediaTime::ZERO });
        let (mut interview, events) = play(&entries);
        let last_segment = events.iter().rev().find_map(|event| {
            if let SessionEvent::Segment { segment, .. } = event { Some(segment.state) } else { None }
        });
        assert_eq!(last_segment, Some(SegmentState::Closed));
        assert!(interview.apply(&entries[5]).is_empty());
    }

    #[test]
    fn replaying_a_journal_gives_the_same_session() {
        let entries = journal(15, |at| talking(at, usize::from(at > 7.0)));
        assert_eq!(play(&entries).1, play(&entries).1);
    }

    #[test]
    fn an_empty_room_is_inconclusive_never_clear() {
        let (interview, _) = play(&journal(30, |at| {
            let mut frame = frame_at(at);
            frame.faces = FaceSearch::Run(Vec::new());
            frame
        }));
        assert_eq!(level(&interview), Level::Inconclusive);
    }

    #[test]
    fn what_gave_no_frame_is_accounted_for_too() {
        let accounted = |sequence| JournalEntry::Accounted { track_id: track().track_id, sequence };
        let mut interview = interview();
        assert!(interview.apply(&accounted(9)).is_empty());
        assert_eq!(interview.last_sequences().count(), 0, "nobody knows the track yet");
        interview.apply(&JournalEntry::TrackUpserted(track()));
        for (sequence, expected) in [(7, 7), (u64::MAX, u64::MAX), (3, u64::MAX)] {
            interview.apply(&accounted(sequence));
            assert_eq!(interview.last_sequences().map(|(_, last)| last).collect::<Vec<_>>(), [expected]);
        }
    }

    #[test]
    fn a_camera_is_told_the_cadence_at_once_and_again_when_it_comes_back() {
        let mut interview = interview();
        for _ in 0..2 {
            let events = interview.apply(&JournalEntry::TrackUpserted(track()));
            let [SessionEvent::Pacing(pacing)] = events.as_slice() else { panic!("{events:?}") };
            assert_eq!(pacing.track_id, track().track_id);
            assert!(pacing.frames_per_second > 0.0);
        }
        let screen = Track { kind: SourceKind::Screen, ..track() };
        assert!(interview.apply(&JournalEntry::TrackUpserted(screen)).is_empty());
    }

    #[test]
    fn tracks_are_bounded() {
        let mut interview = interview();
        for n in 0..200 {
            let mut track = track();
            track.track_id = TrackId::new(&format!("camera {n}")).expect("valid");
            interview.apply(&JournalEntry::TrackUpserted(track));
        }
        assert_eq!(interview.tracks.len(), super::MAX_TRACKS);
    }
}
