//! The end of the process, at which libcrypto may be cleaned up while threads use it (rule 29): who initialised it first decides,
//! and Node has.

use std::cell::Cell;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use crate::process::Process;

/// How long the end of the process waits for threads that are inside; a token may never answer.
const PATIENCE: Duration = Duration::from_millis(500);
const LOOK: Duration = Duration::from_micros(100);

/// Threads that may use OpenSSL now.
static INSIDE: AtomicUsize = AtomicUsize::new(0);
static ENDED: AtomicBool = AtomicBool::new(false);
/// The process whose threads they are.
static PROCESS: OnceLock<Process> = OnceLock::new();

thread_local! {
    /// How often this thread is inside.
    static DEPTH: Cell<usize> = const { Cell::new(0) };
}

/// Has `exit` stop the threads of this crate before what was registered earlier, such as the clean-up of libcrypto. Corresponds to
/// `atexit(3)`.
pub(crate) fn stop_threads() {
    PROCESS.get_or_init(|| {
        // SAFETY: the function may be called at exit, and does not unwind. If there is no place for it, nothing is worse than before.
        unsafe { libc::atexit(stop) };
        Process::current()
    });
}

extern "C" fn stop() {
    // A forked child has none of the threads.
    if !PROCESS.get().is_some_and(|process| process.is_current()) {
        return;
    }
    ENDED.store(true, Ordering::SeqCst);
    let own = DEPTH.try_with(Cell::get).unwrap_or(0);
    let deadline = Instant::now() + PATIENCE;
    while INSIDE.load(Ordering::SeqCst) > own && Instant::now() < deadline {
        thread::sleep(LOOK);
    }
}

/// Runs what uses OpenSSL on a thread of this crate. Once the process ends, it does not return.
pub(crate) fn inside<T>(action: impl FnOnce() -> T) -> T {
    struct Leave;
    impl Drop for Leave {
        fn drop(&mut self) {
            leave();
        }
    }
    enter();
    let _leave = Leave;
    action()
}

/// Begins what [`leave`] ends: this thread may use OpenSSL. Once the process ends, it does not return.
pub(crate) fn enter() {
    INSIDE.fetch_add(1, Ordering::SeqCst);
    DEPTH.set(DEPTH.get() + 1);
    if ENDED.load(Ordering::SeqCst) {
        leave();
        loop {
            thread::park();
        }
    }
}

pub(crate) fn leave() {
    DEPTH.set(DEPTH.get() - 1);
    INSIDE.fetch_sub(1, Ordering::SeqCst);
}
