//! Pages.

use std::time::Duration;

use ::metrics::{counter, describe_counter, describe_histogram, histogram};

const REQUESTS: &str = "bonafide_web_requests_total";
const REQUEST_SECONDS: &str = "bonafide_web_request_seconds";

/// Counts an answer to a browser and how long it took to make; `status` is that of HTTP.
pub fn page_served(status: u16, took: Duration) {
    let class = match status {
        100..=199 => "1xx",
        200..=299 => "2xx",
        300..=399 => "3xx",
        400..=499 => "4xx",
        _ => "5xx",
    };
    counter!(REQUESTS, "class" => class).increment(1);
    histogram!(REQUEST_SECONDS, "class" => class).record(took);
}

pub(super) fn describe() {
    describe_counter!(REQUESTS, "Answers to browsers, by class of their status.");
    describe_histogram!(REQUEST_SECONDS, "Seconds from a browser's request to the head of its answer.");
}
