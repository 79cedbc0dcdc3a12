//! The threads that run handshakes, and whatever else has to stay where its jobs began (rule 1).

mod admission;
mod drain;
mod local;
mod outbox;
mod pool;

pub(crate) use admission::{Admission, Places};
pub(crate) use local::Local;
pub use pool::{PinnedTask, Shutdown, Workers, WorkersBuilder};
