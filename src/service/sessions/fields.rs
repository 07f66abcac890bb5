//! Checks of what a caller says about a session.

use std::collections::BTreeMap;

use crate::service::error::ServiceError;

/// Longest free text of a session in bytes.
const MAX_TEXT_BYTES: usize = 512;
/// Labels of a session.
const MAX_LABELS: usize = 64;
/// Longest label key or value in bytes.
const MAX_LABEL_BYTES: usize = 128;

pub(in crate::service) fn check_text(field: &'static str, text: &str) -> Result<(), ServiceError> {
    if text.len() > MAX_TEXT_BYTES || text.chars().any(char::is_control) {
        let problem = format!("must be at most {MAX_TEXT_BYTES} bytes without control characters");
        return Err(ServiceError::InvalidField { field, problem });
    }
    Ok(())
}

pub(super) fn check_labels(labels: &BTreeMap<String, String>) -> Result<(), ServiceError> {
    let is_key = |key: &str| {
        !key.is_empty()
            && key.len() <= MAX_LABEL_BYTES
            && key.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_-".contains(&byte))
    };
    let is_good = labels.len() <= MAX_LABELS
        && labels
            .iter()
            .all(|(key, value)| is_key(key) && value.len() <= MAX_LABEL_BYTES && !value.chars().any(char::is_control));
    if is_good {
        return Ok(());
    }
    Err(ServiceError::InvalidField {
        field: "labels",
        problem: format!(
            "at most {MAX_LABELS}; keys of 1 to {MAX_LABEL_BYTES} letters, digits, '_' and '-'; values of at most \
             {MAX_LABEL_BYTES} bytes without control characters"
        ),
    })
}

pub(super) fn parse_etag(etag: Option<&str>) -> Result<Option<u64>, ServiceError> {
    let Some(etag) = etag.filter(|etag| !etag.is_empty()) else { return Ok(None) };
    let revision = etag.strip_prefix('r').and_then(|revision| revision.parse().ok());
    revision.map(Some).ok_or_else(|| ServiceError::InvalidField {
        field: "etag",
        problem: "not from a session of this service: get the session again".to_owned(),
    })
}
