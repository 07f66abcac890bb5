//! The layers of a configuration and how each value remembers its origin.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use figment::value::{Dict, Map, Value};
use figment::{Metadata, Profile, Provider};

use super::error::ConfigError;

/// Variables that are settings begin so; sections and keys follow, separated by two underscores.
const PREFIX: &str = "BONAFIDE__";
const SEPARATOR: &str = "__";
/// Where a file is looked for when none is named; the first that exists is read.
const USUAL_FILES: [&str; 2] = ["bonafide.toml", "/etc/bonafide/bonafide.toml"];
/// The defaults that are built in.
const DEFAULTS: &str = include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/config/default.toml"));
/// Largest configuration file, in bytes.
const MAX_FILE_BYTES: u64 = 1024 * 1024;

/// A flag of the command line that sets a key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Flag {
    /// The flag, such as `--log-level`.
    pub flag: &'static str,
    /// The key that it sets, such as `telemetry.log_level`.
    pub key: &'static str,
    /// Its value as given.
    pub value: String,
}

/// Where a configuration comes from, besides the built-in defaults.
#[derive(Clone, Debug, Default)]
pub struct Sources {
    file: Option<PathBuf>,
    variables: BTreeMap<String, String>,
    flags: Vec<Flag>,
}

impl Sources {
    /// The named file, or else the first of `./bonafide.toml` and `/etc/bonafide/bonafide.toml` that exists; the process's
    /// environment; flags. Variables that are not Unicode are left out.
    #[must_use]
    pub fn of_process(file: Option<PathBuf>, flags: Vec<Flag>) -> Self {
        let usual = || USUAL_FILES.iter().map(PathBuf::from).find(|path| path.exists());
        let variables =
            std::env::vars_os().filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)));
        Self::new(file.or_else(usual), variables, flags)
    }

    /// Exactly these sources, whatever the process has.
    #[must_use]
    pub fn new(file: Option<PathBuf>, variables: impl IntoIterator<Item = (String, String)>, flags: Vec<Flag>) -> Self {
        Self { file, variables: variables.into_iter().collect(), flags }
    }

    /// The configuration file, if there is one.
    #[must_use]
    pub fn file(&self) -> Option<&Path> {
        self.file.as_deref()
    }

    /// A variable that is not a setting.
    pub(super) fn variable(&self, name: &str) -> Option<&str> {
        self.variables.get(name).map(String::as_str)
    }

    /// Every layer above the defaults, weakest first.
    ///
    /// # Errors
    /// [`ConfigError::Unreadable`], [`ConfigError::Malformed`].
    pub(super) fn layers(&self) -> Result<Vec<Layer>, ConfigError> {
        let mut layers = Vec::new();
        if let Some(path) = &self.file {
            layers.push(Layer::of_file(path)?);
        }
        for (name, value) in &self.variables {
            if let Some(key) = name.strip_prefix(PREFIX) {
                let path: Vec<_> = key.split(SEPARATOR).map(str::to_ascii_lowercase).collect();
                layers.push(Layer::of_text(format!("environment variable {name}"), &path, value));
            }
        }
        for Flag { flag, key, value } in &self.flags {
            let path: Vec<_> = key.split('.').map(str::to_owned).collect();
            layers.push(Layer::of_text(format!("flag {flag}"), &path, value));
        }
        Ok(layers)
    }
}

/// Values with one origin.
pub(super) struct Layer {
    pub(super) origin: String,
    pub(super) values: Dict,
}

impl Layer {
    /// The built-in defaults.
    ///
    /// # Errors
    /// [`ConfigError::Malformed`], which a test rules out.
    pub(super) fn defaults() -> Result<Self, ConfigError> {
        Self::of_toml("the built-in defaults".to_owned(), DEFAULTS)
    }

    fn of_file(path: &Path) -> Result<Self, ConfigError> {
        let unreadable = |source| ConfigError::Unreadable { path: path.to_owned(), source };
        let size = std::fs::metadata(path).map_err(unreadable)?.len();
        if size > MAX_FILE_BYTES {
            let problem = format!("{size} bytes are more than a configuration has ({MAX_FILE_BYTES})");
            return Err(unreadable(std::io::Error::new(std::io::ErrorKind::FileTooLarge, problem)));
        }
        let text = std::fs::read_to_string(path).map_err(unreadable)?;
        Self::of_toml(path.display().to_string(), &text)
    }

    fn of_toml(origin: String, text: &str) -> Result<Self, ConfigError> {
        match toml::from_str(text) {
            Ok(values) => Ok(Self { origin, values }),
            // The message names line and column and shows the line; a secret may stand there.
            Err(error) => {
                let position =
                    error.span().map_or(0, |span| text.get(..span.start).unwrap_or(text).lines().count().max(1));
                Err(ConfigError::Malformed { origin, problem: format!("line {position}: {}", error.message()) })
            }
        }
    }

    /// One value, read as TOML would read it (`true`, `12`, `[1, 2]`), or else as text.
    fn of_text(origin: String, path: &[String], text: &str) -> Self {
        let parsed: Value = text.parse().unwrap_or_else(|never| match never {});
        let nested = path.iter().rev().fold(parsed, |value, name| Value::from(Dict::from([(name.clone(), value)])));
        let values = nested.into_dict().unwrap_or_default();
        Self { origin, values }
    }
}

impl Provider for &Layer {
    fn metadata(&self) -> Metadata {
        Metadata::named(self.origin.clone())
    }

    fn data(&self) -> Result<Map<Profile, Dict>, figment::Error> {
        Ok(Profile::Default.collect(self.values.clone()))
    }
}
