//! Labelled media to error rates, through the shipped path and nothing else.
//!
//! In: a CSV manifest or folders, models, a policy. Out: `scores.csv`, `report.json`, `report.md` and plots per task.
//! Deliberately not here: flags (see `cli`), models of its own, decisions on people.

mod budget;
mod calibrate;
mod clip;
mod detector;
mod error;
mod identification;
mod manifest;
mod metric;
mod output;
mod person;
mod plot;
mod resume;
mod run;
mod scene;
mod sequential;
mod session;
mod simulate;
mod splice;
mod still;
mod strata;
mod table;
mod trial;
mod verification;

pub use self::budget::{Budgets, calibrate_thresholds};
pub use self::calibrate::{CalibrationTask, Fitted, FittedTail, calibrate, calibrate_search};
pub use self::detector::{evaluate_deepfake, evaluate_presentation};
pub use self::error::EvalError;
pub use self::identification::evaluate_identification;
pub use self::output::EvalReport;
pub use self::resume::Unfinished;
pub use self::run::{Bench, EvalTask, Progress};
pub use self::scene::{calibrate_scene, evaluate_scene};
pub use self::sequential::evaluate_sequential;
pub use self::session::evaluate_session;
pub use self::splice::evaluate_splice;
pub use self::still::Framing;
pub use self::verification::evaluate_verification;
