//! Where the keys are.

use std::path::PathBuf;

use serde::Deserialize;

/// The operator's keys.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct KeysOptions {
    /// The key file, made with mode 0600 at the first start.
    pub file: PathBuf,
}
