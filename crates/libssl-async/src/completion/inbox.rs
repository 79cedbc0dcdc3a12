//! The inbox of a worker: completed operations and new tasks.

use std::mem;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::Waker;

use super::Signal;
use crate::sync::{Mutex, lock};

/// Something for the worker to start.
pub(crate) type Task = Box<dyn FnOnce() + Send>;

/// Filled by any thread, emptied by the worker; the worker is woken only when something comes into an empty inbox.
#[derive(Default)]
pub(crate) struct Inbox {
    state: Mutex<State>,
    /// Tasks that were sent here or run here, for those who choose a worker.
    load: AtomicUsize,
}

#[derive(Default)]
struct State {
    completed: Vec<Arc<Signal>>,
    tasks: Vec<Task>,
    /// No more tasks come: no handle is left, or the pool was shut down.
    closed: bool,
    /// What runs is to be dropped.
    stopped: bool,
    worker: Option<Waker>,
}

impl State {
    fn is_empty(&self) -> bool {
        self.completed.is_empty() && self.tasks.is_empty()
    }
}

impl Inbox {
    /// Tells the worker that the operation of `signal` has completed.
    pub(crate) fn complete(&self, signal: Arc<Signal>) {
        self.change(|state| state.completed.push(signal));
    }

    /// Gives the worker something to start.
    pub(crate) fn send(&self, task: Task) {
        self.begin();
        self.change(|state| state.tasks.push(task));
    }

    /// Counts a task of this worker, until [`Inbox::end`].
    pub(crate) fn begin(&self) {
        self.load.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn end(&self) {
        self.load.fetch_sub(1, Ordering::Relaxed);
    }

    pub(crate) fn load(&self) -> usize {
        self.load.load(Ordering::Relaxed)
    }

    /// Tells the worker that no more tasks will come.
    pub(crate) fn close(&self) {
        self.change(|state| state.closed = true);
    }

    /// Tells the worker to drop what it runs; tasks that come later are dropped, too.
    pub(crate) fn stop(&self) {
        self.change(|state| (state.closed, state.stopped) = (true, true));
    }

    fn change(&self, change: impl FnOnce(&mut State)) {
        let waker = {
            let mut state = lock(&self.state);
            let wake = state.is_empty();
            change(&mut state);
            if wake { state.worker.take() } else { None }
        };
        if let Some(waker) = waker {
            waker.wake();
        }
    }

    /// Wakes the task of every operation that has completed. Called on the worker's thread.
    pub(crate) fn deliver(&self) {
        let completed = {
            let mut state = lock(&self.state);
            if state.completed.is_empty() {
                return;
            }
            mem::take(&mut state.completed)
        };
        for signal in completed {
            signal.wake();
        }
    }

    /// Delivers what has completed and takes the tasks; registers `worker` to be woken by what comes later.
    ///
    /// Returns the tasks, whether the inbox is closed and empty, and whether it was stopped.
    pub(crate) fn take(&self, worker: &Waker) -> (Vec<Task>, bool, bool) {
        self.deliver();
        let mut state = lock(&self.state);
        // What completed since `deliver` must not wait for a wake-up that will not come: the inbox is not empty.
        if !state.completed.is_empty() {
            worker.wake_by_ref();
        }
        state.worker = Some(worker.clone());
        (mem::take(&mut state.tasks), state.closed && state.completed.is_empty(), state.stopped)
    }
}
