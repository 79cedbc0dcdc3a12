//! Who has something to do while jobs are paused: those who poll engines.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread::{self, Thread};

/// Jobs of this process that are paused.
static PAUSED: AtomicUsize = AtomicUsize::new(0);

/// The threads that wait for the first.
static WAITING: Mutex<Vec<Thread>> = Mutex::new(Vec::new());

/// Counts a job that paused.
pub(super) fn pause() {
    // Either this sees the thread that waits, or that sees the job.
    if PAUSED.fetch_add(1, Ordering::SeqCst) == 0 {
        wake();
    }
}

/// Counts a paused job that goes on.
pub(super) fn resume() {
    PAUSED.fetch_sub(1, Ordering::SeqCst);
}

/// Waits until a job is paused, or until the thread is unparked and it is enough.
pub(crate) fn wait(enough: impl Fn() -> bool) {
    waiting().push(thread::current());
    while PAUSED.load(Ordering::SeqCst) == 0 && !enough() {
        thread::park();
    }
    waiting().retain(|thread| thread.id() != thread::current().id());
}

/// Has those who wait look again.
fn wake() {
    waiting().iter().for_each(Thread::unpark);
}

fn waiting() -> MutexGuard<'static, Vec<Thread>> {
    WAITING.lock().unwrap_or_else(PoisonError::into_inner)
}
