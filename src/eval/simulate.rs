//! Attacks made of genuine material, where no recorded ones exist: moved stills.
//!
//! They show that a signal sees what it was built for, and how it is to be calibrated at least. They are no substitute for
//! recorded attacks, and every figure from them says so.

mod canvas;
mod moved_still;

pub(super) use self::moved_still::moved_still;
