//! How many frames are analysed at one time.

use std::sync::Arc;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// Bounds how many frames are analysed at one time.
#[derive(Clone, Debug)]
pub struct AnalysisPool {
    permits: Arc<Semaphore>,
}

impl AnalysisPool {
    /// A pool of that many places, at least one.
    #[must_use]
    pub fn new(n_places: usize) -> Self {
        let n_places = n_places.max(1);
        Self { permits: Arc::new(Semaphore::new(n_places)) }
    }

    /// Waits for a place; `None` when the pool was closed.
    pub(super) async fn acquire(&self) -> Option<OwnedSemaphorePermit> {
        Arc::clone(&self.permits).acquire_owned().await.ok()
    }
}
