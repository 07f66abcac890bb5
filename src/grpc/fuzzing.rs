//! The way from bytes to domain values, open to `fuzz/`; not in any other build.

use prost::Message as _;

use super::convert::{config_from_wire, new_session_from_wire, patch_from_wire, sample_from_wire, track_from_wire};
use super::filter::{parse_filter, parse_order};
use super::name::{parse_segment, parse_session};
use super::proto::v1;

/// Reads any bytes as each message that a client sends; every outcome but a panic is right.
pub fn convert(data: &[u8]) {
    if let Ok(sample) = v1::MediaSample::decode(data) {
        let _ = sample_from_wire(sample);
    }
    if let Ok(config) = v1::StreamConfig::decode(data) {
        let _ = config_from_wire(config);
    }
    if let Ok(track) = v1::Track::decode(data) {
        let _ = track_from_wire(track);
    }
    if let Ok(request) = v1::CreateSessionRequest::decode(data) {
        let _ = new_session_from_wire(request.session.unwrap_or_default(), None, Some(request.request_id));
    }
    if let Ok(request) = v1::UpdateSessionRequest::decode(data) {
        let _ = patch_from_wire(request.session.unwrap_or_default(), request.update_mask);
    }
    if let Ok(text) = std::str::from_utf8(data) {
        let _ = (parse_filter(text), parse_order(text), parse_session("name", text), parse_segment("name", text));
    }
}
