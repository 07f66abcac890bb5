//! Starting logs and metrics, once a process.

use std::io::IsTerminal;

use metrics_exporter_prometheus::PrometheusHandle;

use super::error::TelemetryError;
use super::metrics;
use super::options::{LogFormat, TelemetryOptions};

/// Started telemetry. Cheap to clone.
#[derive(Clone)]
pub struct Telemetry {
    metrics: PrometheusHandle,
}

impl Telemetry {
    /// Every metric in Prometheus' text format.
    #[must_use]
    pub fn render_metrics(&self) -> String {
        self.metrics.render()
    }

    /// Moves waiting histogram samples into their buckets; to be called every few seconds, or they pile up in memory.
    pub(super) fn run_upkeep(&self) {
        self.metrics.run_upkeep();
    }

    /// Telemetry of a recorder that is not the process's own.
    #[cfg(test)]
    pub(super) const fn from_handle(metrics: PrometheusHandle) -> Self {
        Self { metrics }
    }
}

impl std::fmt::Debug for Telemetry {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Telemetry").finish_non_exhaustive()
    }
}

/// Starts logs (on standard error) and metrics for this process.
///
/// # Errors
/// [`TelemetryError::Option`] for a level that cannot be understood, [`TelemetryError::AlreadyStarted`] the second time.
pub fn init(options: &TelemetryOptions) -> Result<Telemetry, TelemetryError> {
    options.validate()?;
    let filter = options.log_filter().unwrap_or_default();
    let lines = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
    match options.log_format {
        // People read what happened; the module that says so is in the JSON lines.
        LogFormat::Text => lines.with_ansi(std::io::stderr().is_terminal()).with_target(false).try_init(),
        LogFormat::Json => lines.json().flatten_event(true).try_init(),
    }
    .map_err(|_error| TelemetryError::AlreadyStarted { what: "logs" })?;
    let metrics = metrics::install().map_err(|_error| TelemetryError::AlreadyStarted { what: "metrics" })?;
    Ok(Telemetry { metrics })
}
