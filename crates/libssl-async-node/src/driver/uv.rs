//! The few functions of libuv that the loop driver needs, looked up in the host: only Node has them all.

use std::ffi::{CStr, c_int, c_void};
use std::os::fd::RawFd;
use std::ptr::{self, NonNull};

use napi::sys;

/// Something of libuv's whose layout is its own business.
type Handle = c_void;
type PollCallback = unsafe extern "C" fn(handle: *mut Handle, status: c_int, events: c_int);
type CloseCallback = unsafe extern "C" fn(handle: *mut Handle);

/// `UV_POLL` of `uv_handle_type`.
const POLL: c_int = 8;
/// `UV_READABLE`.
const READABLE: c_int = 1;

struct Functions {
    handle_size: unsafe extern "C" fn(kind: c_int) -> usize,
    handle_set_data: unsafe extern "C" fn(handle: *mut Handle, data: *mut c_void),
    poll_init: unsafe extern "C" fn(event_loop: *mut c_void, handle: *mut Handle, fd: c_int) -> c_int,
    poll_start: unsafe extern "C" fn(handle: *mut Handle, events: c_int, callback: PollCallback) -> c_int,
    poll_stop: unsafe extern "C" fn(handle: *mut Handle) -> c_int,
    close: unsafe extern "C" fn(handle: *mut Handle, callback: Option<CloseCallback>),
    unreference: unsafe extern "C" fn(handle: *mut Handle),
}

impl Functions {
    fn find() -> Option<Self> {
        // SAFETY: each symbol, where the host has it, is the function of this name of libuv 1, with this signature.
        unsafe {
            Some(Self {
                handle_size: function(c"uv_handle_size")?,
                handle_set_data: function(c"uv_handle_set_data")?,
                poll_init: function(c"uv_poll_init")?,
                poll_start: function(c"uv_poll_start")?,
                poll_stop: function(c"uv_poll_stop")?,
                close: function(c"uv_close")?,
                unreference: function(c"uv_unref")?,
            })
        }
    }
}

/// # Safety
/// `F` is the type of the function that has this name.
unsafe fn function<F: Copy>(name: &CStr) -> Option<F> {
    const { assert!(size_of::<F>() == size_of::<NonNull<c_void>>()) };
    // SAFETY: a function pointer is a pointer; the rest is the caller's.
    symbol(name).map(|symbol| unsafe { std::mem::transmute_copy(&symbol) })
}

fn symbol(name: &CStr) -> Option<NonNull<c_void>> {
    // SAFETY: only looks a name up among what the process has loaded.
    NonNull::new(unsafe { libc::dlsym(libc::RTLD_DEFAULT, name.as_ptr()) })
}

/// A `uv_poll_t` that watches a descriptor for input, and calls `callback` with `data` on the loop's thread.
///
/// It does not keep the loop alive.
pub(super) struct Poll {
    functions: Functions,
    handle: NonNull<Handle>,
}

impl Poll {
    /// `None` where the host has no libuv, as Bun and Deno have not.
    ///
    /// # Safety
    /// `env` is the environment of this thread; `callback` may be called with the `data` until [`Poll`] is dropped.
    pub(super) unsafe fn new(env: sys::napi_env, fd: RawFd, data: *mut c_void, callback: PollCallback) -> Option<Self> {
        let functions = Functions::find()?;
        type GetLoop = unsafe extern "C" fn(sys::napi_env, *mut *mut c_void) -> c_int;
        // SAFETY: the type is Node-API's.
        let get_loop: GetLoop = unsafe { function(c"napi_get_uv_event_loop") }?;
        let mut event_loop = ptr::null_mut();
        // SAFETY: the environment is this thread's; the handle has the size that libuv says, and is freed when libuv
        // has closed it.
        unsafe {
            if get_loop(env, &mut event_loop) != sys::Status::napi_ok || event_loop.is_null() {
                return None;
            }
            let handle = NonNull::new(libc::calloc(1, (functions.handle_size)(POLL)))?;
            if (functions.poll_init)(event_loop, handle.as_ptr(), fd) != 0 {
                libc::free(handle.as_ptr());
                return None;
            }
            let poll = Self { functions, handle };
            (poll.functions.handle_set_data)(handle.as_ptr(), data);
            (poll.functions.unreference)(handle.as_ptr());
            ((poll.functions.poll_start)(handle.as_ptr(), READABLE, callback) == 0).then_some(poll)
        }
    }

    /// What `data` was.
    ///
    /// # Safety
    /// `handle` is what a callback got.
    pub(super) unsafe fn data(handle: *mut c_void) -> *mut c_void {
        // SAFETY: the handle is alive inside its callback.
        unsafe { handle.cast::<*mut c_void>().read() }
    }
}

impl Drop for Poll {
    fn drop(&mut self) {
        unsafe extern "C" fn free(handle: *mut c_void) {
            // SAFETY: allocated in `new`; libuv has let go of it.
            unsafe { libc::free(handle) };
        }
        // SAFETY: the handle is open; this is the loop's thread. The callback does not run any more.
        unsafe {
            (self.functions.poll_stop)(self.handle.as_ptr());
            (self.functions.close)(self.handle.as_ptr(), Some(free));
        }
    }
}
