//! What our own sources have in common: remote keys, and callbacks that ask somebody else.
//!
//! A source hands a request to another thread and waits for the outcome: on the fibre of a job of ours it pauses the job,
//! anywhere else it blocks the thread, if that may wait.

mod blocking;
mod cancellation;
mod operation;
mod waiter;

pub(crate) use blocking::WouldBlock;
pub use blocking::forbid_blocking;
pub use cancellation::Cancellation;
pub(crate) use operation::{Notify, Operation};
pub(crate) use waiter::{Source, Waiter};
