//! Where data and models live when nobody says otherwise: the XDG base directories.

use std::path::{Path, PathBuf};

use super::Config;
use super::error::ConfigError;
use super::layers::Sources;

/// Fills in the paths that were left empty.
///
/// # Errors
/// [`ConfigError::NoHome`] when neither the XDG variable nor `HOME` names an absolute folder.
///
/// # Source
/// XDG Base Directory Specification 0.8: relative paths are ignored.
pub(super) fn fill_in(config: &mut Config, sources: &Sources) -> Result<(), ConfigError> {
    if config.store.database.as_os_str().is_empty() {
        let data = base(sources, "XDG_DATA_HOME", ".local/share", "store.database")?;
        config.store.database = data.join("bonafide/bonafide.sqlite");
    }
    if config.evidence.folder.as_os_str().is_empty() {
        // Beside the database, wherever that was put.
        config.evidence.folder = config.store.database.with_file_name("evidence");
    }
    if config.keys.file.as_os_str().is_empty() {
        let data = base(sources, "XDG_DATA_HOME", ".local/share", "keys.file")?;
        config.keys.file = data.join("bonafide/keys.toml");
    }
    if config.inference.models_dir.as_os_str().is_empty() {
        config.inference.models_dir =
            base(sources, "XDG_CACHE_HOME", ".cache", "inference.models_dir")?.join("bonafide/models");
    }
    Ok(())
}

fn base(sources: &Sources, variable: &str, below_home: &str, key: &'static str) -> Result<PathBuf, ConfigError> {
    let absolute = |name: &str| sources.variable(name).map(Path::new).filter(|path| path.is_absolute());
    let chosen = absolute(variable).map(Path::to_owned);
    chosen.or_else(|| Some(absolute("HOME")?.join(below_home))).ok_or(ConfigError::NoHome { key })
}
