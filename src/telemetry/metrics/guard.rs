//! Gauges that come down by themselves.

use ::metrics::Gauge;

/// Holds a gauge up while it lives.
#[must_use = "the gauge goes down again when this is dropped"]
pub struct GaugeGuard {
    gauge: Gauge,
    amount: f64,
}

impl GaugeGuard {
    pub(super) fn new(gauge: Gauge, amount: f64) -> Self {
        gauge.increment(amount);
        Self { gauge, amount }
    }
}

impl Drop for GaugeGuard {
    fn drop(&mut self) {
        self.gauge.decrement(self.amount);
    }
}

impl std::fmt::Debug for GaugeGuard {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("GaugeGuard").field("amount", &self.amount).finish_non_exhaustive()
    }
}
