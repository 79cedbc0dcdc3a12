//! What belongs to one worker thread.

use std::cell::{Cell, RefCell};
use std::marker::PhantomData;
use std::rc::Rc;
use std::sync::Arc;
use std::task::{Poll, Waker};

use openssl::error::ErrorStack;

use super::admission::{Admission, Places};
use super::drain::Drain;
use super::outbox::Outbox;
use crate::completion::Inbox;
use crate::error::Error;
use crate::job::ThreadJobs;
use crate::metrics::Counters;
use crate::process::Process;
use crate::terms::Terms;

thread_local! {
    static LOCAL: RefCell<Option<Rc<Local>>> = const { RefCell::new(None) };
}

/// The state of a worker that its connections share.
pub(crate) struct Local {
    pub(crate) jobs: ThreadJobs,
    pub(crate) drain: Drain,
    pub(crate) inbox: Arc<Inbox>,
    pub(crate) counters: Arc<Counters>,
    pub(crate) process: Process,
    admission: Option<Arc<Admission>>,
    outbox: Outbox,
    /// Tasks of this worker that have not ended; it does not stop before they have.
    tasks: Cell<usize>,
    /// No new tasks will come.
    closed: Cell<bool>,
    /// The pool was shut down.
    stopped: Cell<bool>,
    root: RefCell<Option<Waker>>,
    _this_thread: PhantomData<*const ()>,
}

impl Local {
    /// Makes the current thread a worker.
    pub(super) fn enter(
        max_jobs: Option<usize>,
        drain: Drain,
        inbox: Arc<Inbox>,
        counters: Arc<Counters>,
        admission: Option<Arc<Admission>>,
    ) -> Result<Rc<Self>, ErrorStack> {
        let local = Rc::new(Self {
            jobs: ThreadJobs::new(max_jobs)?,
            drain,
            inbox,
            counters,
            process: Process::current(),
            admission,
            outbox: Outbox::default(),
            tasks: Cell::new(0),
            closed: Cell::new(false),
            stopped: Cell::new(false),
            root: RefCell::default(),
            _this_thread: PhantomData,
        });
        LOCAL.set(Some(Rc::clone(&local)));
        crate::keys::forbid_blocking();
        Ok(local)
    }

    /// Ends what [`Local::enter`] began.
    pub(super) fn leave() {
        LOCAL.take();
    }

    /// Takes the places for a handshake of this worker's own.
    pub(crate) fn admit(&self, terms: &Terms) -> Result<Places, Error> {
        Places::take([terms.admission.as_ref(), self.admission.as_ref()], &self.counters)
    }

    /// The worker that the current thread is.
    pub(crate) fn current() -> Option<Rc<Self>> {
        LOCAL.with_borrow(Option::clone)
    }

    /// Runs a future on this worker, which does not stop before it has ended.
    pub(crate) fn spawn(self: &Rc<Self>, future: impl Future<Output = ()> + 'static) {
        let running = Running::new(self);
        tokio::task::spawn_local(async move {
            let _running = running;
            future.await;
        });
    }

    /// Has `delivery`, which gives a result to another thread, called soon.
    pub(crate) fn give_out(&self, delivery: impl FnOnce() + 'static) {
        self.outbox.put(delivery);
    }

    /// Passes on what has come and what was made meanwhile: between the steps of connections, as others have waited
    /// longer.
    pub(crate) fn pass_on(&self) {
        self.inbox.deliver();
        self.outbox.give_out_late();
    }

    /// Called when the thread has nothing to do.
    pub(super) fn before_park(&self) {
        self.outbox.give_out();
    }

    /// The root future of the worker: delivers completions, gives out results, starts tasks, and ends when nothing is
    /// left to do.
    pub(super) async fn run(self: Rc<Self>) {
        std::future::poll_fn(|context| {
            self.root.replace(Some(context.waker().clone()));
            let (mut tasks, closed, stopped) = self.inbox.take(context.waker());
            self.closed.set(closed);
            self.outbox.give_out();
            if stopped {
                tasks.clear();
                // What runs is dropped by the worker, which then comes here again, for the drain.
                if !self.stopped.replace(true) {
                    return Poll::Ready(());
                }
            }
            let idle = tasks.is_empty();
            for task in tasks {
                task();
                self.inbox.end();
            }
            for job in self.drain.given() {
                self.spawn(Drain::end(&self, job));
            }
            if closed && idle && self.tasks.get() == 0 { Poll::Ready(()) } else { Poll::Pending }
        })
        .await;
    }

    /// Has the root future look again.
    pub(super) fn wake(&self) {
        if let Some(root) = &*self.root.borrow() {
            root.wake_by_ref();
        }
    }
}

/// Counts a task for as long as it lives.
struct Running(Rc<Local>);

impl Running {
    fn new(local: &Rc<Local>) -> Self {
        local.tasks.set(local.tasks.get() + 1);
        local.inbox.begin();
        Self(Rc::clone(local))
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.0.tasks.set(self.0.tasks.get() - 1);
        self.0.inbox.end();
        if self.0.closed.get() {
            self.0.wake();
        }
    }
}
