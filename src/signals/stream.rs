//! Stream forensics: does this come from a camera, or from a file, a loop, a still picture, a virtual device?
//!
//! Everything here works on times and on a few figures of each picture. All of it can be imitated or can happen to honest
//! people (jitter buffers, poor light, OBS), so that it is evidence with a cap, never proof.

mod clock;
mod device;
mod repeats;

use crate::media::MediaTime;

use self::clock::ClockWatch;
use self::device::is_virtual_camera;
use self::repeats::RepeatWatch;
use super::blocks::BlockSeries;
use super::copy::is_copy;
use super::measurement::{Measurement, Reason, SignalName};
use super::observation::{FaceObservation, FrameObservation};
use super::signal::Signal;
use super::window::Window;

/// Share of repeated pictures that a camera with a halved frame rate has, and that is therefore let pass.
const ALLOWED_DUPLICATE_RATIO: f64 = 0.6;
/// What a label of a known virtual camera takes from the statistic. At FMR of honest users of 14.6 % against 90 % of
/// injections (arXiv 2512.10653) its likelihood ratio is about 6; the share is set so that it counts about half of that.
const VIRTUAL_CAMERA_PENALTY: f64 = 0.25;
/// Blocks needed before anything is said.
const MIN_BLOCKS: u32 = 3;
/// Frames dropped by the plugin or shed by the server, as a share of all, from which it is told.
const TOLD_LOSS_RATIO: f64 = 0.2;

/// Share of the stream that looks like a camera's.
#[derive(Clone, Debug, Default)]
pub struct Stream {
    repeats: RepeatWatch,
    clock: ClockWatch,
    looped: BlockSeries,
    duplicated: BlockSeries,
    loop_found: Option<(MediaTime, f64)>,
    loop_secs: f64,
    last_at: Option<MediaTime>,
    has_virtual_camera: bool,
    n_frames: u64,
    n_missing: u64,
    n_shed: u64,
}

impl Stream {
    /// Takes what the capturing side says of its device.
    pub fn claim_device(&mut self, label: &str) {
        self.has_virtual_camera = is_virtual_camera(label);
    }
}

impl Signal for Stream {
    fn name(&self) -> SignalName {
        SignalName::Stream
    }

    fn observe(&mut self, observation: &FrameObservation, _candidate: Option<&FaceObservation>) {
        let at = observation.media_time;
        self.n_frames += 1;
        self.n_missing = self.n_missing.saturating_add(observation.missing_before);
        self.n_shed = self.n_shed.saturating_add(observation.shed_before);
        self.clock.observe(at, observation.arrival);
        let elapsed_secs = self.last_at.replace(at).map_or(0.0, |last| at.secs_since(last)).clamp(0.0, 1.0);
        self.duplicated.push(at, f64::from(u8::from(is_copy(&observation.picture))));
        let repeat = self.repeats.observe(at, &observation.picture);
        if let Some(repeat) = repeat {
            self.loop_secs += elapsed_secs;
            self.loop_found.get_or_insert((at, repeat.period_secs));
        }
        self.looped.push(at, f64::from(u8::from(repeat.is_some())));
    }

    fn measure(&self, window: Window) -> Measurement {
        let mut measurement = Measurement {
            signal: SignalName::Stream,
            statistic: None,
            blocks: 0,
            standard_error: None,
            alarm: false,
            usable_ratio: self.looped.usable_ratio(window),
            reasons: self.clock.reasons(),
        };
        let (Some(looped), Some(duplicated)) = (self.looped.summary(window), self.duplicated.summary(window)) else {
            return measurement;
        };
        measurement.blocks = looped.n_blocks;
        if let Some((at, period_secs)) = self.loop_found
            && window.contains(at)
        {
            let reason = Reason::new("stream.loop").with("at_secs", at.as_secs_f64());
            measurement.reasons.push(reason.with("period_secs", period_secs).with("secs", self.loop_secs));
        }
        let excess = ((duplicated.mean - ALLOWED_DUPLICATE_RATIO) / (1.0 - ALLOWED_DUPLICATE_RATIO)).max(0.0);
        if excess > 0.0 {
            measurement.reasons.push(Reason::new("stream.duplicates").with("duplicate_ratio", duplicated.mean));
        }
        let mut statistic = 1.0 - looped.mean.max(excess);
        if self.has_virtual_camera {
            statistic -= VIRTUAL_CAMERA_PENALTY;
            measurement.reasons.push(Reason::new("stream.virtual_camera"));
        }
        let n_sent = self.n_frames.saturating_add(self.n_missing).max(1) as f64;
        for (code, n_lost) in [("stream.frames_missing", self.n_missing), ("stream.frames_shed", self.n_shed)] {
            let lost_ratio = n_lost as f64 / n_sent;
            if lost_ratio >= TOLD_LOSS_RATIO {
                measurement.reasons.push(Reason::new(code).with("lost_ratio", lost_ratio.min(1.0)));
            }
        }
        if looped.n_blocks >= MIN_BLOCKS {
            measurement.statistic = Some(statistic);
            measurement.standard_error = looped.standard_error.zip(duplicated.standard_error).map(|(a, b)| a.max(b));
        } else {
            let reason = Reason::new("stream.too_short").with("blocks", looped.n_blocks);
            measurement.reasons.push(reason.with("blocks_needed", MIN_BLOCKS));
        }
        measurement
    }
}

#[cfg(test)]
mod tests {
    use crate::signals::testing::frame_at;

    use super::{Signal, Stream, Window};

    /// A picture whose light wanders without ever repeating.
    fn wandering(at: f64) -> f32 {
        0.4 + 0.02 * (at * 1.7).sin() as f32 + 0.013 * (at * 0.31).cos() as f32 + 0.000_7 * at as f32
    }

    fn watch(secs: f64, luma: impl Fn(f64) -> f32) -> Stream {
        let mut stream = Stream::default();
        for tick in 0..((secs * 10.0) as u32) {
            let at = f64::from(tick) / 10.0;
            let mut frame = frame_at(at);
            frame.picture.mean_luma = luma(at);
            frame.picture.luma_deviation = luma(at + 0.37) / 2.0;
            stream.observe(&frame, None);
        }
        stream
    }

    #[test]
    fn a_camera_is_no_loop() {
        let measurement = watch(60.0, wandering).measure(Window::ALL);
        assert!(measurement.statistic.expect("long enough") > 0.99, "{measurement:?}");
    }

    #[test]
    fn a_loop_is_found_with_its_period() {
        let measurement = watch(60.0, |at| wandering(at % 6.0)).measure(Window::ALL);
        assert!(measurement.statistic.expect("long enough") < 0.3, "{measurement:?}");
        let reason = measurement.reasons.iter().find(|reason| reason.code == "stream.loop").expect("told");
        assert!((reason.values["period_secs"] - 6.0).abs() < 0.2, "{reason:?}");
    }

    #[test]
    fn a_still_scene_is_no_loop_but_an_exact_one_is_duplicated() {
        let mut stream = Stream::default();
        for tick in 0..300 {
            let mut frame = frame_at(f64::from(tick) / 10.0);
            frame.picture.mean_luma = 0.4;
            frame.picture.luma_deviation = 0.2;
            frame.picture.change_levels = Some(0.0);
            stream.observe(&frame, None);
        }
        let measurement = stream.measure(Window::ALL);
        assert!(measurement.reasons.iter().all(|reason| reason.code != "stream.loop"));
        assert!(measurement.reasons.iter().any(|reason| reason.code == "stream.duplicates"));
        assert!(measurement.statistic.expect("long enough") < 0.1);
    }

    #[test]
    fn a_virtual_camera_lowers_the_statistic() {
        let mut stream = watch(20.0, wandering);
        let before = stream.measure(Window::ALL).statistic.expect("long enough");
        stream.claim_device("OBS Virtual Camera");
        let after = stream.measure(Window::ALL).statistic.expect("long enough");
        assert!(after < before - 0.2);
    }
}
