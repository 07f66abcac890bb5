//! Writes to the store.

use std::time::Duration;

use ::metrics::{counter, describe_counter, describe_gauge, describe_histogram, gauge, histogram};

use super::guard::GaugeGuard;

const COMMIT_SECONDS: &str = "bonafide_store_commit_seconds";
const BATCH_WRITES: &str = "bonafide_store_batch_writes";
const FAILURES: &str = "bonafide_store_failures_total";
const PENDING: &str = "bonafide_store_pending_writes";

/// Records how long a caller waited until its step was durable.
pub fn commit_took(took: Duration) {
    histogram!(COMMIT_SECONDS).record(took);
}

/// Records how many writes shared one transaction.
pub fn batch_written(n_writes: usize) {
    histogram!(BATCH_WRITES).record(n_writes as f64);
}

/// Counts a transaction that the database failed.
pub fn write_failed() {
    counter!(FAILURES).increment(1);
}

/// One write waits to be durable while the guard lives.
pub fn pending_write() -> GaugeGuard {
    GaugeGuard::new(gauge!(PENDING), 1.0)
}

pub(super) fn describe() {
    describe_histogram!(COMMIT_SECONDS, "Seconds from handing over a session's step to its being durable.");
    describe_histogram!(BATCH_WRITES, "Writes that shared one transaction.");
    describe_counter!(FAILURES, "Transactions that the database failed.");
    describe_gauge!(PENDING, "Writes that wait to be durable now.");
}
