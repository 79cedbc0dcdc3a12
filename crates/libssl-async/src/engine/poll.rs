//! Polling of engines that collect what is done only when they are told to.

use std::ffi::c_int;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use super::EngineError;
use super::command::Command;
use super::handle::Handle;
use crate::exit;
use crate::job::wait_for_pauses;

/// A thread that polls an engine while any job of this process is paused.
///
/// It outlives this value as long as requests are under way, if the engine tells: nobody else would complete them.
pub(super) struct Poller {
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
}

struct Shared {
    handle: Arc<Handle>,
    poll: Command,
    interval: Duration,
    polls: AtomicU64,
    closed: AtomicBool,
}

impl Poller {
    pub(super) fn start(handle: Arc<Handle>, interval: Duration) -> Result<Self, EngineError> {
        let poll = handle.find("POLL")?;
        let shared =
            Arc::new(Shared { handle, poll, interval, polls: AtomicU64::new(0), closed: AtomicBool::new(false) });
        let polling = Arc::clone(&shared);
        let spawned = thread::Builder::new().name("libssl-async-poll".to_owned()).spawn(move || polling.run());
        let thread = spawned.map_err(|error| EngineError::Thread(Arc::new(error)))?;
        Ok(Self { shared, thread: Some(thread) })
    }

    pub(super) fn polls(&self) -> u64 {
        self.shared.polls.load(Ordering::Relaxed)
    }
}

impl Drop for Poller {
    fn drop(&mut self) {
        self.shared.closed.store(true, Ordering::SeqCst);
        let Some(thread) = self.thread.take() else { return };
        thread.thread().unpark();
        if !self.shared.is_needed() {
            // A panic has been reported.
            drop(thread.join());
        }
    }
}

impl Shared {
    fn run(&self) {
        let closed = || self.closed.load(Ordering::SeqCst);
        while !closed() || self.is_needed() {
            wait_for_pauses(closed);
            let mut status: c_int = 0;
            // SAFETY: `POLL` takes the address of a number for its result, or nothing.
            let polled = exit::inside(|| unsafe { self.handle.send(&self.poll, 0, (&raw mut status).cast()) });
            // A poll that failed is as good as one that found nothing: the next one tries again.
            drop(polled);
            self.polls.fetch_add(1, Ordering::Relaxed);
            thread::park_timeout(self.interval);
        }
    }

    /// Whether requests are under way.
    fn is_needed(&self) -> bool {
        self.handle.in_flight().is_some_and(|requests| requests > 0)
    }
}
