//! The worker pool of the process, which all environments share.

use std::env;
use std::sync::OnceLock;

use libssl_async::Workers;

static WORKERS: OnceLock<Workers> = OnceLock::new();

/// The pool, started on first use with `LIBSSL_ASYNC_THREADS` threads or the default of the core crate.
pub(crate) fn workers() -> &'static Workers {
    WORKERS.get_or_init(|| {
        let threads = env::var("LIBSSL_ASYNC_THREADS").ok().and_then(|threads| threads.parse().ok());
        start(threads).expect("the system gives threads to a process that starts")
    })
}

/// The pool, if it has been used.
pub(crate) fn started() -> Option<&'static Workers> {
    WORKERS.get()
}

/// Starts the pool with so many threads; `false` if it has been started.
pub(crate) fn configure(threads: usize) -> std::io::Result<bool> {
    if WORKERS.get().is_some() {
        return Ok(false);
    }
    Ok(WORKERS.set(start(Some(threads))?).is_ok())
}

fn start(threads: Option<usize>) -> std::io::Result<Workers> {
    let builder = Workers::builder();
    match threads {
        Some(threads) => builder.threads(threads).build(),
        None => builder.build(),
    }
}
