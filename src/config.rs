//! Configuration: every module's options in one place, and where each value came from.
//!
//! In: the built-in defaults, a file, the environment, flags, in this order. Out: a checked [`Config`], or the name of the
//! key that is wrong, where it stands and what is allowed. Only this module reads the environment.
//! Deliberately not here: what an option does.

mod default_paths;
mod error;
mod keys;
mod layers;
mod load;
mod show;

#[cfg(test)]
mod tests;

use serde::Deserialize;

use crate::grpc::GrpcOptions;
use crate::inference::InferenceOptions;
use crate::keys::KeysOptions;
use crate::media::MediaLimits;
use crate::scoring::ScoringOptions;
use crate::service::{AuditOptions, EvidenceOptions, IdentityOptions, ServiceOptions};
use crate::store::StoreOptions;
use crate::telemetry::TelemetryOptions;
use crate::web::WebOptions;

pub use self::error::ConfigError;
pub use self::layers::{Flag, Sources};
pub use self::load::LoadedConfig;

/// Every module's options.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// How long the record of who did what is kept.
    pub audit: AuditOptions,
    /// Where stills are, and for how long.
    pub evidence: EvidenceOptions,
    /// Where the server listens and whom it lets in.
    pub grpc: GrpcOptions,
    /// Whether faces are compared across sessions.
    pub identity: IdentityOptions,
    /// Models and where they run.
    pub inference: InferenceOptions,
    /// What signs and seals.
    pub keys: KeysOptions,
    /// Bounds of what is decoded.
    pub media: MediaLimits,
    /// How measurements become verdicts.
    pub scoring: ScoringOptions,
    /// Bounds of the use cases.
    pub service: ServiceOptions,
    /// Where sessions are kept.
    pub store: StoreOptions,
    /// Logs and metrics.
    pub telemetry: TelemetryOptions,
    /// The review pages.
    pub web: WebOptions,
}
