//! Stills at the end of their time, and files that nobody names.

use std::time::Duration;

use jiff::SignedDuration;

use crate::service::error::ServiceError;
use crate::service::ports::FileDigest;
use crate::telemetry::metrics::files_removed;

use super::Evidence;

/// Sessions whose stills expire in one transaction.
const EXPIRED_AT_ONCE: u32 = 20;
/// Sessions whose stills expire in one sweep.
const MAX_EXPIRED: u64 = 500;
/// Files that are removed between two looks at the store.
const REMOVED_AT_ONCE: u32 = 500;
/// Files that are asked about at one time.
const ASKED_AT_ONCE: usize = 500;
/// Age from which a file that no row names is one that a crash left behind: its commit, if there is one, is given up long before.
const ORPHAN_AGE: Duration = Duration::from_mins(15);
const DAY_SECS: i64 = 86_400;

/// What a sweep did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Swept {
    /// Sessions whose stills were at the end of their time.
    pub expired_sessions: u64,
    /// Files that were removed, of deleted and expired stills.
    pub files: u64,
}

impl Evidence {
    /// Deletes stills whose time is over, and removes the files of what was deleted.
    ///
    /// # Errors
    /// [`ServiceError::Store`], [`ServiceError::Evidence`]; what is left is done in the next sweep.
    pub async fn sweep(&self) -> Result<Swept, ServiceError> {
        let expired_sessions = self.expire().await?;
        Ok(Swept { expired_sessions, files: self.purge().await? })
    }

    async fn expire(&self) -> Result<u64, ServiceError> {
        let (store, now) = (&self.inner.store, self.inner.clock.now());
        let days = i64::from(self.inner.options.retention_days);
        if days == 0 {
            return Ok(0);
        }
        // Before the year 1 nothing was kept.
        let Ok(kept_before) = now.checked_sub(SignedDuration::from_secs(days * DAY_SECS)) else { return Ok(0) };
        let mut n_sessions = 0;
        while n_sessions < MAX_EXPIRED {
            let portion = store.expire_stills(kept_before, now, EXPIRED_AT_ONCE).await?;
            n_sessions += portion;
            if portion < u64::from(EXPIRED_AT_ONCE) {
                break;
            }
        }
        Ok(n_sessions)
    }

    /// Removes the files of stills whose rows are gone; gives back how many.
    ///
    /// # Errors
    /// As [`Evidence::sweep`].
    pub async fn purge(&self) -> Result<u64, ServiceError> {
        let mut n_files = 0;
        loop {
            let files = self.inner.store.erased(REMOVED_AT_ONCE).await?;
            if files.is_empty() {
                return Ok(n_files);
            }
            self.inner.files.remove(files.clone()).await?;
            n_files += files.len() as u64;
            files_removed(files.len() as u64);
            self.inner.store.forget_erased(files).await?;
        }
    }

    /// Removes the files that a crash left behind: written, and never named by a row; gives back how many. To be called at start
    /// and now and then.
    ///
    /// # Errors
    /// As [`Evidence::sweep`].
    pub async fn remove_orphans(&self) -> Result<u64, ServiceError> {
        self.remove_orphans_older_than(ORPHAN_AGE).await
    }

    pub(crate) async fn remove_orphans_older_than(&self, age: Duration) -> Result<u64, ServiceError> {
        let mut n_files = 0;
        for shelf in 0..=u8::MAX {
            let files = self.inner.files.older_than(age, shelf).await?;
            for portion in files.chunks(ASKED_AT_ONCE) {
                let named = self.inner.store.named(portion).await?;
                let orphans: Vec<FileDigest> = portion.iter().filter(|file| !named.contains(file)).copied().collect();
                if !orphans.is_empty() {
                    n_files += orphans.len() as u64;
                    files_removed(orphans.len() as u64);
                    self.inner.files.remove(orphans).await?;
                }
            }
        }
        Ok(n_files)
    }
}
