//! The man page `SSL_set_async_callback(3)` on the types of the [`openssl`] crate, for those who drive an `SSL` themselves.
//!
//! They are unsafe because safe code can do with an [`SslRef`]'s owner what libssl forbids while a job is paused. The
//! numbered rules are those of this project's `docs/`; the crate `libssl-async` keeps all of them and is safe.

use crate::asynch::{ASYNC_STATUS_EAGAIN, ASYNC_STATUS_ERR, ASYNC_STATUS_OK, ASYNC_STATUS_UNSUPPORTED};
use crate::ssl::{
    SSL_CTX_set_async_callback, SSL_CTX_set_async_callback_arg, SSL_async_callback_fn, SSL_get_async_status,
    SSL_set_async_callback, SSL_set_async_callback_arg,
};
use foreign_types::ForeignTypeRef;
use openssl::error::ErrorStack;

use openssl::ssl::{SslContextBuilder, SslRef};
use std::ffi::{c_int, c_void};

/// What became of the asynchronous operation that an `SSL` submitted last.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum AsyncStatus {
    /// `ASYNC_STATUS_UNSUPPORTED`: the engine has no callback mechanism, or set no status.
    Unsupported,
    /// `ASYNC_STATUS_ERR`: the operation could not be submitted.
    Error,
    /// `ASYNC_STATUS_OK`: the operation was submitted.
    Ok,
    /// `ASYNC_STATUS_EAGAIN`: the engine's queue is full; to be tried again later.
    Again,
}

impl AsyncStatus {
    /// From one of `ASYNC_STATUS_*`; `None` for any other number.
    pub const fn from_raw(status: c_int) -> Option<Self> {
        match status {
            ASYNC_STATUS_UNSUPPORTED => Some(Self::Unsupported),
            ASYNC_STATUS_ERR => Some(Self::Error),
            ASYNC_STATUS_OK => Some(Self::Ok),
            ASYNC_STATUS_EAGAIN => Some(Self::Again),
            _ => None,
        }
    }

    /// The `ASYNC_STATUS_*` number.
    pub const fn as_raw(self) -> c_int {
        match self {
            Self::Unsupported => ASYNC_STATUS_UNSUPPORTED,
            Self::Error => ASYNC_STATUS_ERR,
            Self::Ok => ASYNC_STATUS_OK,
            Self::Again => ASYNC_STATUS_EAGAIN,
        }
    }
}

/// Sets the callback of every `SSL` made from the context. Corresponds to `SSL_CTX_set_async_callback`.
///
/// # Safety
/// For every such `SSL`, what [`set_async_callback`] asks for.
pub unsafe fn set_context_async_callback(
    context: &mut SslContextBuilder,
    callback: SSL_async_callback_fn,
) -> Result<(), ErrorStack> {
    // SAFETY: the context is valid; the rest is the caller's.
    check(unsafe { SSL_CTX_set_async_callback(context.as_ptr(), callback) })
}

/// Sets the callback's argument for every `SSL` made from the context. Corresponds to `SSL_CTX_set_async_callback_arg`.
///
/// # Safety
/// For every such `SSL`, what [`set_async_callback_arg`] asks for.
pub unsafe fn set_context_async_callback_arg(
    context: &mut SslContextBuilder,
    arg: *mut c_void,
) -> Result<(), ErrorStack> {
    // SAFETY: the context is valid; the rest is the caller's.
    check(unsafe { SSL_CTX_set_async_callback_arg(context.as_ptr(), arg) })
}

/// Sets what is called when an operation completes. Corresponds to `SSL_set_async_callback`.
///
/// # Safety
/// - It is set before the first operation and never again, not even to `None`: libssl reads it unsynchronised at every
///   completion (rule 15).
/// - The callback may run on any thread, at any time until the last job of the `SSL` has ended; it must not unwind and
///   must not call libssl with the `SSL`, except for [`get_async_status`] (rule 6).
/// - The `SSL` is not freed, nor is the callback's code unloaded, while a job is paused or a callback runs
///   (rules 11 and 12).
pub unsafe fn set_async_callback(ssl: &mut SslRef, callback: SSL_async_callback_fn) -> Result<(), ErrorStack> {
    // SAFETY: the SSL is valid; the rest is the caller's.
    check(unsafe { SSL_set_async_callback(ssl.as_ptr(), callback) })
}

/// Sets the argument that the callback gets. Corresponds to `SSL_set_async_callback_arg`.
///
/// # Safety
/// - It is set before the first operation and never again (rule 15).
/// - What it points to may be used from any thread and outlives the last callback (rule 12), so also every paused job,
///   of which freeing the `SSL` does not rid you (rule 11).
pub unsafe fn set_async_callback_arg(ssl: &mut SslRef, arg: *mut c_void) -> Result<(), ErrorStack> {
    // SAFETY: the SSL is valid; the rest is the caller's.
    check(unsafe { SSL_set_async_callback_arg(ssl.as_ptr(), arg) })
}

/// The status that was set last: `None` before the first job, or for a number that OpenSSL does not define. It stays
/// until another one is set. Corresponds to `SSL_get_async_status`.
///
/// # Safety
/// Nobody sets the status meanwhile, which is not synchronised: call it in the callback, or when the callback has run
/// (rules 12 and 15).
pub unsafe fn get_async_status(ssl: &SslRef) -> Option<AsyncStatus> {
    let mut status = ASYNC_STATUS_UNSUPPORTED;
    // SAFETY: the SSL and the number are valid; the rest is the caller's.
    let known = unsafe { SSL_get_async_status(ssl.as_ptr(), &mut status) } == 1;
    if known { AsyncStatus::from_raw(status) } else { None }
}

fn check(result: c_int) -> Result<(), ErrorStack> {
    if result == 1 { Ok(()) } else { Err(ErrorStack::get()) }
}
