//! How many handshakes run at once, and how many may wait.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::sync::{Semaphore, SemaphorePermit};

use crate::error::Error;
use crate::metrics::Counters;

/// The places for the handshakes of a pool, or of those who share [`Terms`](crate::Terms); those that wait are let in as
/// they came.
pub(crate) struct Admission {
    running: Semaphore,
    /// Places that are taken, by handshakes that run and that wait.
    taken: AtomicUsize,
    most: usize,
}

/// The places of one handshake, one for each limit that it has; given back when this is dropped.
pub(crate) struct Places {
    /// In this order they are waited for, so that nobody waits for one who waits for him.
    places: [Option<Place>; 2],
    counters: Arc<Counters>,
}

struct Place(Arc<Admission>);

impl Admission {
    pub(crate) fn new(running: usize, waiting: usize) -> Self {
        let running = running.clamp(1, Semaphore::MAX_PERMITS);
        Self { running: Semaphore::new(running), taken: AtomicUsize::new(0), most: running.saturating_add(waiting) }
    }

    fn take(self: &Arc<Self>) -> Result<Place, Error> {
        // Given back by its drop, also if it is one too many.
        let place = Place(Arc::clone(self));
        if self.taken.fetch_add(1, Ordering::Relaxed) < self.most { Ok(place) } else { Err(Error::TooManyHandshakes) }
    }
}

impl Places {
    /// Takes a place of each limit that there is; fails if one of them has none.
    pub(super) fn take(limits: [Option<&Arc<Admission>>; 2], counters: &Arc<Counters>) -> Result<Self, Error> {
        let take = |limit: Option<&Arc<Admission>>| limit.map(Admission::take).transpose();
        let [first, second] = limits;
        match take(first).and_then(|first| Ok([first, take(second)?])) {
            Ok(places) => Ok(Self { places, counters: Arc::clone(counters) }),
            Err(error) => {
                counters.refused.add(1);
                Err(error)
            }
        }
    }

    /// Waits for the turn of the handshake, which lasts as long as what this returns.
    pub(crate) async fn turn(&self) -> [Option<SemaphorePermit<'_>>; 2] {
        let [first, second] = &self.places;
        [self.permit(first).await, self.permit(second).await]
    }

    async fn permit<'a>(&'a self, place: &'a Option<Place>) -> Option<SemaphorePermit<'a>> {
        let running = &place.as_ref()?.0.running;
        if let Ok(permit) = running.try_acquire() {
            return Some(permit);
        }
        let _waiting = Waiting::new(&self.counters);
        running.acquire().await.ok()
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.0.taken.fetch_sub(1, Ordering::Relaxed);
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
