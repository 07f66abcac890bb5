//! Presence: a ledger of where the seconds went. With a face, without one, black, frozen, missing, with a second face.
//!
//! Absence is recorded for a person to see; as evidence it weighs little, because cameras fail for honest people too.

use crate::media::{MediaTime, PictureStats};

use super::blocks::BlockSeries;
use super::copy::is_copy;
use super::gate::quality_problem;
use super::measurement::{Measurement, Reason, SignalName};
use super::observation::{FaceObservation, FaceSearch, FrameObservation};
use super::signal::Signal;
use super::window::Window;

/// A gap between frames longer than this is missing video; shorter ones are a low frame rate.
const MAX_GAP_SECS: f64 = 2.0;
/// Mean luma below which a picture is black, if it is flat as well.
const BLACK_LUMA: f32 = 0.06;
/// Luma deviation below which a picture is flat.
const FLAT_DEVIATION: f32 = 0.03;
/// Seconds of the same picture from which the stream counts as frozen.
const FROZEN_SECS: f64 = 2.0;
/// Seconds for which the last search for faces speaks for the frames after it.
const SEARCH_VALID_SECS: f64 = 1.5;
/// Seconds without a face (of any cause) from which it is told.
const MIN_TOLD_SECS: f64 = 2.0;

/// Where the seconds of a session went, by media time.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Ledger {
    /// With the candidate's face.
    pub face_secs: f64,
    /// With the candidate's face, good enough to measure.
    pub usable_face_secs: f64,
    /// With a picture but no face.
    pub no_face_secs: f64,
    /// With a flat black picture.
    pub black_secs: f64,
    /// With the same picture for seconds.
    pub frozen_secs: f64,
    /// Without any frame.
    pub missing_secs: f64,
    /// With a second face beside the candidate's.
    pub second_face_secs: f64,
}

/// Keeps the ledger.
#[derive(Clone, Debug, Default)]
pub struct Presence {
    ledger: Ledger,
    present: BlockSeries,
    last_at: Option<MediaTime>,
    first_at: Option<MediaTime>,
    same_picture_since: Option<MediaTime>,
    last_search: Option<(MediaTime, Seen)>,
    last_problem: Option<Reason>,
    /// Which of several faces was the candidate's when there were several last.
    candidate_among_several: Option<Reason>,
}

#[derive(Clone, Copy, Debug, Default)]
struct Seen {
    has_candidate: bool,
    is_usable: bool,
    has_second: bool,
}

impl Presence {
    /// The ledger so far.
    #[must_use]
    pub const fn ledger(&self) -> &Ledger {
        &self.ledger
    }

    /// Why the candidate's face could not be measured when it was last seen; `None` when it could.
    #[must_use]
    pub const fn last_problem(&self) -> Option<&Reason> {
        self.last_problem.as_ref()
    }

    fn is_frozen(&mut self, observation: &FrameObservation) -> bool {
        let at = observation.media_time;
        if !is_copy(&observation.picture) {
            self.same_picture_since = None;
            return false;
        }
        let since = *self.same_picture_since.get_or_insert(self.last_at.unwrap_or(at));
        at.secs_since(since) >= FROZEN_SECS
    }
}

impl Signal for Presence {
    fn name(&self) -> SignalName {
        SignalName::Presence
    }

    fn observe(&mut self, observation: &FrameObservation, candidate: Option<&FaceObservation>) {
        let at = observation.media_time;
        if let FaceSearch::Run(faces) = &observation.faces {
            self.last_problem = candidate.and_then(quality_problem);
            let is_usable = candidate.is_some() && self.last_problem.is_none();
            let seen = Seen { has_candidate: candidate.is_some(), is_usable, has_second: faces.len() > 1 };
            self.last_search = Some((at, seen));
            if let (Some(face), true) = (candidate, seen.has_second) {
                self.candidate_among_several = Some(candidate_reason(face, &observation.picture));
            }
        }
        let is_frozen = self.is_frozen(observation);
        let last_at = self.last_at.replace(at);
        self.first_at.get_or_insert(at);
        let elapsed_secs = last_at.map_or(0.0, |last| at.secs_since(last));
        if elapsed_secs > MAX_GAP_SECS {
            self.ledger.missing_secs += elapsed_secs;
            return;
        }
        if elapsed_secs <= 0.0 {
            return;
        }
        let picture = &observation.picture;
        let is_black = picture.mean_luma < BLACK_LUMA && picture.luma_deviation < FLAT_DEVIATION;
        let seen = match self.last_search {
            Some((searched_at, seen)) if at.secs_since(searched_at) <= SEARCH_VALID_SECS => seen,
            _ => Seen::default(),
        };
        if is_black {
            self.ledger.black_secs += elapsed_secs;
        } else if is_frozen {
            self.ledger.frozen_secs += elapsed_secs;
        } else if seen.has_candidate {
            self.ledger.face_secs += elapsed_secs;
            if seen.is_usable {
                self.ledger.usable_face_secs += elapsed_secs;
            }
            if seen.has_second {
                self.ledger.second_face_secs += elapsed_secs;
            }
        } else {
            self.ledger.no_face_secs += elapsed_secs;
        }
        let is_present = seen.has_candidate && !is_black && !is_frozen;
        self.present.push(at, f64::from(u8::from(is_present)));
    }

    fn measure(&self, window: Window) -> Measurement {
        let summary = self.present.summary(window);
        let mut reasons = Vec::new();
        let ledger = &self.ledger;
        for (code, secs) in [
            ("presence.no_face", ledger.no_face_secs),
            ("presence.black", ledger.black_secs),
            ("presence.frozen", ledger.frozen_secs),
            ("presence.missing", ledger.missing_secs),
            ("presence.second_face", ledger.second_face_secs),
        ] {
            if secs >= MIN_TOLD_SECS {
                reasons.push(Reason::new(code).with("secs", secs));
            }
        }
        if ledger.second_face_secs >= MIN_TOLD_SECS {
            reasons.extend(self.candidate_among_several.clone());
        }
        Measurement {
            signal: SignalName::Presence,
            statistic: summary.map(|summary| summary.mean),
            blocks: summary.map_or(0, |summary| summary.n_blocks),
            standard_error: summary.and_then(|summary| summary.standard_error),
            alarm: false,
            usable_ratio: self.present.usable_ratio(window),
            reasons,
        }
    }
}

/// Where the face that is scored stands, as shares of the picture's width and height.
fn candidate_reason(face: &FaceObservation, picture: &PictureStats) -> Reason {
    let size = (f64::from(picture.width_px).max(1.0), f64::from(picture.height_px).max(1.0));
    let center = face.box_in_frame.center();
    Reason::new("presence.candidate")
        .with("center_x_ratio", f64::from(center.x) / size.0)
        .with("center_y_ratio", f64::from(center.y) / size.1)
        .with("height_ratio", f64::from(face.box_in_frame.height()) / size.1)
}

#[cfg(test)]
mod tests {
    use crate::signals::testing::{face, frame_at};

    use super::{FaceSearch, Presence, Signal, Window};

    /// Ten frames a second for `secs`, each changed by `change`.
    fn watch(secs: f64, change: impl Fn(f64, &mut super::FrameObservation)) -> Presence {
        let mut presence = Presence::default();
        for tick in 0..=((secs * 10.0) as u32) {
            let mut frame = frame_at(f64::from(tick) / 10.0);
            frame.faces = FaceSearch::Run(vec![face()]);
            change(f64::from(tick) / 10.0, &mut frame);
            let candidate = match &frame.faces {
                FaceSearch::Run(faces) => faces.first().cloned(),
                FaceSearch::NotRun => None,
            };
            presence.observe(&frame, candidate.as_ref());
        }
        presence
    }

    #[test]
    fn every_second_is_accounted_for_once() {
        let presence = watch(30.0, |at, frame| match at {
            5.0..10.0 => frame.faces = FaceSearch::Run(Vec::new()),
            10.0..15.0 => (frame.picture.mean_luma, frame.picture.luma_deviation) = (0.01, 0.0),
            15.0..25.0 => frame.picture.change_levels = Some(0.0),
            _ => {}
        });
        let ledger = presence.ledger();
        let total =
            ledger.face_secs + ledger.no_face_secs + ledger.black_secs + ledger.frozen_secs + ledger.missing_secs;
        assert!((total - 30.0).abs() < 0.01, "{ledger:?}");
        assert!((ledger.no_face_secs - 5.0).abs() < 0.2, "{ledger:?}");
        assert!((ledger.black_secs - 5.0).abs() < 0.2, "{ledger:?}");
        assert!((ledger.frozen_secs - 8.0).abs() < 0.3, "{ledger:?}");
        assert!((ledger.usable_face_secs - ledger.face_secs).abs() < 1e-9);
    }

    #[test]
    fn gaps_are_missing_video() {
        let mut presence = Presence::default();
        for at in [0.0, 0.1, 10.0, 10.1] {
            presence.observe(&frame_at(at), None);
        }
        assert!((presence.ledger().missing_secs - 9.9).abs() < 1e-6);
    }

    #[test]
    fn a_face_too_small_is_seen_but_not_usable() {
        let presence = watch(5.0, |_, frame| {
            let mut small = face();
            small.quality.face_height_px = 41.0;
            frame.faces = FaceSearch::Run(vec![small]);
        });
        assert!(presence.ledger().face_secs > 4.0 && presence.ledger().usable_face_secs == 0.0);
        assert_eq!(presence.last_problem().expect("a problem").code, "quality.face_too_small");
    }

    #[test]
    fn beside_a_second_face_it_is_told_which_is_scored() {
        let presence = watch(8.0, |_, frame| frame.faces = FaceSearch::Run(vec![face(), face()]));
        let reasons = presence.measure(Window::ALL).reasons;
        assert_eq!(
            reasons.iter().map(|reason| reason.code.as_ref()).collect::<Vec<_>>(),
            ["presence.second_face", "presence.candidate"]
        );
        let ratios = ["center_x_ratio", "center_y_ratio", "height_ratio"].map(|key| reasons[1].values[key]);
        assert_eq!(ratios.map(|ratio| (ratio * 1_000.0).round()), [500.0, 417.0, 333.0], "of 640x480");
        assert!(watch(8.0, |_, _| {}).measure(Window::ALL).reasons.is_empty());
    }

    #[test]
    fn absence_is_told_with_its_seconds() {
        let presence = watch(8.0, |_, frame| frame.faces = FaceSearch::Run(Vec::new()));
        let measurement = presence.measure(Window::ALL);
        assert!(measurement.statistic.expect("measured") < 0.1);
        assert_eq!(measurement.reasons[0].code, "presence.no_face");
    }
}
