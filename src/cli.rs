//! The command line: one file a subcommand, wiring only.
//!
//! Results go to standard output, everything else to standard error. Exit codes: 0 = done, 1 = the work failed, 2 = the
//! command or the configuration is wrong. Deliberately not here: domain logic, reading the environment.

mod audit;
mod calibrate;
mod config_check;
mod engine;
mod error;
mod eval;
mod global;
mod healthcheck;
mod identity;
mod keys;
mod loadtest;
mod models;
mod report;
mod result;
mod score;
mod serve;
mod stream;
mod users;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

use crate::telemetry::{Telemetry, TelemetryError, TelemetryOptions};

pub use self::audit::{AuditCommand, VerifyArgs};
pub use self::calibrate::{CalibrateArgs, CalibrateCommand, SearchFitArgs, SignalArg, SignalFitArgs, ThresholdArgs};
pub use self::config_check::ConfigCommand;
pub use self::error::{EXIT_FAILED, EXIT_USAGE, UsageError, exit_code, report};
pub use self::eval::EvalCommand;
pub use self::global::GlobalArgs;
pub use self::healthcheck::HealthcheckArgs;
pub use self::identity::IdentityArgs;
pub use self::keys::KeysCommand;
pub use self::loadtest::LoadtestArgs;
pub use self::models::ModelsArgs;
pub use self::report::{ExportArgs, LanguageArg, ReportCommand, VerifyReportArgs};
pub use self::score::ScoreArgs;
pub use self::serve::ServeArgs;
pub use self::stream::{SendFormat, Speed, StreamArgs};
pub use self::users::{RoleArg, UsersArgs};

/// Tells whether the person in a remote video interview is genuine, on your own machines.
#[derive(Debug, Parser)]
#[command(name = "bonafide", version, propagate_version = true, arg_required_else_help = true)]
pub struct Cli {
    /// Flags that every subcommand takes.
    #[command(flatten)]
    pub global: GlobalArgs,
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Serves interviews over gRPC until it is told to stop.
    Serve(ServeArgs),
    /// Streams recordings to a server, as a platform's plugin would.
    Stream(StreamArgs),
    /// Puts a load on a server and measures how it answers.
    Loadtest(LoadtestArgs),
    /// Scores recordings on this machine, without a server.
    Score(ScoreArgs),
    /// Checks the record of who did what.
    #[command(subcommand)]
    Audit(AuditCommand),
    /// Shows the keys that sign and seal, and takes a new one into use.
    #[command(subcommand)]
    Keys(KeysCommand),
    /// Makes reports on sessions, and checks them.
    #[command(subcommand)]
    Report(ReportCommand),
    /// Makes and changes accounts for the review pages.
    Users(UsersArgs),
    /// Compares, searches and confirms faces across sessions.
    Identity(IdentityArgs),
    /// Shows and checks the configuration.
    #[command(subcommand)]
    Config(ConfigCommand),
    /// Measures error rates on labelled images or recordings.
    #[command(subcommand)]
    Eval(EvalCommand),
    /// Fits a signal's calibration on labelled data and prints its table for the policy file.
    Calibrate(CalibrateArgs),
    /// Obtains, checks and shows the models.
    Models(ModelsArgs),
    /// Asks a running server whether it is ready: exit code 0 = ready, 1 = not.
    Healthcheck(HealthcheckArgs),
}

/// Parses the command line and runs it.
#[must_use]
pub fn main() -> ExitCode {
    match run(&Cli::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{}", report(&error));
            exit_code(&error)
        }
    }
}

/// Runs a parsed command line.
///
/// # Errors
/// Whatever the subcommand says; [`exit_code`] turns it into the exit code.
pub fn run(cli: &Cli) -> anyhow::Result<()> {
    match &cli.command {
        Command::Serve(args) => args.run(&cli.global),
        Command::Stream(args) => args.run(&cli.global),
        Command::Loadtest(args) => args.run(&cli.global),
        Command::Score(args) => args.run(&cli.global),
        Command::Eval(command) => command.run(&cli.global),
        Command::Calibrate(args) => args.run(&cli.global),
        Command::Models(args) => models::run(args, &cli.global.load_config([])?.get().inference),
        Command::Audit(command) => command.run(&cli.global),
        Command::Keys(command) => command.run(&cli.global),
        Command::Report(command) => command.run(&cli.global),
        Command::Users(args) => args.run(&cli.global),
        Command::Identity(args) => args.run(&cli.global),
        Command::Config(command) => command.run(&cli.global),
        Command::Healthcheck(args) => args.run(&cli.global),
    }
}

/// Starts logging for a command whose result is what matters: warnings only, unless somebody asked for more.
fn quiet_telemetry(options: &TelemetryOptions) -> Result<Telemetry, TelemetryError> {
    let mut options = options.clone();
    if options.log_level == TelemetryOptions::default().log_level {
        "warn".clone_into(&mut options.log_level);
    }
    crate::telemetry::init(&options)
}

/// A runtime with one thread a core, for subcommands that wait for anything.
fn runtime() -> anyhow::Result<tokio::runtime::Runtime> {
    use anyhow::Context as _;
    tokio::runtime::Builder::new_multi_thread().enable_all().build().context("cannot start the runtime")
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::Cli;

    #[test]
    fn the_definition_of_the_command_line_holds() {
        Cli::command().debug_assert();
    }
}
