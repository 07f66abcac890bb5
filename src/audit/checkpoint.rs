//! Signed statements of where the chain stood.

use jiff::Timestamp;

use crate::keys::{SigningKey, VerifyingKey};

use super::chain::Digest;

/// What a checkpoint is for; part of what is signed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum CheckpointKind {
    /// The last row, renewed with every append.
    Head,
    /// A row on the way, kept.
    Milestone,
    /// The row after which the log goes on, since retention took what came before.
    Anchor,
}

impl CheckpointKind {
    /// Every kind.
    pub const ALL: [Self; 3] = [Self::Head, Self::Milestone, Self::Anchor];

    /// The stored name.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Head => "head",
            Self::Milestone => "milestone",
            Self::Anchor => "anchor",
        }
    }
}

/// A signed statement: at `time`, the row `sequence` had the digest `hash`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Checkpoint {
    /// What for.
    pub kind: CheckpointKind,
    /// The row, counted from 1; 0 = no row yet.
    pub sequence: u64,
    /// That row's digest.
    pub hash: Digest,
    /// When it was signed.
    pub time: Timestamp,
    /// Which key signed.
    pub key_id: String,
    /// Ed25519 over the above.
    pub signature: [u8; 64],
}

impl Checkpoint {
    /// Signs where the chain stands.
    #[must_use]
    pub fn sign(key: &SigningKey, kind: CheckpointKind, sequence: u64, hash: Digest, time: Timestamp) -> Self {
        let signature = key.sign(&message(kind, sequence, &hash, time));
        Self { kind, sequence, hash, time, key_id: signature.key_id, signature: signature.bytes }
    }

    /// Whether one of `keys` made the signature.
    #[must_use]
    pub fn is_signed_by(&self, keys: &[VerifyingKey]) -> bool {
        let message = message(self.kind, self.sequence, &self.hash, self.time);
        keys.iter().any(|key| key.key_id() == self.key_id && key.verify(&message, &self.signature).is_ok())
    }
}

fn message(kind: CheckpointKind, sequence: u64, hash: &Digest, time: Timestamp) -> Vec<u8> {
    format!("bonafide-audit-checkpoint/1\n{}\n{sequence}\n{hash}\n{time:.9}\n", kind.as_str()).into_bytes()
}

#[cfg(test)]
mod tests {
    use super::{Checkpoint, CheckpointKind};
    use crate::audit::chain::{GENESIS, link};
    use crate::keys::SigningKey;

    #[test]
    fn a_signature_holds_for_exactly_what_was_signed() {
        let key = SigningKey::from_seed([7; 32]);
        let keys = [key.verifying_key()];
        let time = "2026-11-23T01:02:03Z".parse().expect("a time");
        let good = Checkpoint::sign(&key, CheckpointKind::Head, 9, link(&GENESIS, "row"), time);
        assert!(good.is_signed_by(&keys) && !good.is_signed_by(&[]));
        assert!(!good.is_signed_by(&[SigningKey::from_seed([8; 32]).verifying_key()]));
        let changes: [fn(&mut Checkpoint); 6] = [
            |changed| changed.kind = CheckpointKind::Anchor,
            |changed| changed.sequence += 1,
            |changed| changed.hash = GENESIS,
            |changed| changed.time = "2026-11-23T01:02:04Z".parse().expect("a time"),
            |changed| changed.key_id.push('0'),
            |changed| changed.signature[63] ^= 1,
        ];
        for change in changes {
            let mut changed = good.clone();
            change(&mut changed);
            assert!(!changed.is_signed_by(&keys), "{changed:?}");
        }
    }
}
