//! Calls over the wire.

use std::time::{Duration, Instant};

use ::metrics::{counter, describe_counter, describe_gauge, describe_histogram, gauge, histogram};

use super::guard::GaugeGuard;

const REQUESTS: &str = "bonafide_grpc_requests_total";
const REQUEST_SECONDS: &str = "bonafide_grpc_request_seconds";
const OPEN_STREAMS: &str = "bonafide_grpc_open_streams";

/// The canonical codes by number (<https://grpc.io/docs/guides/status-codes/>).
const CODES: [&str; 17] = [
    "OK",
    "CANCELLED",
    "UNKNOWN",
    "INVALID_ARGUMENT",
    "DEADLINE_EXCEEDED",
    "NOT_FOUND",
    "ALREADY_EXISTS",
    "PERMISSION_DENIED",
    "RESOURCE_EXHAUSTED",
    "FAILED_PRECONDITION",
    "ABORTED",
    "OUT_OF_RANGE",
    "UNIMPLEMENTED",
    "INTERNAL",
    "UNAVAILABLE",
    "DATA_LOSS",
    "UNAUTHENTICATED",
];

/// The canonical number of CANCELLED.
const CANCELLED: i32 = 1;

/// Counts a call and how long it took when this is dropped: with the code that it was given, else as CANCELLED, because then
/// its caller left.
#[derive(Debug)]
#[must_use = "the call counts as ended when this is dropped"]
pub struct CallWatch {
    method: &'static str,
    began: Instant,
    code: i32,
}

impl CallWatch {
    /// A call that begins now. `method` is `Service/Method` of a method that exists, never what a client made up.
    pub fn start(method: &'static str) -> Self {
        Self { method, began: Instant::now(), code: CANCELLED }
    }

    /// Ends the call; `code` is the canonical number, others count as UNKNOWN.
    pub fn end(mut self, code: i32) {
        self.code = code;
    }
}

impl Drop for CallWatch {
    fn drop(&mut self) {
        call_ended(self.method, self.code, self.began.elapsed());
    }
}

/// Counts a call that ended and how long it took. `method` is `Service/Method` of a method that exists, never what a
/// client made up; `code` is the canonical number, others count as UNKNOWN.
pub fn call_ended(method: &'static str, code: i32, took: Duration) {
    let known = usize::try_from(code).ok().and_then(|code| CODES.get(code));
    counter!(REQUESTS, "method" => method, "code" => *known.unwrap_or(&"UNKNOWN")).increment(1);
    histogram!(REQUEST_SECONDS, "method" => method).record(took);
}

/// A media stream is open while the guard lives.
pub fn open_stream() -> GaugeGuard {
    GaugeGuard::new(gauge!(OPEN_STREAMS), 1.0)
}

pub(super) fn describe() {
    describe_counter!(REQUESTS, "Calls that ended, by method and canonical code.");
    describe_histogram!(REQUEST_SECONDS, "Seconds from the start of a call to its end; whole streams included.");
    describe_gauge!(OPEN_STREAMS, "Media streams that are open now.");
}
