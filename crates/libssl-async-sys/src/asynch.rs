//! `<openssl/async.h>`: fibres that a cryptographic operation can leave and be resumed in. (`async` is a keyword.)
//!
//! A job belongs to the thread that started it, and only that thread may resume it.

use libc::size_t;
use std::ffi::{c_int, c_void};

/// A fibre with a stack of its own.
pub enum ASYNC_JOB {}

/// Where the code inside a job and the code that drives it agree on how completion is told.
pub enum ASYNC_WAIT_CTX {}

/// What an engine signals completion with, if it uses descriptors.
#[cfg(not(windows))]
pub type OSSL_ASYNC_FD = c_int;
/// What an engine signals completion with, if it uses descriptors: a `HANDLE`.
#[cfg(windows)]
pub type OSSL_ASYNC_FD = *mut c_void;

/// No descriptor.
#[cfg(not(windows))]
pub const OSSL_BAD_ASYNC_FD: OSSL_ASYNC_FD = -1;
/// No descriptor: `INVALID_HANDLE_VALUE`.
#[cfg(windows)]
pub const OSSL_BAD_ASYNC_FD: OSSL_ASYNC_FD = usize::MAX as OSSL_ASYNC_FD;

/// Called, on whatever thread completes the operation, with the argument given to [`ASYNC_WAIT_CTX_set_callback`].
pub type ASYNC_callback_fn = Option<unsafe extern "C" fn(arg: *mut c_void) -> c_int>;

/// Allocates a job's stack: gets its size in bytes, may raise it, returns the lowest usable address or null.
#[cfg(ossl320)]
pub type ASYNC_stack_alloc_fn = Option<unsafe extern "C" fn(num: *mut size_t) -> *mut c_void>;

/// Frees what [`ASYNC_stack_alloc_fn`] returned, null included.
#[cfg(ossl320)]
pub type ASYNC_stack_free_fn = Option<unsafe extern "C" fn(addr: *mut c_void)>;

/// [`ASYNC_start_job`]: failed, the error queue may say why.
pub const ASYNC_ERR: c_int = 0;
/// [`ASYNC_start_job`]: the thread's pool has no job left; nothing was started.
pub const ASYNC_NO_JOBS: c_int = 1;
/// [`ASYNC_start_job`]: the job paused; the same call resumes it.
pub const ASYNC_PAUSE: c_int = 2;
/// [`ASYNC_start_job`]: the job's function returned.
pub const ASYNC_FINISH: c_int = 3;

/// Status: the engine has no callback mechanism, or set no status.
pub const ASYNC_STATUS_UNSUPPORTED: c_int = 0;
/// Status: the operation could not be submitted.
pub const ASYNC_STATUS_ERR: c_int = 1;
/// Status: the operation was submitted.
pub const ASYNC_STATUS_OK: c_int = 2;
/// Status: the engine's queue is full; to be tried again later.
pub const ASYNC_STATUS_EAGAIN: c_int = 3;

unsafe extern "C" {
    /// Creates the thread's job pool, once per thread: at most `max_size` jobs (0: unlimited), `init_size` of them at once.
    pub fn ASYNC_init_thread(max_size: size_t, init_size: size_t) -> c_int;
    /// Frees the thread's job pool, in which no job may be running or paused.
    pub fn ASYNC_cleanup_thread();
    /// 1 if this platform has jobs, 0 if [`ASYNC_start_job`] calls the function directly and nothing can pause.
    pub fn ASYNC_is_capable() -> c_int;

    /// Starts a job (`*job` null) or resumes `*job`; `args` of `size` bytes are copied at the start; `*ret` is `func`'s result.
    pub fn ASYNC_start_job(
        job: *mut *mut ASYNC_JOB,
        ctx: *mut ASYNC_WAIT_CTX,
        ret: *mut c_int,
        func: Option<unsafe extern "C" fn(args: *mut c_void) -> c_int>,
        args: *mut c_void,
        size: size_t,
    ) -> c_int;
    /// Leaves the running job until it is resumed; returns 1 at once outside a job and while pausing is blocked.
    pub fn ASYNC_pause_job() -> c_int;
    /// The job that runs on this thread, or null.
    pub fn ASYNC_get_current_job() -> *mut ASYNC_JOB;
    /// The wait context that `job` was started with.
    pub fn ASYNC_get_wait_ctx(job: *mut ASYNC_JOB) -> *mut ASYNC_WAIT_CTX;
    /// Makes [`ASYNC_pause_job`] return without pausing until the matching [`ASYNC_unblock_pause`]; nests.
    pub fn ASYNC_block_pause();
    /// Ends the innermost [`ASYNC_block_pause`].
    pub fn ASYNC_unblock_pause();

    /// A wait context without callback, status and descriptors; null if out of memory.
    pub fn ASYNC_WAIT_CTX_new() -> *mut ASYNC_WAIT_CTX;
    /// Frees `ctx` after running the clean-up functions of the descriptors still in it.
    pub fn ASYNC_WAIT_CTX_free(ctx: *mut ASYNC_WAIT_CTX);
    /// For engines: adds a descriptor under `key`; `cleanup` is called if it is still there when `ctx` is freed.
    pub fn ASYNC_WAIT_CTX_set_wait_fd(
        ctx: *mut ASYNC_WAIT_CTX,
        key: *const c_void,
        fd: OSSL_ASYNC_FD,
        custom_data: *mut c_void,
        cleanup: Option<
            unsafe extern "C" fn(
                ctx: *mut ASYNC_WAIT_CTX,
                key: *const c_void,
                fd: OSSL_ASYNC_FD,
                custom_data: *mut c_void,
            ),
        >,
    ) -> c_int;
    /// For engines: the descriptor and the data set under `key`.
    pub fn ASYNC_WAIT_CTX_get_fd(
        ctx: *mut ASYNC_WAIT_CTX,
        key: *const c_void,
        fd: *mut OSSL_ASYNC_FD,
        custom_data: *mut *mut c_void,
    ) -> c_int;
    /// Writes the number of descriptors to `*numfds` and, if `fd` is not null, the descriptors to it.
    pub fn ASYNC_WAIT_CTX_get_all_fds(ctx: *mut ASYNC_WAIT_CTX, fd: *mut OSSL_ASYNC_FD, numfds: *mut size_t) -> c_int;
    /// As [`ASYNC_WAIT_CTX_get_all_fds`], for what was added and deleted since the job was last resumed.
    pub fn ASYNC_WAIT_CTX_get_changed_fds(
        ctx: *mut ASYNC_WAIT_CTX,
        addfd: *mut OSSL_ASYNC_FD,
        numaddfds: *mut size_t,
        delfd: *mut OSSL_ASYNC_FD,
        numdelfds: *mut size_t,
    ) -> c_int;
    /// For engines: removes the descriptor set under `key`.
    pub fn ASYNC_WAIT_CTX_clear_fd(ctx: *mut ASYNC_WAIT_CTX, key: *const c_void) -> c_int;
    /// Sets what an engine calls on completion.
    pub fn ASYNC_WAIT_CTX_set_callback(
        ctx: *mut ASYNC_WAIT_CTX,
        callback: ASYNC_callback_fn,
        callback_arg: *mut c_void,
    ) -> c_int;
    /// Fetches what an engine has to call on completion; 0 if no callback is set.
    pub fn ASYNC_WAIT_CTX_get_callback(
        ctx: *mut ASYNC_WAIT_CTX,
        callback: *mut ASYNC_callback_fn,
        callback_arg: *mut *mut c_void,
    ) -> c_int;
    /// For engines: stores one of `ASYNC_STATUS_*`.
    pub fn ASYNC_WAIT_CTX_set_status(ctx: *mut ASYNC_WAIT_CTX, status: c_int) -> c_int;
    /// The status that was stored last.
    pub fn ASYNC_WAIT_CTX_get_status(ctx: *mut ASYNC_WAIT_CTX) -> c_int;

    /// Replaces the allocator of job stacks, process-wide, before the first job; 0 where jobs have no stacks of this kind.
    #[cfg(ossl320)]
    pub fn ASYNC_set_mem_functions(alloc_fn: ASYNC_stack_alloc_fn, free_fn: ASYNC_stack_free_fn) -> c_int;
    /// Fetches the allocator of job stacks.
    #[cfg(ossl320)]
    pub fn ASYNC_get_mem_functions(alloc_fn: *mut ASYNC_stack_alloc_fn, free_fn: *mut ASYNC_stack_free_fn);
}
