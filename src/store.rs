//! Sessions on disk: the adapter of [`SessionStore`](crate::service::ports::SessionStore), on SQLite or PostgreSQL.
//!
//! In: the port's values. Out: the same, after any crash. One writer task groups the commits of many sessions into one
//! transaction and one flush, and ends it with what the audit log has to say; readers have connections of their own and never
//! wait for it. Both databases run the same statements; where they differ stands in `dialect`.
//! What was acknowledged survives a killed process and a power cut (`synchronous=FULL`).
//!
//! Cost of that promise, measured on two cores and ext4 on a virtual disk, unoptimised build, each commit one frame with a
//! 512-value embedding and one score: 1.0 ms a commit for one session, 3,000 commits/s for 16 sessions, 4,700 commits/s for
//! 256 sessions (54 ms mean, 77 ms worst), .3 ms for a bare flush, 4.8 kB of disk a commit.
//! A disk that flushes in 10 ms adds 10 ms to each, not to their sum: a batch has one flush.
//! Sealed files of stills are in a folder beside it (`evidence_folder`).
//! Deliberately not here: what a score means, retention policy, encryption of measurements (put the file on an encrypted volume).

mod accounts;
mod audit_log;
mod audit_prune;
mod audit_reader;
mod audit_records;
mod data_keys;
mod dialect;
mod evidence_folder;
mod exact_float;
mod failure;
mod filter;
#[cfg(fuzzing)]
pub mod fuzzing;
mod identity;
mod journal;
mod journal_v1;
mod open;
mod operation;
mod options;
mod page_token;
mod people;
mod read;
mod report;
mod review;
mod row;
mod score_json;
mod sql;
mod sql_store;
mod stills;
mod write;
mod writer;

#[cfg(test)]
mod contract;
#[cfg(test)]
mod contract_identity;
#[cfg(test)]
mod contract_pages;
#[cfg(test)]
mod contract_people;
#[cfg(test)]
mod contract_report;
#[cfg(test)]
mod contract_stills;
#[cfg(test)]
mod samples;
#[cfg(test)]
mod tests;

pub use self::audit_reader::{AuditError, AuditReader};
pub use self::evidence_folder::EvidenceFolder;
pub use self::options::{PostgresUrl, StoreOptions};
pub use self::sql_store::SqlStore;

/// A connection to either database.
type Connection = sqlx::AnyConnection;
