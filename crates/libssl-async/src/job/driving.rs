//! Which connection drives the job that runs on this thread.

use std::cell::{Cell, RefCell};
use std::sync::Arc;

use crate::completion::Signal;

thread_local! {
    static DRIVER: RefCell<Option<Arc<Signal>>> = const { RefCell::new(None) };
    static BLOCKED: RefCell<Option<Arc<Signal>>> = const { RefCell::new(None) };
    static RESUMES: Cell<u64> = const { Cell::new(0) };
}

/// Makes an SSL call that may start, pause or resume a job on behalf of the connection of `signal`.
///
/// Whatever runs on the fibre meanwhile sees the connection through [`driver`]. The fibre runs on this very thread
/// (rule 1), so a thread-local reaches it.
pub(crate) fn drive<T>(signal: &Arc<Signal>, call: impl FnOnce() -> T) -> T {
    // SAFETY: only asks which job runs on this thread.
    assert!(unsafe { libssl_async_sys::ASYNC_get_current_job() }.is_null(), "rule 22: no job inside a job");
    DRIVER.set(Some(Arc::clone(signal)));
    RESUMES.set(RESUMES.get() + 1);
    let result = call();
    DRIVER.set(None);
    result
}

/// The connection that drives the current job, if it is one of ours (rule 36).
pub(crate) fn driver() -> Option<Arc<Signal>> {
    // SAFETY: only asks which job runs on this thread.
    if unsafe { libssl_async_sys::ASYNC_get_current_job() }.is_null() {
        return None;
    }
    DRIVER.with_borrow(Option::clone)
}

/// Makes an SSL call that may block this thread on behalf of the connection of `signal`, where jobs cannot pause.
pub(crate) fn block_for<T>(signal: &Arc<Signal>, call: impl FnOnce() -> T) -> T {
    BLOCKED.set(Some(Arc::clone(signal)));
    let result = call();
    BLOCKED.set(None);
    result
}

/// The connection that this thread may block for.
pub(crate) fn blocked() -> Option<Arc<Signal>> {
    BLOCKED.with_borrow(Option::clone)
}

/// How often jobs of this thread were started or resumed: unchanged by `ASYNC_pause_job` if it did not pause (rule 33).
pub(crate) fn resumes() -> u64 {
    RESUMES.get()
}

#[cfg(all(test, not(model)))]
mod tests {
    use std::ffi::{c_int, c_void};
    use std::panic::{AssertUnwindSafe, catch_unwind};
    use std::ptr;

    use libssl_async_sys as sys;

    use super::*;
    use crate::completion::Inbox;
    use crate::terms::Terms;

    #[test]
    fn no_job_begins_inside_a_job() {
        unsafe extern "C" fn inside(_: *mut c_void) -> c_int {
            let signal = Signal::new(Arc::<Inbox>::default(), Arc::default(), &Terms::default());
            let refused = catch_unwind(AssertUnwindSafe(|| drive(&signal, || ()))).is_err();
            assert!(driver().is_none());
            c_int::from(refused)
        }
        if !crate::job::is_capable() {
            return;
        }
        // SAFETY: a job without arguments that ends at once, on this thread.
        unsafe {
            let (mut job, mut refused) = (ptr::null_mut(), 0);
            let context = sys::ASYNC_WAIT_CTX_new();
            let started = sys::ASYNC_start_job(&mut job, context, &mut refused, Some(inside), ptr::null_mut(), 0);
            assert_eq!((started, refused), (sys::ASYNC_FINISH, 1));
            sys::ASYNC_WAIT_CTX_free(context);
            sys::ASYNC_cleanup_thread();
        }
    }
}
