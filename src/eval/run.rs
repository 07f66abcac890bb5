//! What every evaluation works with, and the work on many files at once.

use std::num::NonZero;
use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use crate::scoring::Policy;
use crate::service::Pipeline;

use super::error::EvalError;
use super::manifest::Item;
use super::resume::{Answer, Unfinished};
use super::still::Framing;

/// Told how many of how many files are done.
pub type Progress<'a> = dyn Fn(usize, usize) + Sync + 'a;

/// What is evaluated, and how.
#[derive(Clone, Debug)]
pub struct EvalTask {
    /// CSV file; `None` = the folders below the root name identities or labels.
    pub manifest: Option<PathBuf>,
    /// Folder that the manifest's paths are below.
    pub root: PathBuf,
    /// How much of a scene the images show.
    pub framing: Framing,
}

/// Loaded models, the policy whose calibrations are evaluated, and who wants to know how far the work is.
#[derive(Clone, Copy)]
pub struct Bench<'a> {
    /// Measures pictures.
    pub pipeline: &'a Pipeline,
    /// Turns measurements into ratios and levels.
    pub policy: &'a Arc<Policy>,
    /// Told after every file.
    pub progress: &'a Progress<'a>,
    /// Where answers are kept until the evaluation is finished.
    pub unfinished: Option<&'a Unfinished>,
}

impl std::fmt::Debug for Bench<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Bench").field("policy", &self.policy.name()).finish_non_exhaustive()
    }
}

impl Bench<'_> {
    /// Does `work` on every file as [`Self::for_each`] does, and keeps the answers until the evaluation is finished.
    pub(super) fn for_each_file<A: Answer + Send>(
        &self,
        items: &[Item],
        work: impl Fn(&Item) -> Result<A, EvalError> + Sync,
    ) -> Result<Vec<A>, EvalError> {
        self.for_each(items, |item| match self.unfinished {
            Some(unfinished) => unfinished.answer(item, || work(item)),
            None => work(item),
        })
    }

    /// Does `work` on every item, one thread a core, and gives the answers in the items' order; the first error ends it.
    pub(super) fn for_each<T: Sync, R: Send, E: Send>(
        &self,
        items: &[T],
        work: impl Fn(&T) -> Result<R, E> + Sync,
    ) -> Result<Vec<R>, E> {
        let n_threads = std::thread::available_parallelism().map_or(1, NonZero::get).min(items.len().max(1));
        let (next, n_done) = (AtomicUsize::new(0), AtomicUsize::new(0));
        let answers = Mutex::new(Vec::with_capacity(items.len()));
        let failure = Mutex::new(None);
        let run = || {
            while let Some((index, item)) = {
                let index = next.fetch_add(1, Ordering::Relaxed);
                items.get(index).map(|item| (index, item))
            } {
                match work(item) {
                    Ok(answer) => answers.lock().unwrap_or_else(PoisonError::into_inner).push((index, answer)),
                    Err(error) => {
                        *failure.lock().unwrap_or_else(PoisonError::into_inner) = Some(error);
                        next.store(items.len(), Ordering::Relaxed);
                    }
                }
                (self.progress)(n_done.fetch_add(1, Ordering::Relaxed) + 1, items.len());
            }
        };
        std::thread::scope(|scope| {
            for n in 1..n_threads {
                // A thread that cannot be started leaves its share to the others.
                let _started = std::thread::Builder::new().name(format!("eval-{n}")).spawn_scoped(scope, run);
            }
            run();
        });
        if let Some(error) = failure.into_inner().unwrap_or_else(PoisonError::into_inner) {
            return Err(error);
        }
        let mut answers = answers.into_inner().unwrap_or_else(PoisonError::into_inner);
        answers.sort_by_key(|(index, _)| *index);
        Ok(answers.into_iter().map(|(_, answer)| answer).collect())
    }
}
