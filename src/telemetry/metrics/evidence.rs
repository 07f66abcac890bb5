//! Stills.

use ::metrics::{counter, describe_counter, describe_gauge, gauge};

use super::guard::GaugeGuard;

const KEPT: &str = "bonafide_service_stills_kept_total";
const LOST: &str = "bonafide_service_stills_lost_total";
const REMOVED: &str = "bonafide_service_still_files_removed_total";
const HELD: &str = "bonafide_service_held_still_bytes";

/// Why a still that was wanted was not kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StillLoss {
    /// Its pictures could not be encoded.
    NotEncoded,
    /// It could not be sealed or written.
    NotKept,
    /// All sessions together hold as many pictures as they may.
    NoRoom,
    /// The session has as many as it may keep.
    Full,
}

impl StillLoss {
    /// Every cause.
    pub const ALL: [Self; 4] = [Self::NotEncoded, Self::NotKept, Self::NoRoom, Self::Full];

    const fn label(self) -> &'static str {
        match self {
            Self::NotEncoded => "not_encoded",
            Self::NotKept => "not_kept",
            Self::NoRoom => "no_room",
            Self::Full => "full",
        }
    }
}

/// Counts a still that is sealed and written.
pub fn still_kept() {
    counter!(KEPT).increment(1);
}

/// Counts a still that was wanted and is not kept.
pub fn still_lost(cause: StillLoss) {
    counter!(LOST, "cause" => cause.label()).increment(1);
}

/// Counts files that were removed.
pub fn files_removed(n_files: u64) {
    counter!(REMOVED).increment(n_files);
}

/// Bytes of pictures are held while the guard lives.
pub fn held_still_bytes(n_bytes: u64) -> GaugeGuard {
    GaugeGuard::new(gauge!(HELD), n_bytes as f64)
}

pub(super) fn describe() {
    describe_counter!(KEPT, "Stills that were sealed and written.");
    describe_counter!(LOST, "Stills that were wanted and are not kept, by cause.");
    describe_counter!(REMOVED, "Files of stills that were removed: deleted, expired, or left behind by a crash.");
    describe_gauge!(HELD, "Bytes of encoded pictures that sessions hold while they choose.");
}
