//! The server's side.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use openssl::error::ErrorStack;
use openssl::ssl::{Ssl, SslAcceptor, SslContext, SslContextRef};
use tokio::io::{AsyncRead, AsyncWrite};

use crate::completion::AsyncEvent;
use crate::error::Error;
use crate::handshake::{Handshake, establish_pinned};
use crate::stream::PinnedStream;
use crate::terms::Terms;
use crate::worker::Workers;

/// Accepts TLS connections, with handshakes that run on a worker and may pause.
#[derive(Clone)]
pub struct TlsAcceptor {
    context: SslContext,
    workers: Workers,
    terms: Terms,
}

impl TlsAcceptor {
    /// Accepts with the settings of `acceptor`.
    ///
    /// Closures that were set on it (verification, SNI, ALPN, ...) run on a worker, on the stack of a job: 256 KiB with
    /// OpenSSL 3.2 or newer, 32 KiB before (rule 19).
    pub fn new(acceptor: SslAcceptor, workers: &Workers) -> Self {
        Self::from_context(acceptor.into_context(), workers)
    }

    /// Accepts with the settings of an SSL context.
    pub fn from_context(context: SslContext, workers: &Workers) -> Self {
        Self { context, workers: workers.clone(), terms: Terms::default() }
    }

    /// Sets the callback of all connections that are accepted from now on; [`Handshake::set_async_callback`] replaces
    /// it for one of them.
    ///
    /// It is called on the thread that completes an operation, before the connection goes on. It is to be short and not
    /// to block; a panic in it is caught. Corresponds to `SSL_CTX_set_async_callback` and
    /// `SSL_CTX_set_async_callback_arg`.
    pub fn set_async_callback(&mut self, callback: impl Fn(AsyncEvent) + Send + Sync + 'static) {
        self.terms.callback = Some(Arc::new(callback));
    }

    /// Gives each handshake from now on so much time, the wait for its turn included; then it fails with
    /// [`Error::HandshakeTimeout`]. No limit by default.
    pub fn set_handshake_timeout(&mut self, timeout: Duration) {
        self.terms.set_timeout(timeout);
    }

    /// Runs at most `running` of the handshakes that begin from now on at once, and keeps `waiting` more, which are let
    /// in as they came; clones of the acceptor count together. Beyond that they fail with [`Error::TooManyHandshakes`],
    /// and are counted as [`refused`](crate::Metrics::refused). No limits by default, but those of the pool; at least
    /// one runs.
    pub fn set_max_handshakes(&mut self, running: usize, waiting: usize) {
        self.terms.set_max_handshakes(running, waiting);
    }

    /// Accepts a connection. Corresponds to `SSL_accept`.
    pub fn accept<S>(&self, io: S) -> Handshake<S>
    where
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let context = self.context.clone();
        Handshake::start(&self.workers, self.terms.clone(), move || accepting(Ssl::new(&context)?), io)
    }

    /// As [`TlsAcceptor::accept`], with an SSL that was set up otherwise and has made no call yet.
    pub fn accept_with<S>(&self, ssl: Ssl, io: S) -> Handshake<S>
    where
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        Handshake::start(&self.workers, self.terms.clone(), move || accepting(ssl), io)
    }

    /// Accepts a connection that stays on this worker, in asynchronous mode; only inside [`Workers::spawn_pinned`].
    pub async fn accept_local<S>(&self, io: S) -> Result<PinnedStream<S>, Error>
    where
        S: AsyncRead + AsyncWrite + Unpin,
    {
        establish_pinned(self.terms.clone(), || accepting(Ssl::new(&self.context)?), io).await
    }

    /// The SSL context of all connections.
    pub fn context(&self) -> &SslContextRef {
        &self.context
    }

    /// The pool that runs the handshakes.
    pub fn workers(&self) -> &Workers {
        &self.workers
    }
}

fn accepting(mut ssl: Ssl) -> Result<Ssl, ErrorStack> {
    ssl.set_accept_state();
    Ok(ssl)
}

impl fmt::Debug for TlsAcceptor {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("TlsAcceptor").field("workers", &self.workers).finish_non_exhaustive()
    }
}
