//! Connections on any `AsyncRead + AsyncWrite`.

mod blocking;
mod halves;
mod handshake;
mod pinned;
mod reactor;
mod tls;
mod transfer;

pub(crate) use blocking::shake_hands_blocking;
pub(crate) use handshake::{Kept, poll_handshake};
pub use pinned::PinnedStream;
pub(crate) use reactor::{poll_watched, watch_from};
pub use tls::TlsStream;
