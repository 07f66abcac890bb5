//! Slows down whoever tries many names from one address.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

/// Logins from one address within [`WINDOW`].
const MAX_TRIES: u32 = 20;
/// After this time the count starts anew.
const WINDOW: Duration = Duration::from_mins(5);
/// Addresses that are remembered; the oldest go first.
const MAX_ADDRESSES: usize = 10_000;

/// Counts tries by address, in memory: a restart forgives all.
#[derive(Debug, Default)]
pub(super) struct AddressGuard {
    tries: Mutex<HashMap<String, Tries>>,
}

#[derive(Debug)]
struct Tries {
    since: Duration,
    n_tries: u32,
}

impl AddressGuard {
    /// Counts a try at `now` (monotonic).
    ///
    /// # Errors
    /// How long to wait, when there were too many.
    pub(super) fn admit(&self, address: &str, now: Duration) -> Result<(), Duration> {
        let mut tries = self.tries.lock().unwrap_or_else(PoisonError::into_inner);
        if tries.len() >= MAX_ADDRESSES && !tries.contains_key(address) {
            tries.retain(|_, known| now.saturating_sub(known.since) < WINDOW);
            let oldest = tries.iter().min_by_key(|(_, known)| known.since).map(|(address, _)| address.clone());
            if let Some(oldest) = oldest.filter(|_| tries.len() >= MAX_ADDRESSES) {
                tries.remove(&oldest);
            }
        }
        let known = tries.entry(address.to_owned()).or_insert(Tries { since: now, n_tries: 0 });
        if now.saturating_sub(known.since) >= WINDOW {
            *known = Tries { since: now, n_tries: 0 };
        }
        known.n_tries += 1;
        if known.n_tries > MAX_TRIES { Err(WINDOW.saturating_sub(now.saturating_sub(known.since))) } else { Ok(()) }
    }

    /// Forgets the tries of an address from which a login went well.
    pub(super) fn forgive(&self, address: &str) {
        self.tries.lock().unwrap_or_else(PoisonError::into_inner).remove(address);
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::{AddressGuard, MAX_ADDRESSES, MAX_TRIES, WINDOW};

    #[test]
    fn many_tries_from_one_address_have_to_wait_and_others_do_not() {
        let guard = AddressGuard::default();
        for _ in 0..MAX_TRIES {
            guard.admit("a", Duration::ZERO).expect("is let in");
        }
        assert_eq!(guard.admit("a", Duration::from_mins(1)), Err(Duration::from_mins(4)));
        guard.admit("b", Duration::ZERO).expect("another address is let in");
        guard.admit("a", WINDOW).expect("is let in again");
    }

    #[test]
    fn what_is_remembered_is_bounded() {
        let guard = AddressGuard::default();
        for number in 0..MAX_ADDRESSES + 50 {
            guard.admit(&number.to_string(), Duration::from_millis(number as u64)).expect("is let in");
        }
        assert_eq!(guard.tries.lock().expect("no panic").len(), MAX_ADDRESSES);
    }
}
