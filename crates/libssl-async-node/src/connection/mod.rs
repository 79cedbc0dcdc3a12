//! Connections, as JavaScript sees them.

mod entry;
mod establish;
mod info;
mod native;

pub(crate) use entry::{Addresses, Entry, State};
pub(crate) use establish::{Driven, Established, Handshake, Side, terms};
pub use info::NativeAddress;
pub use native::{NativeConnection, NativeHandshakeOptions};
