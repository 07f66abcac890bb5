//! Flags that every subcommand takes.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use crate::config::{ConfigError, Flag, LoadedConfig, Sources};

/// How log lines look, on the command line.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum LogFormatArg {
    /// For people.
    Text,
    /// One JSON object a line.
    Json,
}

/// Flags that every subcommand takes.
#[derive(Clone, Debug, Default, Args)]
pub struct GlobalArgs {
    /// Configuration file [default: ./bonafide.toml, then /etc/bonafide/bonafide.toml, if there]
    #[arg(long, global = true, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// How log lines look [default: `telemetry.log_format`]
    #[arg(long, global = true, value_enum)]
    pub log_format: Option<LogFormatArg>,
    /// Which log lines are written, such as `debug` or `info,bonafide::store=trace` [default: `telemetry.log_level`]
    #[arg(long, global = true, value_name = "FILTER")]
    pub log_level: Option<String>,
}

impl GlobalArgs {
    /// Loads the configuration: defaults, file, environment, these flags, then `more` flags of a subcommand.
    ///
    /// # Errors
    /// [`ConfigError`].
    pub fn load_config(&self, more: impl IntoIterator<Item = Flag>) -> Result<LoadedConfig, ConfigError> {
        LoadedConfig::load(&Sources::of_process(self.config.clone(), self.flags().chain(more).collect()))
    }

    fn flags(&self) -> impl Iterator<Item = Flag> {
        let format = self.log_format.map(|format| match format {
            LogFormatArg::Text => "text",
            LogFormatArg::Json => "json",
        });
        let flag = |flag, key, value: &str| Flag { flag, key, value: value.to_owned() };
        let format = format.map(|value| flag("--log-format", "telemetry.log_format", value));
        let level = self.log_level.as_deref().map(|value| flag("--log-level", "telemetry.log_level", value));
        format.into_iter().chain(level)
    }
}
