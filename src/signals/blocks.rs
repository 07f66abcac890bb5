//! Time blocks, so that correlated frames do not count as independent evidence.

use crate::media::MediaTime;

use super::window::Window;

/// Length of a block. Frames within a second of each other say nearly the same; blocks of 1 to 2 s much less so.
pub const BLOCK_SECS: f64 = 1.0;
/// Blocks that a series keeps: six hours. Older ones are forgotten one by one.
const MAX_BLOCKS: usize = 21_600;
/// Lag-1 correlation of blocks that is assumed at least; estimates from few blocks are too low.
const MIN_CORRELATION: f64 = 0.3;
/// Lag-1 correlation beyond which no series is trusted to go: ten blocks are then worth about half a one.
const MAX_CORRELATION: f64 = 0.9;

/// The mean of a value over one block.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Block {
    index: i64,
    sum: f64,
    n_values: u32,
}

impl Block {
    /// Mean of the block's values.
    pub(super) fn mean(&self) -> f64 {
        self.sum / f64::from(self.n_values.max(1))
    }
}

/// A value over time, in blocks.
#[derive(Clone, Debug, Default)]
pub(super) struct BlockSeries {
    blocks: std::collections::VecDeque<Block>,
}

/// Mean and standard error over blocks.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Summary {
    /// Mean of the blocks' means.
    pub(super) mean: f64,
    /// Standard error of that mean, widened for the correlation of neighbours; `None` with fewer than two blocks.
    pub(super) standard_error: Option<f64>,
    /// Blocks behind it.
    pub(super) n_blocks: u32,
}

impl BlockSeries {
    /// Adds a value; not finite or older than the newest block's start: left out.
    pub(super) fn push(&mut self, at: MediaTime, value: f64) {
        if !value.is_finite() {
            return;
        }
        let index = block_index(at);
        match self.blocks.back_mut() {
            Some(last) if last.index == index => {
                last.sum += value;
                last.n_values = last.n_values.saturating_add(1);
            }
            Some(last) if last.index > index => {}
            _ => {
                if self.blocks.len() == MAX_BLOCKS {
                    self.blocks.pop_front();
                }
                self.blocks.push_back(Block { index, sum: value, n_values: 1 });
            }
        }
    }

    /// Blocks that hold a value.
    pub(super) fn n_blocks(&self) -> usize {
        self.blocks.len()
    }

    /// Mean of the newest block.
    pub(super) fn newest(&self) -> Option<f64> {
        self.blocks.back().map(Block::mean)
    }

    /// The blocks that begin within the window, oldest first.
    pub(super) fn within(&self, window: Window) -> impl DoubleEndedIterator<Item = &Block> + Clone {
        let (first, last) = (block_index(window.start), block_index(window.end));
        let from = self.blocks.partition_point(|block| block.index < first);
        let to = self.blocks.partition_point(|block| block.index <= last);
        self.blocks.range(from..to.max(from))
    }

    /// Mean and standard error within the window; `None` when there is no block.
    pub(super) fn summary(&self, window: Window) -> Option<Summary> {
        summarise(self.within(window).map(Block::mean))
    }

    /// Share of the window's blocks that hold a value, 0..=1.
    pub(super) fn usable_ratio(&self, window: Window) -> f64 {
        let n_window = (window.secs() / BLOCK_SECS).ceil().max(1.0);
        let n_usable = f64::from(u32::try_from(self.within(window).count()).unwrap_or(u32::MAX));
        (n_usable / n_window).min(1.0)
    }
}

/// Mean and standard error of values in order of time; `None` when there is none.
///
/// # Source
/// Effective sample size of an AR(1) series, n(1-r)/(1+r), with r estimated at lag 1 and held within
/// `MIN_CORRELATION..=MAX_CORRELATION`.
pub(super) fn summarise(values: impl Iterator<Item = f64> + Clone) -> Option<Summary> {
    let n_blocks = u32::try_from(values.clone().count()).unwrap_or(u32::MAX);
    if n_blocks == 0 {
        return None;
    }
    let n = f64::from(n_blocks);
    let mean = values.clone().sum::<f64>() / n;
    let squares: f64 = values.clone().map(|value| (value - mean).powi(2)).sum();
    let standard_error = (n_blocks > 1).then(|| {
        let lagged: f64 = values.clone().zip(values.skip(1)).map(|(a, b)| (a - mean) * (b - mean)).sum();
        let correlation = if squares > 0.0 { lagged / squares } else { 0.0 };
        let correlation = correlation.clamp(MIN_CORRELATION, MAX_CORRELATION);
        let n_effective = (n * (1.0 - correlation) / (1.0 + correlation)).max(1.0);
        (squares / (n - 1.0) / n_effective).sqrt()
    });
    Some(Summary { mean, standard_error, n_blocks })
}

fn block_index(at: MediaTime) -> i64 {
    #[expect(
        clippy::cast_possible_truncation,
        reason = "media time spans 292 years: far fewer blocks than an i64 holds"
    )]
    let index = (at.as_secs_f64() / BLOCK_SECS).floor() as i64;
    index
}

#[cfg(test)]
mod tests {
    use crate::media::MediaTime;

    use super::{BlockSeries, MAX_BLOCKS, Window, summarise};

    fn series(values: &[(i64, f64)]) -> BlockSeries {
        let mut series = BlockSeries::default();
        for (millis, value) in values {
            series.push(MediaTime::from_millis(*millis), *value);
        }
        series
    }

    #[test]
    fn frames_of_one_block_count_once() {
        let one = series(&[(0, 1.0), (100, 1.0), (200, 4.0), (1_500, 5.0)]);
        let summary = one.summary(Window::ALL).expect("two blocks");
        assert_eq!(summary.n_blocks, 2);
        assert!((summary.mean - 3.5).abs() < 1e-9);
    }

    #[test]
    fn values_that_are_no_number_leave_no_trace() {
        let series = series(&[(0, f64::NAN), (10, f64::INFINITY)]);
        assert_eq!(series.summary(Window::ALL), None);
    }

    #[test]
    fn correlated_blocks_are_worth_less() {
        let wandering = [0.0, 0.1, 0.2, 0.3, 1.0, 1.1, 1.2, 1.3];
        let alternating = [0.0, 1.3, 0.1, 1.2, 0.2, 1.1, 0.3, 1.0];
        let wide = summarise(wandering.into_iter()).and_then(|summary| summary.standard_error).expect("several");
        let narrow = summarise(alternating.into_iter()).and_then(|summary| summary.standard_error).expect("several");
        assert!(wide > narrow * 1.3, "{wide} against {narrow}");
    }

    #[test]
    fn memory_is_bounded() {
        let mut series = BlockSeries::default();
        for second in 0..(i64::try_from(MAX_BLOCKS).expect("small") + 500) {
            series.push(MediaTime::from_millis(second * 1_000), 1.0);
        }
        assert_eq!(series.blocks.len(), MAX_BLOCKS);
    }

    #[test]
    fn a_window_takes_only_its_blocks() {
        let series = series(&[(0, 1.0), (1_000, 2.0), (2_000, 3.0), (3_000, 4.0)]);
        let window = Window { start: MediaTime::from_millis(1_200), end: MediaTime::from_millis(2_500) };
        assert!((series.summary(window).expect("two").mean - 2.5).abs() < 1e-9);
        assert!((series.usable_ratio(window) - 1.0).abs() < 1e-9);
    }
}
