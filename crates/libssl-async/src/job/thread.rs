//! The job pool of a thread, and the queue of those who wait for a job.

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::marker::PhantomData;
use std::rc::Rc;
use std::task::{Context, Poll, Waker};

use libssl_async_sys as ffi;
use openssl::error::ErrorStack;

#[cfg(all(engine, unix))]
use super::paused;

/// The job pool of the current thread, which lives as long as this value (rule 17).
///
/// Not `Send`: jobs belong to the thread that started them (rule 1).
pub(crate) struct ThreadJobs {
    can_pause: bool,
    /// Jobs of this thread that are paused.
    paused: Cell<usize>,
    /// First come, first served (rule 16).
    queue: RefCell<VecDeque<Rc<Place>>>,
    _this_thread: PhantomData<*const ()>,
}

/// The place of one connection in the queue.
struct Place {
    waker: RefCell<Option<Waker>>,
    called: Cell<bool>,
}

impl ThreadJobs {
    /// Begins the pool of this thread, with at most `max` jobs at once, 0 for no limit; none at all for `None`.
    ///
    /// Corresponds to `ASYNC_init_thread`.
    pub(crate) fn new(max: Option<usize>) -> Result<Self, ErrorStack> {
        // SAFETY: this thread has no pool yet: workers are the only callers, once a thread (rule 17).
        if max.is_some_and(|max| unsafe { ffi::ASYNC_init_thread(max, 0) } != 1) {
            return Err(ErrorStack::get());
        }
        Ok(Self {
            can_pause: max.is_some(),
            paused: Cell::new(0),
            queue: RefCell::default(),
            _this_thread: PhantomData,
        })
    }

    /// Whether connections of this thread run in jobs.
    pub(crate) fn can_pause(&self) -> bool {
        self.can_pause
    }

    /// Whether some job of this thread is paused, so that its end will free a job.
    pub(crate) fn any_paused(&self) -> bool {
        self.paused.get() > 0
    }

    /// Counts a job that paused.
    pub(crate) fn pause(&self) {
        self.paused.set(self.paused.get() + 1);
        #[cfg(all(engine, unix))]
        paused::pause();
    }

    /// Counts a paused job that goes on.
    pub(crate) fn resume(&self) {
        self.paused.set(self.paused.get() - 1);
        #[cfg(all(engine, unix))]
        paused::resume();
    }

    /// Calls the first of the queue: a job has ended, so there is a free one.
    pub(crate) fn job_ended(&self) {
        let first = self.queue.borrow_mut().pop_front();
        if let Some(first) = first {
            first.called.set(true);
            if let Some(waker) = first.waker.take() {
                waker.wake();
            }
        }
    }
}

impl Drop for ThreadJobs {
    fn drop(&mut self) {
        if self.can_pause {
            // SAFETY: the thread that made the pool ends it (the type is not `Send`), with no job of its own running.
            // Jobs that are left paused on purpose (rule 13) are in no pool and stay as they are.
            unsafe { ffi::ASYNC_cleanup_thread() }
        }
    }
}

/// A connection's wait for a free job.
#[derive(Default)]
pub(crate) struct Waiting {
    place: Option<Rc<Place>>,
    /// The connection was called and tries; if it finds no job after all, it is the first again.
    is_first: bool,
}

impl Waiting {
    /// Waits until the connection is called, at the end of the queue if it is not in it yet.
    pub(crate) fn poll(&mut self, jobs: &ThreadJobs, context: &mut Context<'_>) -> Poll<()> {
        let is_first = std::mem::take(&mut self.is_first);
        let place = self.place.get_or_insert_with(|| {
            let place = Rc::new(Place { waker: RefCell::default(), called: Cell::new(false) });
            let mut queue = jobs.queue.borrow_mut();
            if is_first {
                queue.push_front(Rc::clone(&place));
            } else {
                queue.push_back(Rc::clone(&place));
            }
            place
        });
        if place.called.get() {
            return Poll::Ready(());
        }
        place.waker.replace(Some(context.waker().clone()));
        Poll::Pending
    }

    /// Whether the connection may try to start a job: nobody waits, or it was called, which it is then no more.
    pub(crate) fn take_turn(&mut self, jobs: &ThreadJobs) -> bool {
        match &self.place {
            None => {
                self.is_first = false;
                jobs.queue.borrow().is_empty()
            }
            Some(place) if place.called.get() => {
                self.place = None;
                self.is_first = true;
                true
            }
            Some(_) => false,
        }
    }

    /// Leaves the queue; a call that was not followed passes to the next.
    pub(crate) fn leave(&mut self, jobs: &ThreadJobs) {
        let Some(place) = self.place.take() else { return };
        if place.called.get() {
            jobs.job_ended();
        } else {
            jobs.queue.borrow_mut().retain(|other| !Rc::ptr_eq(other, &place));
        }
    }
}
