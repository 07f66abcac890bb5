//! Merging the layers and checking the outcome.

use figment::Figment;
use figment::error::Kind;
use figment::value::Dict;

use crate::error::InvalidOption;
use crate::grpc::GrpcError;
use crate::inference::InferenceError;

use super::Config;
use super::default_paths;
use super::error::ConfigError;
use super::keys;
use super::layers::{Layer, Sources};
use super::show;

/// A checked configuration that knows where its values came from.
#[derive(Clone, Debug)]
pub struct LoadedConfig {
    config: Config,
    merged: Figment,
}

impl LoadedConfig {
    /// Loads and checks a configuration.
    ///
    /// # Errors
    /// Any [`ConfigError`]; the first one found.
    pub fn load(sources: &Sources) -> Result<Self, ConfigError> {
        let defaults = Layer::defaults()?;
        let mut merged = Figment::new().merge(&defaults);
        for layer in sources.layers()? {
            keys::check(&layer.values, &defaults.values, "", &layer.origin)?;
            merged = merged.merge(&layer);
        }
        let mut config: Config = merged.extract().map_err(|error| explain(&error))?;
        default_paths::fill_in(&mut config, sources)?;
        let loaded = Self { config, merged };
        loaded.check("audit", loaded.config.audit.validate())?;
        loaded.check("evidence", loaded.config.evidence.validate())?;
        loaded.check("grpc", loaded.config.grpc.validate().map_err(of_grpc))?;
        loaded.check("identity", loaded.config.identity.validate())?;
        loaded.check("inference", loaded.config.inference.check().map_err(of_inference))?;
        loaded.check("media", loaded.config.media.validate())?;
        loaded.check("service", loaded.config.service.validate())?;
        loaded.check("store", loaded.config.store.validate())?;
        loaded.check("telemetry", loaded.config.telemetry.validate())?;
        loaded.check("web", loaded.config.web.validate())?;
        Ok(loaded)
    }

    /// The configuration.
    #[must_use]
    pub const fn get(&self) -> &Config {
        &self.config
    }

    /// The configuration by itself.
    #[must_use]
    pub fn into_inner(self) -> Config {
        self.config
    }

    /// Every setting as TOML, with the origin of those that are not defaults and without secrets.
    ///
    /// # Errors
    /// [`ConfigError::Malformed`] should a value have no form in TOML.
    pub fn show(&self) -> Result<String, ConfigError> {
        let values: Dict = self.merged.extract().map_err(|error| explain(&error))?;
        let paths = [
            ("store.database", &self.config.store.database),
            ("evidence.folder", &self.config.evidence.folder),
            ("inference.models_dir", &self.config.inference.models_dir),
            ("keys.file", &self.config.keys.file),
        ];
        Ok(show::to_toml(&values, &paths, |key| self.origin(key)))
    }

    /// Where a key's value came from.
    fn origin(&self, key: &str) -> Option<String> {
        self.merged.find_metadata(key).map(|metadata| metadata.name.to_string())
    }

    fn check(&self, section: &str, outcome: Result<(), InvalidOption>) -> Result<(), ConfigError> {
        outcome.map_err(|InvalidOption { key, problem }| {
            let key = format!("{section}.{key}");
            let origin = self.origin(&key).unwrap_or_default();
            ConfigError::InvalidValue { key, origin, problem }
        })
    }
}

fn of_grpc(error: GrpcError) -> InvalidOption {
    if let GrpcError::BadOption { key, problem } = error {
        return InvalidOption { key, problem };
    }
    let said = error.to_string();
    // It may stand alone, and then names its key.
    InvalidOption { key: "listen", problem: said.strip_prefix("grpc.listen: ").unwrap_or(&said).to_owned() }
}

fn of_inference(error: InferenceError) -> InvalidOption {
    if let InferenceError::Options { field, problem } = error {
        return InvalidOption { key: field, problem };
    }
    InvalidOption { key: "models_dir", problem: error.to_string() }
}

/// What a secret should be, without what it is.
fn expectation(kind: &Kind) -> String {
    if let Kind::InvalidType(_, expected) | Kind::InvalidValue(_, expected) | Kind::InvalidLength(_, expected) = kind {
        format!("expected {expected}")
    } else {
        "is not what is expected here".to_owned()
    }
}

/// figment's error in our words, without the values of secrets.
fn explain(error: &figment::Error) -> ConfigError {
    let key = error.path.join(".");
    let origin = error.metadata.as_ref().map(|metadata| metadata.name.to_string()).unwrap_or_default();
    let problem = if keys::is_secret(&key) {
        expectation(&error.kind)
    } else if let Kind::UnknownVariant(found, known) = &error.kind {
        let known: Vec<String> = known.iter().map(|one| format!("{one:?}")).collect();
        format!("{found:?} is none of {}", known.join(", "))
    } else {
        error.kind.to_string()
    };
    ConfigError::InvalidValue { key, origin, problem }
}
