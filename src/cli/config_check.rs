//! `bonafide config`: shows and checks the configuration.

use std::io::Write;

use clap::Subcommand;

use super::global::GlobalArgs;

/// Shows and checks the configuration.
#[derive(Clone, Copy, Debug, Subcommand)]
pub enum ConfigCommand {
    /// Loads and checks the configuration and prints what is in effect, without secrets. Exit code 0 = good, 2 = not.
    Check,
}

impl ConfigCommand {
    /// Runs the command.
    ///
    /// # Errors
    /// [`ConfigError`](crate::config::ConfigError) for a configuration that the program does not start with.
    pub fn run(self, global: &GlobalArgs) -> anyhow::Result<()> {
        match self {
            Self::Check => {
                let shown = global.load_config([])?.show()?;
                Ok(std::io::stdout().lock().write_all(shown.as_bytes())?)
            }
        }
    }
}
