//! One try to log in, between leaving for the provider and coming back: what the browser keeps of it.
//!
//! The cookie has a random secret, the time and the page to go on to; state, nonce and verifier are digests of all three. So
//! the server keeps nothing that could fill its memory, any server on the database can take the answer, and whoever changes
//! the cookie changes the state, which then is not the one that comes back. The cookie is `SameSite=Lax`: the browser sends it
//! along when the provider leads it back here.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::Timestamp;
use sha2::{Digest as _, Sha256};
use subtle::ConstantTimeEq as _;

use crate::web::csrf::{is_token, new_token};
use crate::web::hex::hex;
use crate::web::visit::own_path;

/// How long somebody may take at the provider.
pub(in crate::web) const MAX_AGE: Duration = Duration::from_mins(10);
/// Longest page to go on to in bytes; the cookie takes two letters for each.
const MAX_NEXT_BYTES: usize = 1_024;

/// One try.
#[derive(Clone, PartialEq, Eq)]
pub(in crate::web) struct Attempt {
    /// 64 hex digits of randomness.
    secret: String,
    /// Unix time in seconds.
    began: i64,
    /// The page to go on to.
    next: String,
}

impl Attempt {
    /// A new one that goes on to `next`.
    pub(in crate::web) fn new(next: &str, now: Timestamp) -> Self {
        let next = own_path(next);
        let next = if next.len() <= MAX_NEXT_BYTES { next } else { "/" };
        Self { secret: new_token(), began: now.as_second(), next: next.to_owned() }
    }

    /// The one that a cookie holds, if it is not too old.
    pub(in crate::web) fn from_cookie(value: &str, now: Timestamp) -> Option<Self> {
        let mut parts = value.split('-');
        let (secret, began, next) = (parts.next()?, parts.next()?, parts.next()?);
        let next = unhex(next).filter(|next| own_path(next) == next && next.len() <= MAX_NEXT_BYTES)?;
        let attempt = Self { secret: secret.to_owned(), began: began.parse().ok()?, next };
        let age = now.as_second().checked_sub(attempt.began)?;
        let is_young = u64::try_from(age).is_ok_and(|secs| secs <= MAX_AGE.as_secs());
        (is_token(secret) && is_young && parts.next().is_none()).then_some(attempt)
    }

    /// What the cookie holds.
    pub(in crate::web) fn cookie(&self) -> String {
        format!("{}-{}-{}", self.secret, self.began, hex(self.next.as_bytes()))
    }

    /// The page to go on to.
    pub(in crate::web) fn next(&self) -> &str {
        &self.next
    }

    /// What the provider gives back as it is.
    pub(super) fn state(&self) -> String {
        self.derive("state")
    }

    /// What the ID token has to hold.
    pub(super) fn nonce(&self) -> String {
        self.derive("nonce")
    }

    /// What proves that whoever brings the code asked for it (RFC 7636).
    pub(super) fn verifier(&self) -> String {
        self.derive("verifier")
    }

    /// The verifier's digest, which goes ahead.
    pub(super) fn challenge(&self) -> String {
        URL_SAFE_NO_PAD.encode(Sha256::digest(self.verifier()))
    }

    /// Whether a state is the one of this try.
    pub(super) fn is_state(&self, state: &str) -> bool {
        bool::from(self.state().as_bytes().ct_eq(state.as_bytes()))
    }

    /// No two purposes have the same input: the purpose has no line end, and secret and time have known forms.
    fn derive(&self, purpose: &str) -> String {
        let Self { secret, began, next } = self;
        URL_SAFE_NO_PAD.encode(Sha256::digest(format!("bonafide oidc {purpose}\n{secret}\n{began}\n{next}")))
    }
}

fn unhex(digits: &str) -> Option<String> {
    let is_hex = digits.len().is_multiple_of(2) && digits.bytes().all(|byte| byte.is_ascii_hexdigit());
    let byte = |at: usize| u8::from_str_radix(digits.get(at..at + 2)?, 16).ok();
    let bytes: Option<Vec<u8>> = (0..digits.len()).step_by(2).map(byte).collect();
    String::from_utf8(bytes.filter(|_| is_hex)?).ok()
}

#[cfg(test)]
mod tests {
    use jiff::{SignedDuration, Timestamp};

    use super::{Attempt, MAX_AGE, MAX_NEXT_BYTES};

    fn now() -> Timestamp {
        Timestamp::new(1_790_000_000, 0).expect("in range")
    }

    #[test]
    fn what_a_cookie_holds_is_what_was_begun() {
        for next in ["/", "/sessions/interview-1?from=1&to=2"] {
            let attempt = Attempt::new(next, now());
            let cookie = attempt.cookie();
            assert!(cookie.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-'), "{cookie}");
            let read = Attempt::from_cookie(&cookie, now()).expect("reads");
            assert!(read == attempt && read.next() == next && read.is_state(&attempt.state()));
            let told = [read.state(), read.nonce(), read.challenge()];
            assert!(!told.contains(&read.verifier()) && told[0] != told[1]);
            assert!(read.verifier().len() == 43, "RFC 7636 wants 43 to 128");
            assert!(told.iter().all(|text| !text.contains(&attempt.secret)));
        }
        assert_eq!(Attempt::new("https://evil.example", now()).next(), "/");
        assert_eq!(Attempt::new(&format!("/{}", "x".repeat(MAX_NEXT_BYTES)), now()).next(), "/");
    }

    #[test]
    fn a_cookie_that_was_changed_has_another_state() {
        let attempt = Attempt::new("/a", now());
        for cookie in [
            Attempt { next: "/b".to_owned(), ..attempt.clone() }.cookie(),
            Attempt { began: attempt.began - 1, ..attempt.clone() }.cookie(),
            Attempt::new("/a", now()).cookie(),
        ] {
            let changed = Attempt::from_cookie(&cookie, now()).expect("reads");
            assert!(!changed.is_state(&attempt.state()) && changed.nonce() != attempt.nonce());
        }
        assert!(!attempt.is_state("") && !attempt.is_state(&attempt.nonce()));
    }

    #[test]
    fn old_and_broken_cookies_are_none() {
        let attempt = Attempt::new("/a", now());
        let cookie = attempt.cookie();
        let after = |secs: u64| now() + SignedDuration::from_secs(i64::try_from(secs).expect("small"));
        assert!(Attempt::from_cookie(&cookie, after(MAX_AGE.as_secs())).is_some());
        assert!(Attempt::from_cookie(&cookie, after(MAX_AGE.as_secs() + 1)).is_none());
        assert!(Attempt::from_cookie(&cookie, now() - SignedDuration::from_secs(1)).is_none(), "from the future");
        let elsewhere = Attempt { next: "//evil.example".to_owned(), ..attempt };
        for broken in
            ["", "-", "--", "a-1-2f", &format!("{cookie}-"), &cookie[1..], &elsewhere.cookie(), &format!("{cookie}0")]
        {
            assert!(Attempt::from_cookie(broken, now()).is_none(), "{broken}");
        }
    }
}
