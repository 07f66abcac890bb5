//! `bonafide healthcheck`: for container engines and scripts.

use std::net::SocketAddr;
use std::time::Duration;

use clap::Args;

use crate::telemetry::{ProbeOutcome, probe_ready};

use super::global::GlobalArgs;

/// Asks a running server whether it is ready.
#[derive(Clone, Debug, Args)]
pub struct HealthcheckArgs {
    /// Address of the server's operators' endpoint [default: `telemetry.ops_listen`]
    #[arg(long, value_name = "ADDRESS:PORT")]
    pub ops_address: Option<SocketAddr>,
    /// Seconds to wait for the answer.
    #[arg(long, value_name = "SECS", default_value = "3", value_parser = parse_timeout)]
    pub timeout_secs: Duration,
}

impl HealthcheckArgs {
    /// Runs the command.
    ///
    /// # Errors
    /// When the server is not ready or does not answer; the configuration's errors when no address is given.
    pub fn run(&self, global: &GlobalArgs) -> anyhow::Result<()> {
        let address = match self.ops_address {
            Some(address) => address,
            None => global.load_config([])?.get().telemetry.ops_listen,
        };
        match super::runtime()?.block_on(probe_ready(address, self.timeout_secs)) {
            ProbeOutcome::Ready => {
                println!("ready");
                Ok(())
            }
            ProbeOutcome::NotReady { answer } => anyhow::bail!("{answer}"),
            ProbeOutcome::Unreachable { problem } => anyhow::bail!("no server answers at {address}: {problem}"),
        }
    }
}

fn parse_timeout(text: &str) -> Result<Duration, String> {
    let secs: f64 = text.parse().map_err(|_error| "expected a number of seconds".to_owned())?;
    if !(0.001..=3_600.0).contains(&secs) {
        return Err("must be .001 to 3600 seconds".to_owned());
    }
    Ok(Duration::from_secs_f64(secs))
}
