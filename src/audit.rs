//! The record of who did what to which object, in which nothing can be changed or dropped unnoticed.
//!
//! In: [`Event`]s. Out: their canonical JSON, a chain of digests over it, signed [`Checkpoint`]s, and the place where a chain is
//! broken. Each digest covers the one before, so a changed row shows at that row and a dropped one at its neighbour; the last
//! row is covered by a signature that is renewed with every append.
//! Deliberately not here: where rows are kept (`store`), which keys sign (`keys`), who may do what (`service`).

mod chain;
mod checkpoint;
mod event;
mod verify;

pub use self::chain::{Digest, GENESIS, link};
pub use self::checkpoint::{Checkpoint, CheckpointKind};
pub use self::event::{Action, Actor, ActorKind, BadEvent, Event, Outcome};
pub use self::verify::{Broken, Problem, StoredRow, Summary, Verifier};
