//! A job, driven through the bindings alone.

use libssl_async_sys::*;
use std::ffi::{c_int, c_void};
use std::ptr;
use std::sync::mpsc::{Sender, channel};
use std::thread;

/// What the job hands to the thread that completes it.
struct Completion {
    callback: unsafe extern "C" fn(*mut c_void) -> c_int,
    arg: *mut c_void,
}

// SAFETY: the argument is a sender that only the completing thread uses while the job is paused.
unsafe impl Send for Completion {}

impl Completion {
    fn signal(self) {
        // SAFETY: the wait context and the sender live until the test has received the signal.
        assert_eq!(unsafe { (self.callback)(self.arg) }, 1);
    }
}

#[test]
fn pauses_and_is_completed_by_another_thread() {
    // SAFETY: no arguments.
    if unsafe { ASYNC_is_capable() } == 0 {
        return;
    }
    let (signal, signalled) = channel::<()>();
    let (requests, completer) = channel::<Completion>();
    let completer = thread::spawn(move || completer.iter().for_each(Completion::signal));

    // SAFETY: the sender outlives the wait context, which outlives the job; all of it happens on this thread.
    unsafe {
        let ctx = ASYNC_WAIT_CTX_new();
        let arg = (&raw const signal).cast_mut().cast();
        assert_eq!(ASYNC_WAIT_CTX_set_callback(ctx, Some(wake), arg), 1);
        assert_eq!(ASYNC_WAIT_CTX_get_status(ctx), ASYNC_STATUS_UNSUPPORTED);

        let mut job = ptr::null_mut();
        let mut result = 0;
        assert_eq!(drive(&mut job, ctx, &mut result, &requests), ASYNC_PAUSE);
        assert!(!job.is_null());
        assert!(ASYNC_get_current_job().is_null());
        assert_eq!(ASYNC_WAIT_CTX_get_status(ctx), ASYNC_STATUS_OK);
        signalled.recv().unwrap();

        assert_eq!(drive(&mut job, ctx, &mut result, &requests), ASYNC_FINISH);
        assert_eq!(result, 42);
        ASYNC_WAIT_CTX_free(ctx);
        ASYNC_cleanup_thread();
    }
    drop(requests);
    completer.join().unwrap();
}

#[test]
fn a_blocked_pause_returns_at_once() {
    unsafe extern "C" fn blocked(_: *mut c_void) -> c_int {
        // SAFETY: the calls are paired.
        unsafe {
            ASYNC_block_pause();
            let paused = ASYNC_pause_job();
            ASYNC_unblock_pause();
            paused
        }
    }
    // SAFETY: the job takes no arguments and ends within the call.
    unsafe {
        let ctx = ASYNC_WAIT_CTX_new();
        let mut job = ptr::null_mut();
        let mut result = 0;
        assert_eq!(ASYNC_start_job(&mut job, ctx, &mut result, Some(blocked), ptr::null_mut(), 0), ASYNC_FINISH);
        assert_eq!(result, 1);
        ASYNC_WAIT_CTX_free(ctx);
        ASYNC_cleanup_thread();
    }
}

#[test]
fn descriptors_are_listed_until_cleared() {
    // SAFETY: the keys are only compared, the descriptor is never used.
    unsafe {
        let ctx = ASYNC_WAIT_CTX_new();
        let key = (&raw const ctx).cast();
        let fd = 7 as OSSL_ASYNC_FD;
        assert_eq!(ASYNC_WAIT_CTX_set_wait_fd(ctx, key, fd, ptr::null_mut(), None), 1);

        let (mut fds, mut count) = ([OSSL_BAD_ASYNC_FD], 0);
        assert_eq!(ASYNC_WAIT_CTX_get_all_fds(ctx, ptr::null_mut(), &mut count), 1);
        assert_eq!(count, fds.len());
        assert_eq!(ASYNC_WAIT_CTX_get_all_fds(ctx, fds.as_mut_ptr(), &mut count), 1);
        assert_eq!(fds, [fd]);
        let (mut added, mut deleted) = (0, 0);
        let null = ptr::null_mut();
        assert_eq!(ASYNC_WAIT_CTX_get_changed_fds(ctx, null, &mut added, null, &mut deleted), 1);
        assert_eq!((added, deleted), (1, 0));

        assert_eq!(ASYNC_WAIT_CTX_clear_fd(ctx, key), 1);
        assert_eq!(ASYNC_WAIT_CTX_get_all_fds(ctx, ptr::null_mut(), &mut count), 1);
        assert_eq!(count, 0);
        ASYNC_WAIT_CTX_free(ctx);
    }
}

/// Starts or resumes the job `pause_once`, which gets a pointer to `requests`.
unsafe fn drive(
    job: &mut *mut ASYNC_JOB,
    ctx: *mut ASYNC_WAIT_CTX,
    result: &mut c_int,
    requests: &Sender<Completion>,
) -> c_int {
    let mut args: *const Sender<Completion> = requests;
    // SAFETY: libcrypto copies the pointer; the caller keeps the sender until the job has ended.
    unsafe { ASYNC_start_job(job, ctx, result, Some(pause_once), (&raw mut args).cast(), size_of_val(&args)) }
}

/// The asynchronous operation: submits itself, pauses, and returns 42.
unsafe extern "C" fn pause_once(args: *mut c_void) -> c_int {
    // SAFETY: `drive` passed a pointer to the sender, and `pauses_and_is_completed_by_another_thread` a wait context.
    unsafe {
        let requests = &**args.cast::<*const Sender<Completion>>();
        let ctx = ASYNC_get_wait_ctx(ASYNC_get_current_job());
        let (mut callback, mut arg) = (None, ptr::null_mut());
        assert_eq!(ASYNC_WAIT_CTX_get_callback(ctx, &mut callback, &mut arg), 1);
        assert_eq!(ASYNC_WAIT_CTX_set_status(ctx, ASYNC_STATUS_OK), 1);
        requests.send(Completion { callback: callback.unwrap(), arg }).unwrap();
        assert_eq!(ASYNC_pause_job(), 1);
    }
    42
}

unsafe extern "C" fn wake(arg: *mut c_void) -> c_int {
    // SAFETY: the argument is the test's sender.
    unsafe { &*arg.cast::<Sender<()>>() }.send(()).is_ok().into()
}
