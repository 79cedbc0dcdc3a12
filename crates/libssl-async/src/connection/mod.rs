//! Sans-IO connections: an SSL between two byte buffers that the connection owns.
//!
//! One call moves a connection one step, and the step says what it waits for. Whoever drives it moves ciphertext
//! between the buffers and a transport; streams and the drivers of the Node binding all do it through this interface.
//!
//! [`JobConnection`] makes its calls inside jobs and stays on its thread; [`Connection`] has no job and is `Send`.

mod alert;
mod awaiting;
mod bio;
mod buffer;
mod delay;
#[cfg(unix)]
mod descriptors;
mod job;
mod plain;
mod session;
mod wire;

pub use alert::Alert;
pub use job::JobConnection;
pub(crate) use job::{Job, Stay};
pub use plain::Connection;
pub(crate) use wire::Wire;

use std::time::Duration;

/// How far one call came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use = "a step that waits has to be tried again"]
pub enum Step<T> {
    /// The operation is done.
    Done(T),
    /// The operation has to be called again when what it waits for is there.
    Wait(Want),
}

/// What an operation waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Want {
    /// More ciphertext from the peer. Corresponds to `SSL_ERROR_WANT_READ`.
    Input,
    /// Room for ciphertext: what is buffered has to be sent. Corresponds to `SSL_ERROR_WANT_WRITE`.
    Output,
    /// The completion of the operation for which the job is paused, and nothing else (rule 7): the callback tells it, or
    /// a descriptor of the source (rule 23), or time, for a source that has neither (rule 10).
    /// Corresponds to `SSL_ERROR_WANT_ASYNC`.
    Completion,
    /// Time: the source was busy (`ASYNC_STATUS_EAGAIN`), and gets the request again after this delay (rule 8).
    Retry(Duration),
    /// A free job of this thread. Corresponds to `SSL_ERROR_WANT_ASYNC_JOB`.
    Job,
}
