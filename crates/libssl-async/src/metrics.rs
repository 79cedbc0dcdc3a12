//! Counters that are always on.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use libssl_async_sys::thin::AsyncStatus;

use crate::histogram::{Histogram, Times};

/// A snapshot of what the connections of a [`Workers`](crate::Workers) pool have done.
///
/// The fields above `in_flight` only grow; `in_flight`, `waiting` and `paused` are gauges.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Metrics {
    /// Handshakes that succeeded.
    pub handshakes: u64,
    /// Handshakes that failed or were given up.
    pub failed: u64,
    /// Handshakes that were refused, as too many were under way and waiting; they count nowhere else.
    pub refused: u64,
    /// Times that a job paused (`SSL_ERROR_WANT_ASYNC`).
    pub pauses: u64,
    /// Pauses whose status was `ASYNC_STATUS_OK`: the source has the request, and calls back.
    pub status_ok: u64,
    /// Pauses whose status was `ASYNC_STATUS_EAGAIN`: the source was busy.
    pub status_again: u64,
    /// Pauses whose status was `ASYNC_STATUS_ERR`: the source could not take the request.
    pub status_error: u64,
    /// Pauses whose status was `ASYNC_STATUS_UNSUPPORTED`: the source does not call back, or set no status.
    pub status_unsupported: u64,
    /// Times that a paused job was resumed.
    pub resumes: u64,
    /// Times that the asynchronous callback was called by a source.
    pub callbacks: u64,
    /// Completions that a descriptor of the source told, and not the callback.
    pub descriptors: u64,
    /// Jobs resumed to see whether their request is done: the source has no callback and no descriptor.
    pub looks: u64,
    /// Requests submitted again after `ASYNC_STATUS_EAGAIN`.
    pub again_retries: u64,
    /// Operations that waited for a free job (`SSL_ERROR_WANT_ASYNC_JOB`).
    pub job_waits: u64,
    /// Connections that were given up while paused and whose jobs ended since.
    pub drained: u64,
    /// Connections that were given up while paused on a source that never answered; left allocated on purpose (rule 13).
    pub leaked: u64,
    /// Handshakes that have begun and not ended.
    pub in_flight: u64,
    /// Those of them that wait for their turn: the pool runs as many as it may.
    pub waiting: u64,
    /// Jobs that are paused now.
    pub paused: u64,
    /// How long pauses took.
    pub pause_time: Histogram,
}

/// The live numbers behind [`Metrics`].
#[derive(Default)]
pub(crate) struct Counters {
    pub(crate) handshakes: Counter,
    pub(crate) failed: Counter,
    pub(crate) refused: Counter,
    pub(crate) waiting: Counter,
    pub(crate) pauses: Counter,
    status_ok: Counter,
    status_again: Counter,
    status_error: Counter,
    status_unsupported: Counter,
    pub(crate) resumes: Counter,
    pub(crate) callbacks: Counter,
    pub(crate) descriptors: Counter,
    pub(crate) looks: Counter,
    pub(crate) again_retries: Counter,
    pub(crate) job_waits: Counter,
    pub(crate) drained: Counter,
    pub(crate) leaked: Counter,
    pub(crate) in_flight: Counter,
    pub(crate) paused: Counter,
    pause_time: Times,
}

impl Counters {
    /// Counts the status of a pause; there is one whenever there is a job.
    pub(crate) fn paused_with(&self, status: Option<AsyncStatus>) {
        let counter = match status {
            Some(AsyncStatus::Again) => &self.status_again,
            Some(AsyncStatus::Error) => &self.status_error,
            Some(AsyncStatus::Ok) => &self.status_ok,
            _ => &self.status_unsupported,
        };
        counter.add(1);
    }

    /// Counts the end of a pause.
    pub(crate) fn resumed(&self, pause: Duration) {
        self.resumes.add(1);
        self.paused.subtract(1);
        self.pause_time.add(pause);
    }

    pub(crate) fn snapshot(&self) -> Metrics {
        Metrics {
            handshakes: self.handshakes.get(),
            failed: self.failed.get(),
            refused: self.refused.get(),
            waiting: self.waiting.get(),
            pauses: self.pauses.get(),
            status_ok: self.status_ok.get(),
            status_again: self.status_again.get(),
            status_error: self.status_error.get(),
            status_unsupported: self.status_unsupported.get(),
            resumes: self.resumes.get(),
            callbacks: self.callbacks.get(),
            descriptors: self.descriptors.get(),
            looks: self.looks.get(),
            again_retries: self.again_retries.get(),
            job_waits: self.job_waits.get(),
            drained: self.drained.get(),
            leaked: self.leaked.get(),
            in_flight: self.in_flight.get(),
            paused: self.paused.get(),
            pause_time: self.pause_time.snapshot(),
        }
    }
}

#[derive(Default)]
pub(crate) struct Counter(AtomicU64);

impl Counter {
    pub(crate) fn add(&self, count: u64) {
        self.0.fetch_add(count, Ordering::Relaxed);
    }

    pub(crate) fn subtract(&self, count: u64) {
        self.0.fetch_sub(count, Ordering::Relaxed);
    }

    pub(crate) fn get(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}
