//! One person's pictures, then at once another's.

use std::time::Duration;

use crate::media::{MediaTime, VideoFrame};

use super::canvas::fitted;

/// Size to which both are brought.
const SIZE: (u32, u32) = (640, 480);
/// Time between the last picture of the one and the first of the other.
const STEP: Duration = Duration::from_millis(33);

/// The frames of one clip and behind them those of another, on one clock and of one size.
pub(in crate::eval) struct Splice<A, B> {
    first: Option<A>,
    second: B,
    until_secs: f64,
    after_secs: f64,
    last_at: MediaTime,
    /// What the second clip's times are moved by, once it began.
    offset: Option<(MediaTime, MediaTime)>,
    n_frames: u64,
}

impl<A: Iterator<Item = VideoFrame>, B: Iterator<Item = VideoFrame>> Splice<A, B> {
    /// At most `until_secs` of the first, then at most `after_secs` of the second.
    pub(in crate::eval) fn new(first: A, until_secs: f64, second: B, after_secs: f64) -> Self {
        let last_at = MediaTime::ZERO;
        Self { first: Some(first), second, until_secs, after_secs, last_at, offset: None, n_frames: 0 }
    }

    /// When the second clip began; `None` before that.
    pub(in crate::eval) fn cut_at(&self) -> Option<MediaTime> {
        self.offset.map(|(cut_at, _)| cut_at)
    }

    fn number(&mut self, frame: &VideoFrame, media_time: MediaTime) -> Option<VideoFrame> {
        self.last_at = media_time;
        self.n_frames += 1;
        let picture = fitted(&frame.picture.to_rgb(), SIZE)?;
        Some(VideoFrame::new(self.n_frames - 1, media_time, picture.into()))
    }
}

impl<A: Iterator<Item = VideoFrame>, B: Iterator<Item = VideoFrame>> Iterator for Splice<A, B> {
    type Item = VideoFrame;

    fn next(&mut self) -> Option<VideoFrame> {
        if let Some(frame) = self.first.as_mut().and_then(Iterator::next) {
            if frame.media_time.as_secs_f64() < self.until_secs {
                return self.number(&frame, frame.media_time);
            }
            self.first = None;
        } else {
            self.first = None;
        }
        let frame = self.second.next()?;
        let (cut_at, from) = *self.offset.get_or_insert((self.last_at.saturating_add(STEP), frame.media_time));
        let since_secs = frame.media_time.secs_since(from);
        let media_time = MediaTime::from_secs_f64(cut_at.as_secs_f64() + since_secs)?;
        (since_secs < self.after_secs).then(|| self.number(&frame, media_time)).flatten()
    }
}

#[cfg(test)]
mod tests {
    use super::{SIZE, Splice};
    use crate::media::{MediaTime, RgbImage, VideoFrame};

    fn clip(level: u8, start_millis: i64, n_frames: u64) -> impl Iterator<Item = VideoFrame> {
        (0..n_frames).map(move |sequence| {
            let media_time = MediaTime::from_millis(start_millis + 100 * i64::try_from(sequence).expect("small"));
            VideoFrame::new(sequence, media_time, RgbImage::new(8, 6, vec![level; 144]).expect("sizes agree").into())
        })
    }

    #[test]
    fn the_second_follows_the_first_on_one_clock() {
        let mut splice = Splice::new(clip(10, 0, 50), 1.0, clip(200, 5_000, 50), 0.55);
        let frames: Vec<VideoFrame> = splice.by_ref().collect();
        assert_eq!(frames.len(), 10 + 6);
        assert!(frames.windows(2).all(|pair| pair[0].media_time < pair[1].media_time));
        assert!(frames.iter().all(|frame| (frame.picture.width(), frame.picture.height()) == SIZE));
        let cut_at = splice.cut_at().expect("the second began");
        let level_after = frames
            .iter()
            .find(|frame| frame.media_time >= cut_at)
            .map(|frame| frame.picture.to_rgb().pixels()[600_000]);
        assert_eq!((level_after, frames[9].picture.to_rgb().pixels()[600_000]), (Some(200), 10));
        assert!((cut_at.as_secs_f64() - 0.933).abs() < 1e-9, "{cut_at:?}");
    }
}
