//! How a failed command ends: a few lines for people, a code for scripts.

use std::process::ExitCode;

use crate::config::ConfigError;

/// The work failed.
pub const EXIT_FAILED: u8 = 1;
/// The command or the configuration is wrong; also clap's own code.
pub const EXIT_USAGE: u8 = 2;

/// A command that contradicts itself in a way that clap cannot see.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct UsageError(pub String);

/// The exit code of a failed command.
#[must_use]
pub fn exit_code(error: &anyhow::Error) -> ExitCode {
    ExitCode::from(exit_number(error))
}

fn exit_number(error: &anyhow::Error) -> u8 {
    let is_usage = error.chain().any(|cause| cause.is::<ConfigError>() || cause.is::<UsageError>());
    if is_usage { EXIT_USAGE } else { EXIT_FAILED }
}

/// The error with its chain of causes, one a line; a cause that its error repeats word for word is left out.
#[must_use]
pub fn report(error: &anyhow::Error) -> String {
    let mut text = format!("error: {error}");
    let mut last = error.to_string();
    for cause in error.chain().skip(1) {
        let said = cause.to_string();
        if !last.contains(&said) {
            text.push_str("\n  because: ");
            text.push_str(&said);
            last = said;
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use anyhow::anyhow;

    use super::{EXIT_FAILED, EXIT_USAGE, UsageError, exit_number, report};
    use crate::config::ConfigError;

    #[test]
    fn causes_are_told_once_each() {
        let error = anyhow!("disk is full").context("storing failed: disk is full").context("cannot serve");
        assert_eq!(report(&error), "error: cannot serve\n  because: storing failed: disk is full");
    }

    #[test]
    fn wrong_commands_and_configurations_differ_from_failed_work() {
        let config = anyhow::Error::from(ConfigError::NoHome { key: "store.database" });
        assert_eq!(exit_number(&config.context("cannot start")), EXIT_USAGE);
        assert_eq!(exit_number(&UsageError("no".to_owned()).into()), EXIT_USAGE);
        assert_eq!(exit_number(&anyhow!("failed")), EXIT_FAILED);
    }
}
