//! Passwords: Argon2id on threads of their own, few at a time.

use std::time::Duration;

use argon2::password_hash::phc::PasswordHash;
use argon2::{Argon2, PasswordHasher as _, PasswordVerifier as _};
use tokio::sync::Semaphore;

use crate::service::error::ServiceError;

/// Least characters of a password (NIST SP 800-63B-4, 3.1.1.2, for one that is the only factor).
pub const MIN_PASSWORD_CHARS: usize = 15;
/// Most bytes of a password; more is no password, and hashing it is work.
pub const MAX_PASSWORD_BYTES: usize = 1_024;
/// Hashes at a time; each takes some 20 ms and 19 MiB.
const MAX_HASHES: usize = 2;
/// How long a login waits for its turn.
const PATIENCE: Duration = Duration::from_secs(5);

/// Hashes and checks.
#[derive(Debug)]
pub(super) struct Passwords {
    turns: std::sync::Arc<Semaphore>,
}

impl Default for Passwords {
    fn default() -> Self {
        Self { turns: std::sync::Arc::new(Semaphore::new(MAX_HASHES)) }
    }
}

impl Passwords {
    /// The PHC string of a new password.
    ///
    /// # Errors
    /// [`ServiceError::InvalidField`] for one that is too short or too long, [`ServiceError::Overloaded`].
    pub(super) async fn hash(&self, password: &str) -> Result<String, ServiceError> {
        let invalid = |problem: String| Err(ServiceError::InvalidField { field: "password", problem });
        if password.chars().count() < MIN_PASSWORD_CHARS {
            return invalid(format!("is too short: use at least {MIN_PASSWORD_CHARS} characters, such as some words"));
        }
        if password.len() > MAX_PASSWORD_BYTES {
            return invalid(format!("is too long: use at most {MAX_PASSWORD_BYTES} bytes"));
        }
        let password = password.to_owned();
        self.run(move || {
            let hashed = Argon2::default().hash_password(password.as_bytes());
            hashed.map(|hash| hash.to_string()).map_err(|error| format!("cannot hash a password: {error}"))
        })
        .await?
        .map_err(|problem| ServiceError::Internal { problem })
    }

    /// Whether a password is the one of a PHC string; without one it takes as long and is wrong.
    ///
    /// # Errors
    /// [`ServiceError::Overloaded`].
    pub(super) async fn is_right(&self, password: &str, hash: Option<String>) -> Result<bool, ServiceError> {
        if password.len() > MAX_PASSWORD_BYTES {
            return Ok(false);
        }
        let password = password.to_owned();
        self.run(move || {
            let known = hash.as_deref().and_then(|hash| PasswordHash::new(hash).ok());
            if let Some(known) = known {
                return Argon2::default().verify_password(password.as_bytes(), &known).is_ok();
            }
            // For its time alone.
            drop(Argon2::default().hash_password(password.as_bytes()));
            false
        })
        .await
    }

    async fn run<T: Send + 'static>(&self, work: impl FnOnce() -> T + Send + 'static) -> Result<T, ServiceError> {
        let turn = tokio::time::timeout(PATIENCE, std::sync::Arc::clone(&self.turns).acquire_owned()).await;
        let Ok(Ok(turn)) = turn else {
            let limit = MAX_HASHES as u64;
            return Err(ServiceError::Overloaded { what: "logins at a time", limit, retry_after: PATIENCE });
        };
        let done = tokio::task::spawn_blocking(move || {
            let _turn = turn;
            work()
        });
        done.await.map_err(|panic| ServiceError::Internal { problem: panic.to_string() })
    }
}
