//! OpenSSL's asynchronous mode, safe and awaitable.
//!
//! libssl can stop in the middle of a TLS operation, while a private key signs elsewhere or an accelerator computes, and
//! go on later. This crate runs handshakes in that mode on a small pool of threads and gives ordinary tokio streams:
//!
//! - [`TlsAcceptor`] and [`TlsConnector`] take the `openssl` crate's acceptor and connector; their handshakes are `Send`
//!   futures for any tokio runtime, and never block the runtime that awaits them;
//! - [`keys`] makes private keys of futures: an HSM, a KMS, another process;
//! - [`Workers`] is the pool; [`Workers::metrics`] tells what it did;
//! - `engine` loads third-party engines, up to OpenSSL 3.x, and [`provider`] third-party providers;
//! - [`PinnedStream`] stays in asynchronous mode, for engines that also accelerate records;
//! - with the feature `aws-lc`, `exchange` has keys exchanged by AWS-LC, for less CPU time;
//! - [`connection`] is the layer without I/O, for those who bring their own.
//!
//! # The man page, function by function
//!
//! | C | here |
//! |---|---|
//! | `SSL_CTX_set_async_callback`, `SSL_CTX_set_async_callback_arg` | [`TlsAcceptor::set_async_callback`], [`TlsConnector::set_async_callback`] |
//! | `SSL_set_async_callback`, `SSL_set_async_callback_arg` | [`Handshake::set_async_callback`], [`TlsStream::set_async_callback`], [`PinnedStream::set_async_callback`] |
//! | `SSL_get_async_status` | [`Handshake::async_status`], [`TlsStream::async_status`], [`PinnedStream::async_status`] |
//! | `SSL_async_callback_fn` | `Fn(`[`AsyncEvent`]`) + Send + Sync`: the closure's captures are the argument |
//! | `ASYNC_STATUS_*` | [`AsyncStatus`] |
//!
//! # What to know
//!
//! A connection's ciphertext goes through memory, so there is no kernel TLS. OpenSSL's clean-up at the exit of the
//! process is switched off, as it races the threads that still use OpenSSL.

mod acceptor;
mod ask;
mod builtin;
mod completion;
pub mod connection;
mod connector;
#[cfg(all(engine, unix))]
pub mod engine;
mod error;
#[cfg(feature = "aws-lc")]
pub mod exchange;
mod exit;
mod handshake;
mod histogram;
mod job;
mod kept;
pub mod keys;
#[cfg(unix)]
mod libcrypto;
mod metrics;
mod passphrase;
mod process;
#[cfg(unix)]
pub mod provider;
mod source;
mod stream;
mod sync;
mod terms;
mod trace;
mod worker;

pub use acceptor::TlsAcceptor;
pub use ask::{AskError, Question, ask};
pub use completion::{AsyncEvent, ConnectionId};
pub use connector::TlsConnector;
pub use error::{Error, SslError};
pub use handshake::Handshake;
pub use histogram::Histogram;
pub use job::is_capable;
#[cfg(unix)]
pub use libcrypto::Origin;
pub use libssl_async_sys::thin::AsyncStatus;
pub use metrics::Metrics;
pub use passphrase::Secret;
pub use stream::{PinnedStream, TlsStream};
pub use terms::Terms;
pub use worker::{PinnedTask, Shutdown, Workers, WorkersBuilder};
