//! Resume tokens: which session, how far, and proof of having been told.

use crate::service::error::ServiceError;
use crate::service::ports::SessionRecord;
use crate::session::SessionId;

/// The token for a session up to a journal position: `{session}.{position}.{secret}`.
pub(super) fn issue(id: &SessionId, journal_len: u64, secret: &str) -> String {
    format!("{id}.{journal_len}.{secret}")
}

/// Checks a token against the stored session.
///
/// The position is for the operator's eye only: what was stored says where to go on. So a token stays good after the
/// session went on, and on any server that shares the store.
pub(super) fn check(token: &str, record: &SessionRecord) -> Result<(), ServiceError> {
    let mut parts = token.splitn(3, '.');
    let (session, position, secret) = (parts.next(), parts.next(), parts.next());
    let is_position = position.is_some_and(|position| position.parse::<u64>().is_ok());
    if session != Some(record.name.id.as_str())
        || !is_position
        || !secret.is_some_and(|secret| is_same(secret, &record.resume_secret))
    {
        return Err(ServiceError::InvalidField {
            field: "resume_token",
            problem: "not a token of this session: send the one of the last StreamReady or Ack, or none".to_owned(),
        });
    }
    Ok(())
}

/// Compares in constant time.
fn is_same(given: &str, secret: &str) -> bool {
    use subtle::ConstantTimeEq;
    given.as_bytes().ct_eq(secret.as_bytes()).into()
}
