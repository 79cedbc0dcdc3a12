//! Connections, as JavaScript sees them.

mod details;
mod entry;
mod establish;
mod info;
mod native;
mod options;
mod question;
mod route;
mod sockets;
mod transfer;

pub(crate) use entry::{Addresses, Entry, State};
pub(crate) use establish::{Driven, Established, Handshake, Side, terms};
pub use info::NativeAddress;
pub use native::{NativeConnection, NativeHandshakeOptions};
pub(crate) use question::Asked;
pub use question::NativeClientHello;
pub(crate) use route::{Home, Route};
pub(crate) use transfer::Moved;
