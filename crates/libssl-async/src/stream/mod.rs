//! Connections on any `AsyncRead + AsyncWrite`.

mod handshake;
mod pinned;
mod tls;
mod transfer;

pub(crate) use handshake::{Delay, poll_handshake};
pub use pinned::PinnedStream;
pub use tls::TlsStream;
