//! What is behind a participant: when a frame is worth describing for it, and the description that is kept.

use crate::media::MediaTime;
use crate::vision::scene::{SceneDescriptor, SceneReading};

/// Seconds after a participant's first frame before anything is described: cameras settle, people sit down.
const SETTLING_SECS: f64 = 2.0;
/// Seconds until the next try when a frame said nothing about its place.
const RETRY_SECS: f64 = 10.0;
/// Tries in one session.
const MAX_READINGS: u32 = 12;

/// The background behind one participant: the first that has a place of its own.
#[derive(Clone, Debug, Default)]
pub(super) struct Surroundings {
    scene: Option<SceneDescriptor>,
    last_at: Option<MediaTime>,
    n_readings: u32,
}

impl Surroundings {
    /// Takes what a frame says of it.
    pub(super) fn observe(&mut self, at: MediaTime, reading: &SceneReading) {
        self.last_at = Some(at);
        self.n_readings = self.n_readings.saturating_add(1);
        if let (None, Ok(scene)) = (&self.scene, reading) {
            self.scene = Some(scene.clone());
        }
    }

    /// Whether a frame is worth describing, of a participant who was first seen and last seen then.
    pub(super) fn is_wanted(&self, first_at: MediaTime, last_at: MediaTime) -> bool {
        let since_last_secs = self.last_at.map_or(f64::INFINITY, |at| last_at.secs_since(at));
        self.scene.is_none()
            && self.n_readings < MAX_READINGS
            && last_at.secs_since(first_at) >= SETTLING_SECS
            && since_last_secs >= RETRY_SECS
    }

    /// The description, if there is one.
    pub(super) const fn scene(&self) -> Option<&SceneDescriptor> {
        self.scene.as_ref()
    }
}

#[cfg(test)]
mod tests {
    use super::{MAX_READINGS, MediaTime, Surroundings};
    use crate::vision::scene::SceneGap;
    use crate::vision::scene::testing::scene;

    fn at(secs: i64) -> MediaTime {
        MediaTime::from_millis(secs * 1_000)
    }

    #[test]
    fn it_is_described_once_after_the_camera_has_settled() {
        let mut surroundings = Surroundings::default();
        assert!(!surroundings.is_wanted(at(5), at(6)));
        assert!(surroundings.is_wanted(at(5), at(7)));
        surroundings.observe(at(7), &Ok(scene(1)));
        assert!(!surroundings.is_wanted(at(5), at(600)));
        surroundings.observe(at(8), &Ok(scene(2)));
        assert_eq!(surroundings.scene(), Some(&scene(1)), "the first counts");
    }

    #[test]
    fn a_frame_that_says_nothing_is_followed_by_another_but_not_for_ever() {
        let mut surroundings = Surroundings::default();
        for number in 0..i64::from(MAX_READINGS) {
            let now = at(10 + 10 * number);
            assert!(surroundings.is_wanted(at(0), now), "{number}");
            surroundings.observe(now, &Err(SceneGap::Plain));
            assert!(!surroundings.is_wanted(at(0), at(19 + 10 * number)), "{number}");
        }
        assert!(!surroundings.is_wanted(at(0), at(10_000)));
        assert_eq!(surroundings.scene(), None);
    }
}
