//! The part of a connection that other threads see.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI32, Ordering};
use std::task::{Context, Poll, Waker};
use std::time::Instant;

use libssl_async_sys::thin::AsyncStatus;

use super::{Callback, ConnectionId, Inbox};
use crate::error::Error;
use crate::metrics::Counters;
use crate::sync::{Mutex, lock};
use crate::terms::{Tally, Terms};

/// A request of one of our own sources, for which a job is paused.
pub(crate) trait Request: Send + Sync {
    /// Completes the request as failed if it has not completed yet; its late answer is dropped.
    fn cancel(&self);
}

/// Shared by a connection, its callback's trampoline, and whoever waits for it.
pub(crate) struct Signal {
    id: ConnectionId,
    inbox: Arc<Inbox>,
    counters: Arc<Counters>,
    tally: Arc<Tally>,
    permit: Mutex<Permit>,
    callback: Mutex<Option<Callback>>,
    request: Mutex<Pending>,
    failure: Mutex<Option<Error>>,
    /// The last status that libssl told, or [`NO_STATUS`].
    status: AtomicI32,
    called_back: AtomicBool,
}

/// The stored completion (rule 5), and the task that waits for it.
#[derive(Default)]
struct Permit {
    completed: bool,
    waker: Option<Waker>,
}

/// The request of one of our own sources.
#[derive(Default)]
struct Pending {
    request: Option<Arc<dyn Request>>,
    /// Nobody waits for the connection any more: requests to come are cancelled as soon as they are made.
    given_up: bool,
}

const NO_STATUS: i32 = -1;

impl Signal {
    pub(crate) fn new(inbox: Arc<Inbox>, counters: Arc<Counters>, terms: &Terms) -> Arc<Self> {
        Arc::new(Self {
            id: ConnectionId::next(),
            inbox,
            counters,
            tally: Arc::clone(&terms.tally),
            permit: Mutex::default(),
            callback: Mutex::new(terms.callback.clone()),
            request: Mutex::default(),
            failure: Mutex::default(),
            status: AtomicI32::new(NO_STATUS),
            called_back: AtomicBool::new(false),
        })
    }

    pub(crate) fn id(&self) -> ConnectionId {
        self.id
    }

    pub(crate) fn counters(&self) -> &Arc<Counters> {
        &self.counters
    }

    /// The tally of the handshakes that this is one of.
    pub(crate) fn tally(&self) -> &Arc<Tally> {
        &self.tally
    }

    /// Stores the permit and tells the worker. The last thing a completing thread does with a connection.
    pub(crate) fn complete(this: &Arc<Self>) {
        lock(&this.permit).completed = true;
        this.inbox.complete(Arc::clone(this));
    }

    /// Stores the permit of a completion that the connection learned itself, on its own thread.
    pub(crate) fn store_permit(&self) {
        lock(&self.permit).completed = true;
    }

    /// Takes the permit, if the operation has completed.
    pub(crate) fn take_permit(&self) -> bool {
        std::mem::take(&mut lock(&self.permit).completed)
    }

    /// Waits for the permit without taking it.
    pub(crate) fn poll_completed(&self, context: &mut Context<'_>) -> Poll<()> {
        let mut permit = lock(&self.permit);
        if permit.completed {
            return Poll::Ready(());
        }
        match &mut permit.waker {
            Some(waker) => waker.clone_from(context.waker()),
            none => *none = Some(context.waker().clone()),
        }
        Poll::Pending
    }

    /// Wakes the task that waits for the permit.
    pub(crate) fn wake(&self) {
        let waker = lock(&self.permit).waker.take();
        if let Some(waker) = waker {
            waker.wake();
        }
    }

    pub(crate) fn callback(&self) -> Option<Callback> {
        lock(&self.callback).clone()
    }

    /// Replaces the user's callback; one that is running goes on until it returns.
    pub(crate) fn set_callback(&self, callback: Option<Callback>) {
        // Dropped outside the lock: the old closure's captures are the user's code.
        let _old = std::mem::replace(&mut *lock(&self.callback), callback);
    }

    /// Registers the request for which the current job is about to pause, or the thread to block.
    pub(crate) fn begin_request(&self, request: Arc<dyn Request>) {
        let given_up = {
            let mut pending = lock(&self.request);
            pending.request = Some(Arc::clone(&request));
            pending.given_up
        };
        if given_up {
            request.cancel();
        }
    }

    /// Cancels the request, and all that come later.
    pub(crate) fn give_up(&self) {
        lock(&self.request).given_up = true;
        self.cancel_request();
    }

    /// Forgets the request: its job goes on.
    pub(crate) fn end_request(&self) {
        let _ended = lock(&self.request).request.take();
    }

    /// Cancels the request that the connection's job is paused for, if it is one of our own sources'.
    ///
    /// Returns whether there was one. The cancellation is a completion, and so resumes the job (rule 7).
    pub(crate) fn cancel_request(&self) -> bool {
        let request = lock(&self.request).request.clone();
        match request {
            Some(request) => {
                request.cancel();
                true
            }
            None => false,
        }
    }

    /// Keeps why a request failed, for the error of the operation that it fails.
    pub(crate) fn set_failure(&self, failure: Error) {
        *lock(&self.failure) = Some(failure);
    }

    pub(crate) fn take_failure(&self) -> Option<Error> {
        lock(&self.failure).take()
    }

    pub(crate) fn status(&self) -> Option<AsyncStatus> {
        AsyncStatus::from_raw(self.status.load(Ordering::Relaxed))
    }

    pub(crate) fn set_status(&self, status: Option<AsyncStatus>) {
        let raw = status.map_or(NO_STATUS, AsyncStatus::as_raw);
        self.status.store(raw, Ordering::Relaxed);
    }

    /// Whether a source of this connection has ever called back.
    pub(crate) fn was_called_back(&self) -> bool {
        self.called_back.load(Ordering::Relaxed)
    }

    pub(super) fn count_callback(&self, status: Option<AsyncStatus>) {
        self.set_status(status);
        self.called_back.store(true, Ordering::Relaxed);
        self.counters.callbacks.add(1);
    }

    pub(crate) fn count_resume(&self, paused_at: Instant) {
        self.counters.resumed(paused_at.elapsed());
    }
}
