//! Walks a stored log and names the place where it was tampered with.

use std::collections::BTreeMap;

use crate::keys::VerifyingKey;

use super::chain::{Digest, GENESIS, link};
use super::checkpoint::{Checkpoint, CheckpointKind};
use super::event::Event;

/// A row as it is stored: the entry, and what was copied out of it to be searched by.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredRow {
    /// Its place, from 1.
    pub sequence: u64,
    /// Canonical JSON.
    pub event: String,
    /// Its digest.
    pub hash: Vec<u8>,
    /// Copy of the entry's tenant.
    pub tenant: String,
    /// Copy of the entry's object.
    pub object: String,
}

/// Where the log is broken, and how.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("audit log is broken at row {sequence}: {problem}")]
pub struct Broken {
    /// The row.
    pub sequence: u64,
    /// What is wrong there.
    pub problem: Problem,
}

/// What can be wrong at a place.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Problem {
    /// A row is not there.
    #[error("it is missing")]
    Missing,
    /// A row stands where none may.
    #[error("it stands after the end of the log")]
    Surplus,
    /// The digest does not fit the entry and the row before.
    #[error("its content, or that of its digest, was changed")]
    Changed,
    /// The entry is no entry.
    #[error("{0}")]
    Unreadable(String),
    /// A checkpoint has another digest.
    #[error("a signed checkpoint remembers another digest")]
    Contradicted,
    /// A checkpoint is not signed by a known key.
    #[error("the signature of its {0} checkpoint is not from a known key")]
    BadSignature(&'static str),
    /// There is no statement where the log ends.
    #[error("the signed end of the log is missing")]
    NoHead,
}

/// What was found in order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Summary {
    /// The first row that is kept.
    pub first: u64,
    /// Rows that were checked.
    pub n_rows: u64,
    /// Signatures that were checked.
    pub n_checkpoints: u64,
    /// The signed end.
    pub head: Checkpoint,
}

/// Takes rows in order of their sequence.
#[derive(Debug)]
pub struct Verifier {
    checkpoints: BTreeMap<u64, Vec<Checkpoint>>,
    head: Checkpoint,
    first: u64,
    next: u64,
    previous: Digest,
}

impl Verifier {
    /// Checks the signatures of `checkpoints`, one of which is the head, against `keys`.
    ///
    /// # Errors
    /// [`Broken`] when one is not signed by one of `keys`, or the head is missing.
    pub fn new(checkpoints: Vec<Checkpoint>, keys: &[VerifyingKey]) -> Result<Self, Broken> {
        let broken = |sequence, problem| Broken { sequence, problem };
        let mut by_row: BTreeMap<u64, Vec<Checkpoint>> = BTreeMap::new();
        let mut head = None;
        let (mut first, mut previous) = (1, GENESIS);
        for checkpoint in checkpoints {
            if !checkpoint.is_signed_by(keys) {
                return Err(broken(checkpoint.sequence, Problem::BadSignature(checkpoint.kind.as_str())));
            }
            match checkpoint.kind {
                CheckpointKind::Head => head = Some(checkpoint.clone()),
                CheckpointKind::Anchor if checkpoint.sequence >= first => {
                    (first, previous) = (checkpoint.sequence + 1, checkpoint.hash);
                }
                CheckpointKind::Anchor | CheckpointKind::Milestone => {}
            }
            by_row.entry(checkpoint.sequence).or_default().push(checkpoint);
        }
        let head = head.ok_or_else(|| broken(0, Problem::NoHead))?;
        Ok(Self { checkpoints: by_row, head, first, next: first, previous })
    }

    /// The first row that must be there.
    #[must_use]
    pub fn first(&self) -> u64 {
        self.first
    }

    /// Takes the next row.
    ///
    /// # Errors
    /// [`Broken`] at the first row that is missing, changed or contradicted.
    pub fn row(&mut self, row: &StoredRow) -> Result<Event, Broken> {
        if row.sequence != self.next {
            return Err(Broken { sequence: self.next, problem: Problem::Missing });
        }
        let broken = |problem| Broken { sequence: row.sequence, problem };
        if row.sequence > self.head.sequence {
            return Err(broken(Problem::Surplus));
        }
        let hash = link(&self.previous, &row.event);
        if row.hash != hash.0 {
            return Err(broken(Problem::Changed));
        }
        let (sequence, event) =
            Event::from_json(&row.event).map_err(|error| broken(Problem::Unreadable(error.to_string())))?;
        if sequence != row.sequence || event.tenant != row.tenant || event.object != row.object {
            return Err(broken(Problem::Changed));
        }
        if self.checkpoints.get(&sequence).into_iter().flatten().any(|checkpoint| checkpoint.hash != hash) {
            return Err(broken(Problem::Contradicted));
        }
        self.next += 1;
        self.previous = hash;
        Ok(event)
    }

    /// Says what was found, after the last row.
    ///
    /// # Errors
    /// [`Broken`] when rows are missing at the end.
    pub fn finish(self) -> Result<Summary, Broken> {
        if self.next != self.head.sequence + 1 {
            return Err(Broken { sequence: self.next, problem: Problem::Missing });
        }
        if self.head.hash != self.previous {
            return Err(Broken { sequence: self.head.sequence, problem: Problem::Contradicted });
        }
        let n_checkpoints = self.checkpoints.values().map(Vec::len).sum::<usize>() as u64;
        Ok(Summary { first: self.first, n_rows: self.next - self.first, n_checkpoints, head: self.head })
    }
}

#[cfg(test)]
mod tests {
    use super::{Broken, Problem, StoredRow, Summary, Verifier};
    use crate::audit::{Action, Actor, Checkpoint, CheckpointKind, Digest, Event, GENESIS, link};
    use crate::keys::SigningKey;

    const N_ROWS: u64 = 12;

    fn key() -> SigningKey {
        SigningKey::from_seed([3; 32])
    }

    fn log() -> (Vec<StoredRow>, Vec<Checkpoint>) {
        let time = "2026-11-23T01:02:03Z".parse().expect("a time");
        let mut previous = GENESIS;
        let (mut rows, mut checkpoints) = (Vec::new(), Vec::new());
        for sequence in 1..=N_ROWS {
            let object = format!("sessions/abcd-{sequence}");
            let event = Event::done(time, "default", Actor::system("test"), Action::SessionCreate, object.clone());
            let event = event.to_json(sequence);
            previous = link(&previous, &event);
            let (tenant, hash) = ("default".to_owned(), previous.0.to_vec());
            rows.push(StoredRow { sequence, event, hash, tenant, object });
            if sequence.is_multiple_of(5) {
                checkpoints.push(Checkpoint::sign(&key(), CheckpointKind::Milestone, sequence, previous, time));
            }
        }
        checkpoints.push(Checkpoint::sign(&key(), CheckpointKind::Head, N_ROWS, previous, time));
        (rows, checkpoints)
    }

    fn verify(rows: &[StoredRow], checkpoints: Vec<Checkpoint>) -> Result<Summary, Broken> {
        let mut verifier = Verifier::new(checkpoints, &[key().verifying_key()])?;
        for row in rows {
            verifier.row(row)?;
        }
        verifier.finish()
    }

    #[test]
    fn an_untouched_log_is_in_order() {
        let (rows, checkpoints) = log();
        let summary = verify(&rows, checkpoints).expect("in order");
        assert_eq!((summary.first, summary.n_rows, summary.n_checkpoints), (1, N_ROWS, 3));
    }

    #[test]
    fn a_dropped_row_is_named_wherever_it_stood() {
        for dropped in 1..=N_ROWS {
            let (mut rows, checkpoints) = log();
            rows.retain(|row| row.sequence != dropped);
            let expected = Broken { sequence: dropped, problem: Problem::Missing };
            assert_eq!(verify(&rows, checkpoints), Err(expected));
        }
    }

    #[test]
    fn a_flipped_bit_is_named_wherever_it_stood() {
        let (untouched, checkpoints) = log();
        for at in 0..untouched.len() {
            let sequence = untouched[at].sequence;
            for byte in 0..untouched[at].event.len() {
                let mut rows = untouched.clone();
                let mut bytes = rows[at].event.clone().into_bytes();
                bytes[byte] ^= 1;
                rows[at].event = String::from_utf8(bytes).expect("ASCII stays ASCII");
                assert_eq!(verify(&rows, checkpoints.clone()).expect_err("is broken").sequence, sequence);
            }
            for byte in 0..32 {
                let mut rows = untouched.clone();
                rows[at].hash[byte] ^= 1;
                assert_eq!(verify(&rows, checkpoints.clone()).expect_err("is broken").sequence, sequence);
            }
            let mut rows = untouched.clone();
            rows[at].object.push('x');
            assert_eq!(verify(&rows, checkpoints.clone()).expect_err("is broken").sequence, sequence);
        }
    }

    #[test]
    fn a_log_written_anew_without_the_key_is_contradicted() {
        let (mut rows, checkpoints) = log();
        let mut previous = Digest::from_bytes(&rows[1].hash).expect("a digest");
        for row in &mut rows[2..] {
            row.event = row.event.replace("test", "evil");
            previous = link(&previous, &row.event);
            row.hash = previous.0.to_vec();
        }
        let found = verify(&rows, checkpoints.clone()).expect_err("is broken");
        assert_eq!(found, Broken { sequence: 5, problem: Problem::Contradicted }, "the next milestone remembers");
        let headless = checkpoints[..2].to_vec();
        assert_eq!(verify(&rows, headless), Err(Broken { sequence: 0, problem: Problem::NoHead }));
    }

    #[test]
    fn old_rows_may_go_only_with_a_signed_anchor() {
        let (mut rows, mut checkpoints) = log();
        let milestone = checkpoints[0].clone();
        rows.drain(..5);
        assert_eq!(
            verify(&rows, checkpoints.clone()),
            Err(Broken { sequence: 1, problem: Problem::Missing }),
            "a milestone alone does not allow it"
        );
        let time = milestone.time;
        checkpoints.push(Checkpoint::sign(&key(), CheckpointKind::Anchor, 5, milestone.hash, time));
        assert_eq!(verify(&rows, checkpoints.clone()).expect("in order").first, 6);
        rows.remove(0);
        assert_eq!(verify(&rows, checkpoints), Err(Broken { sequence: 6, problem: Problem::Missing }));
    }
}
