//! Who waits for an outcome: the job of a connection, or a thread.

use std::ffi::{c_int, c_void};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::ptr;
use std::sync::Arc;

use libssl_async_sys as sys;
use tokio::runtime::Handle;

use super::blocking::{WouldBlock, block};
use super::operation::{Notify, Operation};
use crate::completion::{ConnectionId, Request, Signal};
use crate::error::Error;
use crate::job;

/// One request to a source, which cancelling completes.
pub(crate) trait Source: Request + 'static {
    type Outcome;

    fn operation(&self) -> &Operation<Self::Outcome>;

    /// Completes it as failed, as whoever was to begin it has panicked.
    fn panicked(&self);
}

/// Who is to wait.
pub(crate) enum Waiter {
    /// The job that this connection drives on this thread.
    Job(Arc<Signal>),
    /// This thread, for this connection if it is one of ours where jobs cannot pause.
    Thread(Option<Arc<Signal>>),
}

impl Waiter {
    /// Who waits if the current thread asks. In a job that we do not drive, nobody would keep the rules: it is never
    /// paused (rule 36).
    pub(crate) fn current() -> Self {
        match job::driver() {
            Some(signal) => Self::Job(signal),
            None => Self::Thread(job::blocked()),
        }
    }

    /// The connection that asks.
    pub(crate) fn connection(&self) -> Option<ConnectionId> {
        self.signal().map(|signal| signal.id())
    }

    /// Makes a request, hands it on, and waits for its outcome, which comes from `runtime` if there is one.
    pub(crate) fn wait<S: Source>(
        &self,
        runtime: Option<&Handle>,
        make: impl FnOnce(Option<Notify>) -> Arc<S>,
        submit: impl FnOnce(&Arc<S>),
    ) -> Result<S::Outcome, WouldBlock> {
        match self {
            Self::Job(signal) => {
                let request = make(Some(submit_status().ok_or(WouldBlock)?));
                Ok(pause(signal, request, submit))
            }
            Self::Thread(signal) => block(runtime, || {
                let request = make(None);
                if let Some(signal) = signal {
                    signal.begin_request(Arc::clone(&request) as _);
                }
                submit_or_fail(&request, submit);
                let outcome = request.operation().wait();
                if let Some(signal) = signal {
                    signal.end_request();
                }
                outcome
            }),
        }
    }

    /// Keeps why a request failed, for the error of the operation that it fails.
    pub(crate) fn set_failure(&self, failure: impl FnOnce() -> Error) {
        if let Some(signal) = self.signal() {
            signal.set_failure(failure());
        }
    }

    fn signal(&self) -> Option<&Arc<Signal>> {
        match self {
            Self::Job(signal) => Some(signal),
            Self::Thread(signal) => signal.as_ref(),
        }
    }
}

/// Pauses the job that the connection of `signal` drives, until the request is complete.
fn pause<S: Source>(signal: &Signal, request: Arc<S>, submit: impl FnOnce(&Arc<S>)) -> S::Outcome {
    signal.begin_request(Arc::clone(&request) as _);
    submit_or_fail(&request, submit);
    let (outcome, paused) = request.operation().wait_in_job(pause_job);
    signal.end_request();
    if !paused {
        signal.take_permit();
    }
    outcome
}

/// Hands a request on. Whatever happens, whoever waits does not end before the request, which knows the connection's
/// callback; and a panic does not run into OpenSSL.
fn submit_or_fail<S: Source>(request: &Arc<S>, submit: impl FnOnce(&Arc<S>)) {
    if catch_unwind(AssertUnwindSafe(|| submit(request))).is_err() {
        request.panicked();
    }
}

/// Sets the status of the current job's wait context, as a source does that takes a request, and tells its callback.
fn submit_status() -> Option<Notify> {
    let mut callback = None;
    let mut argument: *mut c_void = ptr::null_mut();
    // SAFETY: there is a current job, as its driver was found, and it has a wait context. The callback reads the
    // status, so the status comes first.
    unsafe {
        let context = sys::ASYNC_get_wait_ctx(sys::ASYNC_get_current_job());
        if sys::ASYNC_WAIT_CTX_get_callback(context, &mut callback, &mut argument) != 1 {
            return None;
        }
        sys::ASYNC_WAIT_CTX_set_status(context, sys::ASYNC_STATUS_OK);
    }
    let callback: unsafe extern "C" fn(*mut c_void) -> c_int = callback?;
    // SAFETY: the callback is libssl's, whose argument, the SSL, lives while the job is not over, and so until the wait
    // on its fibre has returned (rules 11 and 12). It may be called from any thread (rule 6).
    Some(unsafe { Notify::new(callback, argument) })
}

/// Pauses the current job. Returns whether it did, and not at once because pausing is blocked (rule 33).
fn pause_job() -> bool {
    let before = job::resumes();
    // SAFETY: called on a fibre that our connection drives, so that only a completion resumes it, on this thread
    // (rules 1, 7 and 36).
    unsafe { sys::ASYNC_pause_job() };
    job::resumes() != before
}
