//! What an operator can set about logs and metrics.

use std::net::{Ipv4Addr, SocketAddr};

use serde::Deserialize;
use tracing_subscriber::EnvFilter;

use crate::error::InvalidOption;

/// How log lines look.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LogFormat {
    /// For people.
    #[default]
    Text,
    /// One JSON object a line.
    Json,
}

/// Logs and the operators' endpoint.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct TelemetryOptions {
    /// How log lines look.
    pub log_format: LogFormat,
    /// Which lines are written: a level, or levels by module, such as `info,bonafide::store=debug`.
    pub log_level: String,
    /// Where `/metrics`, `/livez` and `/readyz` are served. They have no access control: keep the port private.
    pub ops_listen: SocketAddr,
}

impl Default for TelemetryOptions {
    fn default() -> Self {
        /// 9464 is the port that OpenTelemetry registered for Prometheus exporters.
        const OPS_PORT: u16 = 9464;
        Self {
            log_format: LogFormat::Text,
            log_level: "info,ort=warn".to_owned(),
            ops_listen: SocketAddr::from((Ipv4Addr::LOCALHOST, OPS_PORT)),
        }
    }
}

impl TelemetryOptions {
    /// Checks what the types do not.
    ///
    /// # Errors
    /// [`InvalidOption`] for a level that cannot be understood.
    pub fn validate(&self) -> Result<(), InvalidOption> {
        self.log_filter().map(drop).map_err(|error| InvalidOption {
            key: "log_level",
            problem: format!(
                "cannot be understood ({error}): give off, error, warn, info, debug or trace, or pairs such as \
                 info,bonafide::store=debug"
            ),
        })
    }

    /// The filter of [`TelemetryOptions::log_level`].
    pub(super) fn log_filter(&self) -> Result<EnvFilter, tracing_subscriber::filter::ParseError> {
        EnvFilter::builder().parse(&self.log_level)
    }
}

#[cfg(test)]
mod tests {
    use super::TelemetryOptions;

    #[test]
    fn levels_that_cannot_be_understood_are_refused() {
        let check = |log_level: &str| {
            TelemetryOptions { log_level: log_level.to_owned(), ..TelemetryOptions::default() }.validate().is_ok()
        };
        for good in ["info", "off", "warn,bonafide::store=trace"] {
            assert!(check(good), "{good}");
        }
        for bad in ["info,bonafide=loud", "=", "a=b=c"] {
            assert!(!check(bad), "{bad}");
        }
    }
}
