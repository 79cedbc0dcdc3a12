//! The two tasks that may wait for one stream.

use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Wake, Waker};

/// The tasks that wait for a stream: whatever wakes one may be what the other can go on with.
///
/// A transport keeps one waker for each direction, and either half may have to wait for both: so both wait with the
/// same waker, which wakes both.
#[derive(Default)]
pub(super) struct Halves {
    pub(super) reader: Half,
    pub(super) writer: Half,
}

#[derive(Default)]
pub(super) struct Half(Mutex<Option<Waker>>);

impl Half {
    pub(super) fn register(&self, context: &Context<'_>) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(context.waker().clone());
    }

    pub(super) fn wake(&self) {
        let waker = self.0.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(waker) = waker {
            waker.wake();
        }
    }
}

impl Wake for Halves {
    fn wake(self: Arc<Self>) {
        self.reader.wake();
        self.writer.wake();
    }
}
