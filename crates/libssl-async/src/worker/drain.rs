//! Where connections go that are dropped while their job is paused (rules 11 and 13).

use std::cell::RefCell;
use std::future::poll_fn;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use tokio::time::{sleep, timeout};

use super::Local;
use crate::connection::{Job, Step, Want};
use crate::kept::keep;
use crate::trace::event;

/// The drain of one worker.
///
/// A connection that was given up has its I/O fail and its request cancelled, if it is our own; it is resumed by its
/// completions until its job has ended, and only then freed. What a source never completes stays allocated on purpose.
pub(crate) struct Drain {
    /// How long a source has to complete what was given up.
    patience: Duration,
    given: RefCell<Vec<Job>>,
}

impl Drain {
    pub(super) fn new(patience: Duration) -> Self {
        Self { patience, given: RefCell::default() }
    }

    /// Takes a connection whose job is paused.
    pub(crate) fn take(&self, mut job: Job) {
        job.signal().tally().begin();
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

    /// Ends one connection, or gives up and leaks it. Dropped before, it gives the connection back.
    pub(super) fn end(local: &Rc<Local>, job: Job) -> impl Future<Output = ()> + 'static {
        let mut ending = Ending { local: Rc::clone(local), job: Some(job) };
        async move {
            let job = ending.job.as_mut().expect("taken at the end");
            let id = job.signal().id();
            let settled = timeout(ending.local.drain.patience, settle(job)).await.is_ok();
            let mut job = ending.job.take().expect("taken here");
            let (counters, tally) = (&ending.local.counters, Arc::clone(job.signal().tally()));
            if settled {
                drop(job);
                counters.drained.add(1);
                tally.drained();
                event!(debug, connection = id.get(), "drained");
            } else {
                job.give_up();
                // On purpose: the source may still write to it (rule 13).
                keep(Box::leak(Box::new(job)));
                counters.leaked.add(1);
                tally.leaked();
                event!(warn, connection = id.get(), "left allocated: its source has never completed its operation");
            }
        }
    }
}

/// A connection on its way out, which is never freed before its job has ended.
struct Ending {
    local: Rc<Local>,
    job: Option<Job>,
}

impl Drop for Ending {
    fn drop(&mut self) {
        if let Some(job) = self.job.take() {
            self.local.drain.given.borrow_mut().push(job);
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
                poll_fn(|context| job.poll_completed(context)).await;
            }
            _ => {}
        }
    }
}
