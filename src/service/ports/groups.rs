//! Sessions in groups, as they are counted.

use crate::scoring::Level;

use super::ReviewState;

/// How many sessions of a group stand where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GroupCount {
    /// The label's value that they share.
    pub value: String,
    /// How far people are.
    pub state: ReviewState,
    /// The worst level of any participant.
    pub level: Level,
    /// Whether they are still open.
    pub is_open: bool,
    /// How many.
    pub n_sessions: u64,
}
