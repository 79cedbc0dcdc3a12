//! How many handshakes a pool runs at once, and how many may wait.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::sync::{Semaphore, SemaphorePermit};

use crate::error::Error;
use crate::metrics::Counters;

/// The places for the handshakes of a pool; those that wait are let in as they came.
pub(crate) struct Admission {
    running: Semaphore,
    /// Places that are taken, by handshakes that run and that wait.
    taken: AtomicUsize,
    most: usize,
    counters: Arc<Counters>,
}

/// The place of one handshake, given back when it is dropped.
pub(crate) struct Place(Option<Arc<Admission>>);

impl Admission {
    pub(super) fn new(running: usize, waiting: usize, counters: Arc<Counters>) -> Self {
        let running = running.clamp(1, Semaphore::MAX_PERMITS);
        let most = running.saturating_add(waiting);
        Self { running: Semaphore::new(running), taken: AtomicUsize::new(0), most, counters }
    }

    /// Takes a place; fails if there is none. Without limits there always is.
    pub(super) fn take(this: Option<&Arc<Self>>) -> Result<Place, Error> {
        if let Some(admission) = this
            && admission.taken.fetch_add(1, Ordering::Relaxed) >= admission.most
        {
            admission.taken.fetch_sub(1, Ordering::Relaxed);
            admission.counters.refused.add(1);
            return Err(Error::TooManyHandshakes);
        }
        Ok(Place(this.cloned()))
    }
}

impl Place {
    /// Waits for the turn of the handshake, which lasts as long as what this returns.
    pub(crate) async fn turn(&self) -> Option<SemaphorePermit<'_>> {
        let admission = self.0.as_ref()?;
        if let Ok(permit) = admission.running.try_acquire() {
            return Some(permit);
        }
        let _waiting = Waiting::new(&admission.counters);
        admission.running.acquire().await.ok()
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        if let Some(admission) = &self.0 {
            admission.taken.fetch_sub(1, Ordering::Relaxed);
        }
    }
}

/// Counts a handshake that waits.
struct Waiting<'a>(&'a Counters);

impl<'a> Waiting<'a> {
    fn new(counters: &'a Counters) -> Self {
        counters.waiting.add(1);
        Self(counters)
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.waiting.subtract(1);
    }
}
