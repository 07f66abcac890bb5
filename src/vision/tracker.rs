//! Following faces from frame to frame.
//!
//! In: media times, detections, meshes. Out: where to run the mesh model, and which faces it found under which track.
//! Deliberately not here: a clock, and any claim about who the person is; a track is a place in the picture, and where it is
//! in doubt it ends, because two tracks can be joined by identity later and one wrong track cannot be taken apart.

use super::face::{Detection, FaceMesh, FaceTrackId};
use super::geometry::BoxPx;
use super::landmark::face_box;
use super::roi::FaceRoi;
use crate::media::MediaTime;

/// Overlap of a detection with a followed face from which they are the same face.
const MIN_SAME_FACE_IOU: f32 = 0.3;
/// Overlap below which the detector is believed and not the mesh: a mesh that follows hair or a hand is as sure of itself as one
/// that follows a face.
const MIN_AGREEING_IOU: f32 = 0.5;
/// Overlap of two followed faces from which nobody can tell which is which.
const MAX_CROSSING_IOU: f32 = 0.4;
/// Largest step of a face between two looks, in face sizes; a larger one is a jump.
const MAX_STEP_RATIO: f32 = 0.6;
/// Largest change of size between two looks; a larger one is a jump.
const MAX_GROWTH_RATIO: f32 = 1.6;
/// Detector runs in a row that may overlook a face that the mesh still sees (profiles, hands).
const MAX_OVERLOOKED: u8 = 2;

/// How faces are followed.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct TrackerOptions {
    /// Faces followed at once; further ones are ignored, smallest first.
    pub max_faces: usize,
    /// Media time after which the detector looks again although every track is fine, in nanoseconds of the media clock.
    pub detect_interval: MediaTime,
    /// Media time within which a picture that seemed to hold no face is not searched in parts again.
    pub parts_interval: MediaTime,
    /// Pause between two looks after which no track continues.
    pub max_gap: MediaTime,
    /// Mesh confidence below which a face is lost, 0..=1.
    pub min_presence: f32,
}

impl Default for TrackerOptions {
    fn default() -> Self {
        Self {
            max_faces: 4,
            detect_interval: MediaTime::from_millis(1_000),
            parts_interval: MediaTime::from_millis(500),
            max_gap: MediaTime::from_millis(2_000),
            min_presence: 0.5,
        }
    }
}

/// What the tracker has to know of a frame besides its faces.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TrackFrame {
    /// Position on the media clock.
    pub media_time: MediaTime,
    /// Pixels a row.
    pub width: u32,
    /// Rows.
    pub height: u32,
    /// Whether the picture was cut since the previous look.
    pub scene_changed: bool,
}

/// What a frame needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TrackPlan {
    /// Whether to run the detector before [`FaceTracker::begin`].
    pub detect: bool,
    /// Whether to search the frame in parts when the detector finds nothing in the whole of it.
    pub search_parts: bool,
}

/// One face that a frame really shows.
#[derive(Clone, Debug, PartialEq)]
pub struct TrackedFace {
    /// The track that it continues or starts.
    pub face_track: FaceTrackId,
    /// Its mesh.
    pub mesh: FaceMesh,
    /// Its box, from the mesh: comparable from frame to frame.
    pub box_in_frame: BoxPx,
    /// What the detector said of it in this very frame, if it ran; the box that the presentation-attack model knows best.
    pub detection: Option<Detection>,
}

/// Follows faces through one video track; pure and deterministic.
///
/// For every frame: [`plan`](Self::plan), run the detector if asked to, [`begin`](Self::begin), run the mesh model on each
/// region, [`finish`](Self::finish). No track continues over a cut, a change of resolution, a jump in time or place, or
/// another face.
#[derive(Clone, Debug)]
pub struct FaceTracker {
    options: TrackerOptions,
    tracks: Vec<Track>,
    next_id: u32,
    previous: Option<TrackFrame>,
    detected_at: Option<MediaTime>,
    parts_searched_at: Option<MediaTime>,
    must_detect: bool,
}

#[derive(Clone, Debug)]
struct Track {
    id: FaceTrackId,
    roi: FaceRoi,
    box_in_frame: BoxPx,
    /// What the detector said in the current frame.
    detection: Option<Detection>,
    /// Detector runs in a row that did not find it.
    overlooked: u8,
}

impl FaceTracker {
    /// A tracker that has seen nothing.
    #[must_use]
    pub fn new(options: TrackerOptions) -> Self {
        Self {
            options,
            tracks: Vec::new(),
            next_id: 0,
            previous: None,
            detected_at: None,
            parts_searched_at: None,
            must_detect: true,
        }
    }

    /// Says whether the next frame needs the detector: nothing is followed, something was lost, the picture is another, or
    /// the last time is too long ago.
    #[must_use]
    pub fn plan(&self, frame: TrackFrame) -> TrackPlan {
        let is_due = self.detected_at.is_none_or(|at| !is_within(at, frame.media_time, self.options.detect_interval));
        let is_fresh = |at: MediaTime| is_within(at, frame.media_time, self.options.parts_interval);
        TrackPlan {
            detect: self.must_detect || self.tracks.is_empty() || is_due || !self.continues(frame),
            search_parts: frame.scene_changed || !self.parts_searched_at.is_some_and(is_fresh),
        }
    }

    /// Notes that the frame was searched in parts, which is many times the work of a look at the whole.
    pub const fn parts_searched(&mut self, frame: TrackFrame) {
        self.parts_searched_at = Some(frame.media_time);
    }

    /// Takes the frame's detections, if the detector ran, and says where to run the mesh model, for which track.
    ///
    /// Tracks that cannot continue in this frame end here; detections that belong to no track start one.
    pub fn begin(&mut self, frame: TrackFrame, detections: Option<&[Detection]>) -> Vec<(FaceTrackId, FaceRoi)> {
        if !self.continues(frame) {
            self.tracks.clear();
        }
        self.previous = Some(TrackFrame { scene_changed: false, ..frame });
        for track in &mut self.tracks {
            track.detection = None;
        }
        if let Some(detections) = detections {
            self.detected_at = Some(frame.media_time);
            self.must_detect = false;
            self.associate(detections);
        }
        self.tracks.iter().map(|track| (track.id, track.roi)).collect()
    }

    /// Asks the detector on the next frame, in any case: a face was not where it was looked for.
    pub const fn doubt(&mut self) {
        self.must_detect = true;
    }

    /// Takes what the mesh model found for each track and returns the faces that hold.
    ///
    /// A track ends when its face is absent, has jumped, or lies on another track's face (then both end). Unknown ids are
    /// ignored; a track without a result ends.
    pub fn finish(&mut self, results: Vec<(FaceTrackId, Option<FaceMesh>)>) -> Vec<TrackedFace> {
        let mut results = results;
        let mut faces: Vec<TrackedFace> = Vec::new();
        for track in &mut self.tracks {
            let found = results.iter_mut().find(|(id, _)| *id == track.id).and_then(|(_, mesh)| mesh.take());
            let accepted = found
                .filter(|mesh| mesh.presence >= self.options.min_presence)
                .and_then(|mesh| Some((FaceRoi::from_mesh(&mesh)?, face_box(&mesh), mesh)))
                .filter(|(_, box_in_frame, _)| is_step(&track.box_in_frame, box_in_frame));
            if let Some((roi, box_in_frame, mesh)) = accepted {
                track.roi = roi;
                track.box_in_frame = box_in_frame;
                faces.push(TrackedFace { face_track: track.id, mesh, box_in_frame, detection: track.detection });
            }
        }
        let is_crossing = |face: &TrackedFace| {
            faces.iter().any(|other| {
                other.face_track != face.face_track && other.box_in_frame.iou(&face.box_in_frame) > MAX_CROSSING_IOU
            })
        };
        let crossing: Vec<FaceTrackId> =
            faces.iter().filter(|face| is_crossing(face)).map(|face| face.face_track).collect();
        faces.retain(|face| !crossing.contains(&face.face_track));
        let before = self.tracks.len();
        self.tracks.retain(|track| faces.iter().any(|face| face.face_track == track.id));
        self.must_detect |= self.tracks.len() < before;
        faces
    }

    /// Whether tracks of the previous frame may live on in this one.
    fn continues(&self, frame: TrackFrame) -> bool {
        self.previous.is_some_and(|previous| {
            !frame.scene_changed
                && previous.width == frame.width
                && previous.height == frame.height
                && is_within(previous.media_time, frame.media_time, self.options.max_gap)
        })
    }

    /// Gives each detection to the track that it overlaps most, pairs of greatest overlap first, and starts tracks for the rest.
    fn associate(&mut self, detections: &[Detection]) {
        let mut pairs: Vec<(f32, usize, usize)> = Vec::new();
        for (track_idx, track) in self.tracks.iter().enumerate() {
            for (detection_idx, detection) in detections.iter().enumerate() {
                let overlap = track.box_in_frame.iou(&detection.box_in_frame);
                if overlap >= MIN_SAME_FACE_IOU {
                    pairs.push((overlap, track_idx, detection_idx));
                }
            }
        }
        pairs.sort_by(|a, b| b.0.total_cmp(&a.0));
        let mut is_taken = vec![false; detections.len()];
        for (overlap, track_idx, detection_idx) in pairs {
            let track = &mut self.tracks[track_idx];
            if track.detection.is_none() && !is_taken[detection_idx] {
                track.detection = Some(detections[detection_idx]);
                is_taken[detection_idx] = true;
                if overlap < MIN_AGREEING_IOU {
                    track.roi = FaceRoi::from_detection(&detections[detection_idx]).unwrap_or(track.roi);
                }
            }
        }
        for track in &mut self.tracks {
            track.overlooked = if track.detection.is_some() { 0 } else { track.overlooked.saturating_add(1) };
        }
        self.tracks.retain(|track| track.overlooked < MAX_OVERLOOKED);
        // A face that only the mesh sees is asked about again at once.
        self.must_detect = self.tracks.iter().any(|track| track.overlooked > 0);
        let mut fresh: Vec<Detection> =
            detections.iter().zip(&is_taken).filter(|(_, taken)| !**taken).map(|(detection, _)| *detection).collect();
        fresh.sort_by(|a, b| b.box_in_frame.area().total_cmp(&a.box_in_frame.area()));
        for detection in fresh {
            if self.tracks.len() < self.options.max_faces {
                self.start(detection);
            }
        }
    }

    fn start(&mut self, detection: Detection) {
        // Two faces on top of each other would end each other's tracks: the second one waits until they are apart.
        if self.tracks.iter().any(|track| track.box_in_frame.iou(&detection.box_in_frame) > MAX_CROSSING_IOU) {
            self.must_detect = true;
            return;
        }
        if let Some(roi) = FaceRoi::from_detection(&detection) {
            let id = FaceTrackId(self.next_id);
            self.next_id = self.next_id.wrapping_add(1);
            self.tracks.push(Track {
                id,
                roi,
                box_in_frame: detection.box_in_frame,
                detection: Some(detection),
                overlooked: 0,
            });
        }
    }
}

/// Whether `now` is not before `then` and at most `limit` after it.
fn is_within(then: MediaTime, now: MediaTime, limit: MediaTime) -> bool {
    let elapsed = now.as_nanos().saturating_sub(then.as_nanos());
    (0..=limit.as_nanos()).contains(&elapsed)
}

/// Whether a face can have gone from one box to the other between two looks.
fn is_step(from: &BoxPx, to: &BoxPx) -> bool {
    let (from_size, to_size) = (from.height().max(from.width()), to.height().max(to.width()));
    let (a, b) = (from.center(), to.center());
    let step = (a.x - b.x).hypot(a.y - b.y);
    let growth = (to_size / from_size).max(from_size / to_size);
    // A NaN fails each comparison.
    to.is_finite() && step <= MAX_STEP_RATIO * from_size && growth <= MAX_GROWTH_RATIO
}

#[cfg(test)]
mod tests;
