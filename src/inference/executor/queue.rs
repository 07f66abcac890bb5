//! A bounded queue between callers and worker threads.

use std::collections::VecDeque;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

/// Why an item was not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Refusal {
    /// So many wait already.
    Full(usize),
    /// The queue is closed.
    Closed,
}

/// First in, first out, at most `capacity` waiting.
#[derive(Debug)]
pub(super) struct WorkQueue<T> {
    state: Mutex<State<T>>,
    capacity: usize,
    has_item: Condvar,
    has_room: Condvar,
}

#[derive(Debug)]
struct State<T> {
    items: VecDeque<T>,
    is_closed: bool,
}

impl<T> WorkQueue<T> {
    pub(super) fn new(capacity: usize) -> Self {
        let state = Mutex::new(State { items: VecDeque::new(), is_closed: false });
        Self { state, capacity, has_item: Condvar::new(), has_room: Condvar::new() }
    }

    /// Adds an item, or refuses at once.
    pub(super) fn push(&self, item: T) -> Result<(), Refusal> {
        let mut state = self.lock();
        if state.items.len() >= self.capacity && !state.is_closed {
            return Err(Refusal::Full(state.items.len()));
        }
        self.add(&mut state, item)
    }

    /// Adds an item as soon as there is room.
    pub(super) fn push_wait(&self, item: T) -> Result<(), Refusal> {
        let is_full = |state: &mut State<T>| state.items.len() >= self.capacity && !state.is_closed;
        let mut state = self.has_room.wait_while(self.lock(), is_full).unwrap_or_else(PoisonError::into_inner);
        self.add(&mut state, item)
    }

    /// Waits for an item; `None` once the queue is closed.
    pub(super) fn pop(&self) -> Option<T> {
        let is_idle = |state: &mut State<T>| state.items.is_empty() && !state.is_closed;
        let mut state = self.has_item.wait_while(self.lock(), is_idle).unwrap_or_else(PoisonError::into_inner);
        if state.is_closed {
            return None;
        }
        let item = state.items.pop_front();
        self.has_room.notify_one();
        item
    }

    /// Refuses what comes, drops what waits and wakes everybody.
    pub(super) fn close(&self) {
        let dropped = {
            let mut state = self.lock();
            state.is_closed = true;
            std::mem::take(&mut state.items)
        };
        drop(dropped);
        self.has_item.notify_all();
        self.has_room.notify_all();
    }

    /// How many wait.
    pub(super) fn len(&self) -> usize {
        self.lock().items.len()
    }

    fn add(&self, state: &mut State<T>, item: T) -> Result<(), Refusal> {
        if state.is_closed {
            return Err(Refusal::Closed);
        }
        state.items.push_back(item);
        self.has_item.notify_one();
        Ok(())
    }

    /// No code that can panic runs under the lock, so a poisoned one holds a sound state.
    fn lock(&self) -> MutexGuard<'_, State<T>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use std::thread;

    use super::{Refusal, WorkQueue};

    #[test]
    fn full_queue_refuses_and_keeps_order() {
        let queue = WorkQueue::new(2);
        assert_eq!([queue.push(1), queue.push(2)], [Ok(()); 2]);
        assert_eq!(queue.push(3), Err(Refusal::Full(2)));
        assert_eq!([queue.pop(), queue.pop()], [Some(1), Some(2)]);
    }

    #[test]
    fn closed_queue_ends_everybody() {
        let queue = WorkQueue::new(1);
        queue.push(1).expect("room");
        thread::scope(|scope| {
            let waiting = scope.spawn(|| queue.push_wait(2));
            queue.close();
            assert_eq!(waiting.join().expect("no panic"), Err(Refusal::Closed));
        });
        assert_eq!((queue.pop(), queue.push(3), queue.len()), (None, Err(Refusal::Closed), 0));
    }

    #[test]
    fn waiting_push_gets_the_room_that_a_pop_makes() {
        let queue = WorkQueue::new(1);
        queue.push(1).expect("room");
        thread::scope(|scope| {
            let waiting = scope.spawn(|| queue.push_wait(2));
            assert_eq!([queue.pop(), queue.pop()], [Some(1), Some(2)]);
            assert_eq!(waiting.join().expect("no panic"), Ok(()));
        });
    }
}
