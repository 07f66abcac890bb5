//! Logs and metrics: the subscriber, every metric's definition, and the HTTP endpoint that operators' tools ask.
//!
//! In: [`TelemetryOptions`] and calls of the typed functions in [`metrics`]. Out: lines on standard error, and `/metrics`,
//! `/livez`, `/readyz` on a port of its own. Deliberately not here: what is worth measuring, and any other module.

pub mod metrics;

mod error;
mod logs;
mod ops;
mod options;
mod probe;

pub use self::error::TelemetryError;
pub use self::logs::{Telemetry, init};
pub use self::ops::OpsServer;
pub use self::options::{LogFormat, TelemetryOptions};
pub use self::probe::{ProbeOutcome, probe_ready};
