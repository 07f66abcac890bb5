//! Headers that every answer carries.

use std::time::Duration;

use axum::http::{HeaderMap, HeaderName, HeaderValue, header};

/// Nothing but what comes from here, and no script or style within a page. `trusted-types` leaves scripts no way to make
/// markup of text.
const CONTENT_SECURITY_POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; \
     form-action 'self'; base-uri 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'";

/// What no page needs.
const PERMISSIONS_POLICY: &str = "camera=(), microphone=(), geolocation=(), display-capture=(), payment=(), usb=(), \
     browsing-topics=()";

const ALWAYS: [(&str, &str); 8] = [
    ("content-security-policy", CONTENT_SECURITY_POLICY),
    ("x-content-type-options", "nosniff"),
    ("x-frame-options", "DENY"),
    ("referrer-policy", "same-origin"),
    ("permissions-policy", PERMISSIONS_POLICY),
    ("cross-origin-opener-policy", "same-origin"),
    ("cross-origin-resource-policy", "same-origin"),
    ("x-robots-tag", "noindex, nofollow"),
];

/// Adds what every answer carries; what an answer has already, such as how long an asset may be kept, stays.
pub(super) fn add(headers: &mut HeaderMap, is_secure: bool) {
    for (name, value) in ALWAYS {
        headers.insert(HeaderName::from_static(name), HeaderValue::from_static(value));
    }
    if is_secure {
        headers.insert(header::STRICT_TRANSPORT_SECURITY, HeaderValue::from_static("max-age=31536000"));
    }
    headers.entry(header::CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
}

/// Says how long the page took to make, where a browser's own tools show it.
pub(super) fn add_timing(headers: &mut HeaderMap, took: Duration) {
    if let Ok(value) = HeaderValue::from_str(&format!("page;dur={:.1}", took.as_secs_f64() * 1e3)) {
        headers.insert(HeaderName::from_static("server-timing"), value);
    }
}
