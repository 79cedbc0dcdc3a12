//! The worker pool of the process, which all environments share.

use std::env;
use std::sync::OnceLock;
use std::time::Duration;

use libssl_async::Workers;

/// How the pool is to be.
#[derive(Clone, Copy, Default)]
pub(crate) struct Settings {
    pub(crate) threads: Option<u32>,
    /// How much lower than that of the process the priority of the threads is.
    pub(crate) nice: Option<u32>,
    /// How long third-party sources have for what was given up.
    pub(crate) drain_timeout: Option<Duration>,
}

/// By default. The event loop, which may have to share a core with a worker, is what others wait for.
const NICE: u32 = 10;

static WORKERS: OnceLock<Workers> = OnceLock::new();

/// The pool, started on first use with `LIBSSL_ASYNC_THREADS` threads, lower by `LIBSSL_ASYNC_NICE`, or the defaults.
pub(crate) fn workers() -> &'static Workers {
    WORKERS.get_or_init(|| start(Settings::default()).expect("the system gives threads to a process that starts"))
}

/// The pool, if it has been used.
pub(crate) fn started() -> Option<&'static Workers> {
    WORKERS.get()
}

/// Starts the pool; `false` if it has been started.
pub(crate) fn configure(settings: Settings) -> std::io::Result<bool> {
    if WORKERS.get().is_some() {
        return Ok(false);
    }
    Ok(WORKERS.set(start(settings)?).is_ok())
}

fn start(settings: Settings) -> std::io::Result<Workers> {
    let mut builder = Workers::builder();
    if let Some(threads) = settings.threads.or_else(|| number("LIBSSL_ASYNC_THREADS")) {
        builder = builder.threads(threads as usize);
    }
    if let Some(timeout) = settings.drain_timeout {
        builder = builder.drain_timeout(timeout);
    }
    let nice = settings.nice.or_else(|| number("LIBSSL_ASYNC_NICE")).unwrap_or(NICE);
    builder.on_thread_start(move || lower_priority(nice)).build()
}

fn number(variable: &str) -> Option<u32> {
    env::var(variable).ok()?.parse().ok()
}

/// Where a thread has a priority of its own, that of the process is left as it is.
fn lower_priority(nice: u32) {
    #[cfg(target_os = "linux")]
    // SAFETY: it changes nothing but the priority of this thread.
    unsafe {
        libc::nice(nice.min(19) as libc::c_int);
    }
    #[cfg(not(target_os = "linux"))]
    let _ = nice;
}
