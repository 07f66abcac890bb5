//! Attacks made of genuine material, where no recorded ones exist: moved stills, loops, frozen pictures, splices, further
//! sittings in one place.
//!
//! They show that a signal sees what it was built for, and how it is to be calibrated at least. They are no substitute for
//! recorded attacks, and every figure from them says so.

mod canvas;
mod moved_still;
mod sitting;
mod splice;

pub(super) use self::moved_still::moved_still;
pub(super) use self::sitting::{Handedness, Sitter, another_sitting};
pub(super) use self::splice::Splice;
