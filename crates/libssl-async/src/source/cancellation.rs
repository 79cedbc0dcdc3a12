//! How a signer learns that its answer is not wanted any more.

use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::pin;
use std::sync::Arc;

use tokio::sync::Notify;

use crate::sync::{Mutex, lock};

/// Tells when an answer is not wanted any more: the connection went away or was aborted, or the request timed out.
///
/// It does not happen after the answer. Cheap to clone, and may outlive the request.
#[derive(Clone)]
pub struct Cancellation {
    shared: Arc<Shared>,
}

struct Shared {
    state: Mutex<State>,
    notify: Notify,
}

enum State {
    Live(Vec<Callback>),
    Cancelled,
}

type Callback = Box<dyn FnOnce() + Send>;

impl Cancellation {
    pub(crate) fn new() -> Self {
        let shared = Shared { state: Mutex::new(State::Live(Vec::new())), notify: Notify::new() };
        Self { shared: Arc::new(shared) }
    }

    /// Whether it has happened.
    pub fn is_cancelled(&self) -> bool {
        matches!(*lock(&self.shared.state), State::Cancelled)
    }

    /// Waits until it happens; for ever if it does not.
    pub async fn cancelled(&self) {
        let mut notified = pin!(self.shared.notify.notified());
        notified.as_mut().enable();
        if !self.is_cancelled() {
            notified.await;
        }
    }

    /// Calls `callback` when it happens, on the thread that cancels; at once if it has happened.
    ///
    /// The thread may be one that serves connections, so `callback` is to be short and not to block. A panic in it ends
    /// there.
    pub fn on_cancel(&self, callback: impl FnOnce() + Send + 'static) {
        if let State::Live(callbacks) = &mut *lock(&self.shared.state) {
            return callbacks.push(Box::new(callback));
        }
        callback();
    }

    pub(crate) fn cancel(&self) {
        let state = std::mem::replace(&mut *lock(&self.shared.state), State::Cancelled);
        self.shared.notify.notify_waiters();
        if let State::Live(callbacks) = state {
            for callback in callbacks {
                // A panic has been reported by the panic hook; it ends here, and the other callbacks are called.
                let _ = catch_unwind(AssertUnwindSafe(callback));
            }
        }
    }
}

impl fmt::Debug for Cancellation {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_tuple("Cancellation").field(&self.is_cancelled()).finish()
    }
}
