//! An open-loop load on a server that speaks the wire contract: recordings played as interviews by many plugins at once.
//!
//! In: a profile, recordings, an address. Out: latencies, counts and verdicts as a table, CSV, JSON and a plot.
//! Nothing that the server does decides when a frame is due; see `docs/loadtest.md`.
//! Deliberately not here: flags (see `cli`), the server's own parts, any measurement of pictures.

mod chart;
mod error;
mod footage;
mod process;
mod profile;
mod report;
mod run;
mod schedule;
mod session;
mod stream;
mod summary;
mod table;
mod tally;

pub use self::error::LoadError;
pub use self::profile::{InterviewProfile, PictureFormat, Profile};
pub use self::report::LoadReport;
pub use self::run::{LoadTask, Progress, Tell, run};
pub use self::tally::{Second, Spread};
