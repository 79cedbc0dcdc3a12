//! The rules of libssl's fibres: their stacks, the pool of a thread, and which connection drives one.

mod driving;
#[cfg(all(engine, unix))]
mod paused;
mod stack;
mod thread;

pub(crate) use driving::{block_for, blocked, drive, driver, resumes};
#[cfg(all(engine, unix))]
pub(crate) use paused::wait as wait_for_pauses;
pub(crate) use thread::{ThreadJobs, Waiting};

use std::sync::OnceLock;

use libssl_async_sys as ffi;

use crate::exit;

/// Prepares libcrypto for jobs, once a process: no clean-up at exit, or none under its threads (rule 29), stacks with guard pages (rule 18).
///
/// Called before the first worker is started; a program that wants other initialisation of OpenSSL does it before.
pub(crate) fn initialise() {
    static DONE: OnceLock<()> = OnceLock::new();
    DONE.get_or_init(|| {
        // With `OPENSSL_INIT_NO_ATEXIT`.
        openssl::init();
        // After whoever has initialised OpenSSL with it.
        exit::stop_threads();
        stack::install();
    });
}

/// Whether this platform's libcrypto can pause jobs; where it cannot, handshakes with remote keys block a thread.
///
/// Corresponds to `ASYNC_is_capable`.
pub fn is_capable() -> bool {
    // SAFETY: takes no arguments and only asks the platform.
    unsafe { ffi::ASYNC_is_capable() == 1 }
}
