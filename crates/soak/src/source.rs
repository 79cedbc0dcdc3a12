//! A source on the interface that engines use: callback, status and descriptors of a wait context.

use std::ffi::{c_int, c_void};
use std::os::fd::{FromRawFd, OwnedFd, RawFd};
use std::ptr;
use std::sync::Arc;
use std::time::Duration;

use libssl_async_sys as sys;
use tokio::time::sleep;

use crate::lab::Scene;
use crate::plan::Source;

/// Takes an operation of the current job, and pauses until it is complete. Returns whether it is.
pub(crate) fn perform(source: Source, scene: &Arc<Scene>) -> bool {
    match source {
        Source::Early => {
            let operation = Operation::submit(sys::ASYNC_STATUS_OK);
            scene.asked.happen();
            operation.complete(scene);
            pause();
        }
        Source::Later(delay) => later(delay, scene),
        Source::Busy(times) => {
            for _ in 0..times {
                let _refused = Operation::submit(sys::ASYNC_STATUS_EAGAIN);
                pause();
            }
            later(Duration::ZERO, scene);
        }
        Source::Descriptor { removed } => {
            let descriptor = Descriptor::add();
            later(Duration::from_micros(100), scene);
            if removed {
                descriptor.remove();
            }
        }
        Source::Error => {
            let _failed = Operation::submit(sys::ASYNC_STATUS_ERR);
            pause();
            return false;
        }
    }
    true
}

/// Completes from another thread.
fn later(delay: Duration, scene: &Arc<Scene>) {
    let operation = Operation::submit(sys::ASYNC_STATUS_OK);
    scene.asked.happen();
    let there = Arc::clone(scene);
    scene.runtime.spawn(async move {
        if !delay.is_zero() {
            sleep(delay).await;
        }
        operation.complete(&there);
    });
    pause();
}

struct Operation {
    callback: unsafe extern "C" fn(*mut c_void) -> c_int,
    argument: *mut c_void,
}

// SAFETY: sources complete from any thread.
unsafe impl Send for Operation {}

impl Operation {
    fn submit(status: c_int) -> Self {
        let mut callback = None;
        let mut argument = ptr::null_mut();
        // SAFETY: called on the fibre of a connection, which has a wait context with a callback.
        unsafe {
            let context = wait_context();
            assert_eq!(sys::ASYNC_WAIT_CTX_get_callback(context, &mut callback, &mut argument), 1);
            assert_eq!(sys::ASYNC_WAIT_CTX_set_status(context, status), 1);
        }
        Self { callback: callback.expect("a connection has one"), argument }
    }

    fn complete(self, scene: &Scene) {
        scene.answered.happen();
        // SAFETY: the connection is not freed while the job of this operation is not over (rule 11).
        unsafe { (self.callback)(self.argument) };
    }
}

/// A descriptor of the wait context of the current job.
struct Descriptor(RawFd);

/// What all these descriptors are known by.
static KEY: u8 = 0;

impl Descriptor {
    fn add() -> Self {
        // SAFETY: makes a descriptor, or fails.
        let descriptor = unsafe { libc::eventfd(0, libc::EFD_CLOEXEC) };
        assert!(descriptor >= 0, "no descriptor for an event");
        // SAFETY: called on the fibre of a connection; the clean-up may be called when its wait context is freed.
        let added = unsafe {
            sys::ASYNC_WAIT_CTX_set_wait_fd(wait_context(), key(), descriptor, ptr::null_mut(), Some(clean_up))
        };
        assert_eq!(added, 1);
        Self(descriptor)
    }

    fn remove(self) {
        // SAFETY: on the fibre that added it. What is removed is not cleaned up, but ours again.
        unsafe {
            assert_eq!(sys::ASYNC_WAIT_CTX_clear_fd(wait_context(), key()), 1);
            drop(OwnedFd::from_raw_fd(self.0));
        }
    }
}

fn key() -> *const c_void {
    (&raw const KEY).cast()
}

unsafe extern "C" fn clean_up(_: *mut sys::ASYNC_WAIT_CTX, _: *const c_void, descriptor: RawFd, _: *mut c_void) {
    // SAFETY: the descriptor that `add` made, which nobody has closed.
    drop(unsafe { OwnedFd::from_raw_fd(descriptor) });
}

unsafe fn wait_context() -> *mut sys::ASYNC_WAIT_CTX {
    // SAFETY: the caller runs on a fibre.
    unsafe { sys::ASYNC_get_wait_ctx(sys::ASYNC_get_current_job()) }
}

fn pause() {
    // SAFETY: called on the fibre of a connection.
    unsafe { sys::ASYNC_pause_job() };
}
