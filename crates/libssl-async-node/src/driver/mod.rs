//! Where the record I/O of an environment's connections runs.
//!
//! [`EventLoop`] runs it on the JavaScript thread: all sockets of the environment are in one epoll descriptor, which one
//! `uv_poll` watches, and one call into JavaScript tells everything that has happened. [`remote`] leaves it on the
//! workers, for hosts that have no libuv and for those who want it so. Both are asked the same questions and tell
//! JavaScript the same things: that a connection can be read, and that what was written is sent.

mod alarm;
mod epoll;
mod event_loop;
mod open;
pub(crate) mod remote;
mod uv;

pub(crate) use alarm::Alarm;
pub(crate) use event_loop::EventLoop;
pub(crate) use open::{Open, Progress};

/// What JavaScript is told of a connection: it can be read.
pub(crate) const READABLE: i32 = 1;
/// What JavaScript is told of a connection: all that was written is sent, or never will be.
pub(crate) const SENT: i32 = 2;
