//! Where connections go that are dropped while their job is paused (rules 11 and 13).

use std::cell::RefCell;
use std::future::poll_fn;
use std::mem::ManuallyDrop;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::Duration;

use tokio::time::{sleep, timeout};

use super::Local;
use crate::connection::{Job, Step, Want};
use crate::metrics::Counters;

/// The drain of one worker.
///
/// A connection that was given up has its I/O fail and its request cancelled, if it is our own; it is resumed by its
/// completions until its job has ended, and only then freed. What a source never completes stays allocated on purpose.
pub(crate) struct Drain {
    /// How long a source has to complete what was given up.
    patience: Duration,
    given: RefCell<Vec<Job>>,
    counters: Arc<Counters>,
}

impl Drain {
    pub(super) fn new(patience: Duration, counters: Arc<Counters>) -> Self {
        Self { patience, given: RefCell::default(), counters }
    }

    /// Takes a connection whose job is paused.
    pub(crate) fn take(&self, mut job: Job) {
        // It drops a closure of the user's and wakes a task of the user's: if that panics, the job is kept all the same.
        let _reported = catch_unwind(AssertUnwindSafe(|| job.abandon()));
        self.given.borrow_mut().push(job);
        if let Some(local) = Local::current() {
            local.wake();
        }
    }

    /// Whether nobody waits for its end.
    pub(super) fn is_empty(&self) -> bool {
        self.given.borrow().is_empty()
    }

    /// The connections that nobody ends yet.
    pub(super) fn given(&self) -> Vec<Job> {
        self.given.take()
    }

    /// Ends one connection, or gives up and leaks it.
    pub(super) fn end(&self, job: Job) -> impl Future<Output = ()> + 'static {
        let counters = Arc::clone(&self.counters);
        let patience = self.patience;
        // Dropped only at the end of its job: a source may still write to it, whatever happens to this future.
        let mut job = ManuallyDrop::new(job);
        async move {
            if timeout(patience, settle(&mut job)).await.is_ok() {
                drop(ManuallyDrop::into_inner(job));
                counters.drained.add(1);
            } else {
                job.give_up();
                counters.leaked.add(1);
            }
        }
    }
}

/// Resumes the job whenever it may go on, until it has ended: its I/O fails, and so does its call.
async fn settle(job: &mut Job) {
    while job.is_paused() {
        match job.settle() {
            Ok(Step::Wait(Want::Retry(delay))) => sleep(delay).await,
            Ok(Step::Wait(Want::Completion)) => {
                // A job that went on may have made another request meanwhile.
                job.signal().cancel_request();
                poll_fn(|context| job.signal().poll_completed(context)).await;
            }
            _ => {}
        }
    }
}
