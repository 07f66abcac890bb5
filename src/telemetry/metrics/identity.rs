//! Searches among templates.

use std::time::Duration;

use ::metrics::{describe_gauge, describe_histogram, gauge, histogram};

use super::guard::GaugeGuard;

const SEARCH_SECONDS: &str = "bonafide_service_identity_search_seconds";
const TEMPLATES: &str = "bonafide_service_identity_templates";

/// Records how long one scan of a tenant's templates took, its turn included.
pub fn search_took(took: Duration) {
    histogram!(SEARCH_SECONDS).record(took);
}

/// So many templates are in memory while the guard lives.
pub fn templates_held(n_templates: usize) -> GaugeGuard {
    GaugeGuard::new(gauge!(TEMPLATES), n_templates as f64)
}

pub(super) fn describe() {
    describe_histogram!(
        SEARCH_SECONDS,
        "Seconds that one exact search among a tenant's templates took, with its wait for a turn."
    );
    describe_gauge!(TEMPLATES, "Templates of all tenants that are in memory for searches now.");
}
