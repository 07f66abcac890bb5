//! Bounds of stills.

use std::path::PathBuf;

use serde::Deserialize;

use crate::error::InvalidOption;
use crate::session::StillBounds;

/// Where stills are, for how long, how many.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct EvidenceOptions {
    /// The folder of sealed files.
    pub folder: PathBuf,
    /// Days after a session's creation on which its stills are deleted; 0 = with the session.
    pub retention_days: u32,
    /// Stills of one session.
    pub max_stills_per_session: u32,
    /// Bytes of the stills of one session.
    pub max_bytes_per_session: u64,
    /// Bytes of pictures that all live sessions together hold while they choose.
    pub max_held_bytes: u64,
}

impl Default for EvidenceOptions {
    fn default() -> Self {
        Self {
            folder: PathBuf::new(),
            retention_days: 30,
            max_stills_per_session: 300,
            max_bytes_per_session: 32 * 1024 * 1024,
            max_held_bytes: 128 * 1024 * 1024,
        }
    }
}

impl EvidenceOptions {
    /// Checks what the types do not.
    ///
    /// # Errors
    /// [`InvalidOption`] for the first key that is out of range.
    pub fn validate(&self) -> Result<(), InvalidOption> {
        let in_range = InvalidOption::unless_within::<u64>;
        in_range("retention_days", u64::from(self.retention_days), 0..=36_500)?;
        in_range("max_stills_per_session", u64::from(self.max_stills_per_session), 1..=10_000)?;
        in_range("max_bytes_per_session", self.max_bytes_per_session, 65_536..=1 << 32)?;
        in_range("max_held_bytes", self.max_held_bytes, 1 << 20..=1 << 40)
    }

    pub(super) const fn bounds(&self) -> StillBounds {
        StillBounds { max_stills: self.max_stills_per_session, max_bytes: self.max_bytes_per_session }
    }
}

#[cfg(test)]
mod tests {
    use super::EvidenceOptions;

    #[test]
    fn bad_values_are_named() {
        EvidenceOptions::default().validate().expect("the defaults can be used");
        let check = |key: &str, change: fn(&mut EvidenceOptions)| {
            let mut options = EvidenceOptions::default();
            change(&mut options);
            assert_eq!(options.validate().expect_err(key).key, key);
        };
        check("retention_days", |options| options.retention_days = u32::MAX);
        check("max_stills_per_session", |options| options.max_stills_per_session = 0);
        check("max_bytes_per_session", |options| options.max_bytes_per_session = 0);
        check("max_held_bytes", |options| options.max_held_bytes = u64::MAX);
    }
}
