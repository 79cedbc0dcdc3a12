//! The user's asynchronous callback, and the trampoline that libssl calls in its place.

use std::ffi::c_void;
use std::fmt;
use std::os::raw::c_int;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use foreign_types::ForeignTypeRef;
use libssl_async_sys::thin::{AsyncStatus, get_async_status};
use openssl::ssl::SslRef;
use openssl_sys::SSL;

use super::Signal;

/// Tells a connection apart from every other connection of the process.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ConnectionId(u64);

impl ConnectionId {
    pub(crate) fn next() -> Self {
        static NEXT: AtomicU64 = AtomicU64::new(1);
        Self(NEXT.fetch_add(1, Ordering::Relaxed))
    }

    /// The number, never 0 and never used twice in a process.
    pub fn get(self) -> u64 {
        self.0
    }
}

impl fmt::Display for ConnectionId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(formatter)
    }
}

/// What an asynchronous callback is told: the safe form of the two arguments of `SSL_async_callback_fn`.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct AsyncEvent {
    /// The connection whose operation completed or has to be tried again.
    pub connection: ConnectionId,
    /// What `SSL_get_async_status` says: [`AsyncStatus::Again`] tells a retry from a completed request.
    pub status: Option<AsyncStatus>,
}

/// A user's callback, shared by all connections that it was set on.
pub(crate) type Callback = Arc<dyn Fn(AsyncEvent) + Send + Sync>;

/// The `SSL_async_callback_fn` of every connection (rule 15); `argument` is the connection's [`Signal`].
///
/// The user's callback runs first and the wake-up comes last: once the permit is stored, the connection may go on,
/// end and be freed (rule 12). Nothing unwinds into C (rule 6).
pub(crate) unsafe extern "C" fn trampoline(ssl: *mut SSL, argument: *mut c_void) -> c_int {
    let signal = argument.cast::<Signal>();
    // SAFETY: the connection owns a reference of its signal until `SSL_free`, and is not freed before the completion
    // that is being told here (rules 11 and 12). The reference taken here keeps the signal until this function ends.
    let signal = unsafe {
        Arc::increment_strong_count(signal);
        Arc::from_raw(signal)
    };
    // SAFETY: step 9 of the man page allows this one call from the callback: the source has set the status before it
    // called, and the wait context stays as it is while the operation is pending.
    let status = unsafe { get_async_status(SslRef::from_ptr(ssl)) };
    signal.count_callback(status);
    if let Some(callback) = signal.callback() {
        let event = AsyncEvent { connection: signal.id(), status };
        // A panic has been reported by the panic hook; it ends here, and the connection goes on.
        let _ = catch_unwind(AssertUnwindSafe(|| callback(event)));
    }
    Signal::complete(&signal);
    1
}
