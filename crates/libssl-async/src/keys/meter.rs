//! What remote keys have done.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use super::KeyError;
use super::call::Outcome;
use crate::histogram::{Histogram, Times};
use crate::metrics::Counter;

/// Counts what a remote key is asked and how that ends, for
/// [`RemoteKeyBuilder::meter`](super::RemoteKeyBuilder::meter). All clones are one, and several keys may have it.
#[derive(Clone, Default)]
pub struct KeyMeter {
    counters: Arc<Counters>,
}

/// A snapshot of a [`KeyMeter`]. `in_flight` and `waiting` are gauges, the other fields only grow.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct KeyStats {
    /// Requests to sign or to decrypt.
    pub requests: u64,
    /// Those that were answered, in time and rightly.
    pub answered: u64,
    /// Those that failed: the signer did, or its answer was none.
    pub failed: u64,
    /// Those that nobody wanted any more: the connection went away.
    pub cancelled: u64,
    /// Those without an answer within the key's [`timeout`](super::RemoteKeyBuilder::timeout).
    pub timed_out: u64,
    /// Those that have not ended yet.
    pub in_flight: u64,
    /// Those of them that wait for their turn: the signer has as many as it may.
    pub waiting: u64,
    /// How long it took until they were answered, the time they waited included.
    pub time: Histogram,
}

#[derive(Default)]
struct Counters {
    requests: Counter,
    answered: Counter,
    failed: Counter,
    cancelled: Counter,
    timed_out: Counter,
    in_flight: Counter,
    waiting: Counter,
    time: Times,
}

impl KeyMeter {
    /// One that has counted nothing.
    pub fn new() -> Self {
        Self::default()
    }

    /// What was counted so far.
    pub fn stats(&self) -> KeyStats {
        let counters = &self.counters;
        KeyStats {
            requests: counters.requests.get(),
            answered: counters.answered.get(),
            failed: counters.failed.get(),
            cancelled: counters.cancelled.get(),
            timed_out: counters.timed_out.get(),
            in_flight: counters.in_flight.get(),
            waiting: counters.waiting.get(),
            time: counters.time.snapshot(),
        }
    }

    pub(super) fn begun(&self) {
        self.counters.requests.add(1);
        self.counters.in_flight.add(1);
        self.counters.waiting.add(1);
    }

    /// It waits no more, whether for its turn or at all.
    pub(super) fn left_queue(&self) {
        self.counters.waiting.subtract(1);
    }

    pub(super) fn ended(&self, outcome: &Outcome, time: Duration) {
        let counters = &self.counters;
        counters.in_flight.subtract(1);
        match outcome {
            Ok(_) => {
                counters.answered.add(1);
                counters.time.add(time);
            }
            Err(KeyError::Cancelled) => counters.cancelled.add(1),
            Err(KeyError::TimedOut) => counters.timed_out.add(1),
            Err(_) => counters.failed.add(1),
        }
    }
}

impl fmt::Debug for KeyMeter {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_tuple("KeyMeter").field(&self.stats()).finish()
    }
}
