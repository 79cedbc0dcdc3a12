//! Waiting outside a job.

use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind};

use tokio::runtime::{Handle, RuntimeFlavor};

thread_local! {
    static FORBIDDEN: Cell<bool> = const { Cell::new(false) };
}

/// Makes remote keys fail on this thread with [`KeyError::WouldBlock`](crate::keys::KeyError::WouldBlock) where they would
/// block it, from now on; and [`ask`](crate::ask) with [`AskError::WouldBlock`](crate::AskError::WouldBlock).
///
/// For threads that serve others, and for those that have to fulfil the requests themselves, as JavaScript's. Inside
/// the jobs of this crate's connections remote keys never block (rule 34).
pub fn forbid_blocking() {
    FORBIDDEN.set(true);
}

/// The thread must not wait.
pub(crate) struct WouldBlock;

/// Runs `wait`, which blocks until `runtime` has made progress; fails if that would wait for this very thread.
pub(super) fn block<T>(runtime: Option<&Handle>, wait: impl FnOnce() -> T) -> Result<T, WouldBlock> {
    if FORBIDDEN.get() {
        return Err(WouldBlock);
    }
    let here = Handle::try_current().ok().filter(|here| runtime.is_some_and(|runtime| runtime.id() == here.id()));
    match here.map(|here| here.runtime_flavor()) {
        None => Ok(wait()),
        // Its only thread is this one, or one of its blocking pool, which cannot be told apart.
        Some(RuntimeFlavor::CurrentThread) => Err(WouldBlock),
        // Another thread takes this one's place in the runtime. Inside a `LocalSet` none can, and tokio panics.
        Some(_) => catch_unwind(AssertUnwindSafe(|| tokio::task::block_in_place(wait))).map_err(|_| WouldBlock),
    }
}
