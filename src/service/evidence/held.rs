//! How many bytes of pictures all sessions together hold while they choose.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::telemetry::metrics::{GaugeGuard, held_still_bytes};

/// Counts what is held.
#[derive(Debug)]
pub(in crate::service) struct PictureBudget {
    used: AtomicU64,
    limit: u64,
}

impl PictureBudget {
    pub(super) const fn new(limit: u64) -> Self {
        Self { used: AtomicU64::new(0), limit }
    }

    /// Whether another picture may be encoded.
    pub(in crate::service) fn has_room(&self) -> bool {
        self.used.load(Ordering::Relaxed) < self.limit
    }

    /// Counts `n_bytes` until the guard is dropped. Those that were on their way when the limit was reached still count.
    pub(super) fn hold(self: &Arc<Self>, n_bytes: u64) -> HeldBytes {
        self.used.fetch_add(n_bytes, Ordering::Relaxed);
        HeldBytes { budget: Arc::clone(self), n_bytes, _gauge: held_still_bytes(n_bytes) }
    }
}

/// Bytes that count.
#[derive(Debug)]
pub(in crate::service) struct HeldBytes {
    budget: Arc<PictureBudget>,
    n_bytes: u64,
    _gauge: GaugeGuard,
}

impl Drop for HeldBytes {
    fn drop(&mut self) {
        self.budget.used.fetch_sub(self.n_bytes, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::PictureBudget;

    #[test]
    fn what_is_let_go_makes_room() {
        let budget = Arc::new(PictureBudget::new(100));
        let first = budget.hold(60);
        assert!(budget.has_room());
        let second = budget.hold(60);
        assert!(!budget.has_room());
        drop(first);
        assert!(budget.has_room());
        drop(second);
    }
}
