//! Labelled media to error rates, through the shipped path and nothing else.
//!
//! In: a CSV manifest or folders, models, a policy. Out: `scores.csv`, `report.json`, `report.md` and plots per task.
//! Deliberately not here: flags (see `cli`), models of its own, decisions on people.

mod error;
mod manifest;
mod metric;
mod output;
mod plot;
mod run;
mod still;
mod verification;

pub use self::error::EvalError;
pub use self::output::EvalReport;
pub use self::run::{Bench, Progress};
pub use self::still::Framing;
pub use self::verification::{ImageTask, evaluate_verification};
