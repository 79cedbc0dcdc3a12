//! The client's side.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use openssl::error::ErrorStack;
use openssl::ssl::{ConnectConfiguration, Ssl, SslConnector, SslContextRef};
use tokio::io::{AsyncRead, AsyncWrite};

use crate::completion::AsyncEvent;
use crate::error::Error;
use crate::handshake::{Handshake, establish_pinned};
use crate::stream::PinnedStream;
use crate::terms::Terms;
use crate::worker::Workers;

/// Opens TLS connections, with handshakes that run on a worker and may pause.
#[derive(Clone)]
pub struct TlsConnector {
    connector: SslConnector,
    workers: Workers,
    terms: Terms,
}

impl TlsConnector {
    /// Connects with the settings of `connector`; the note about closures at [`TlsAcceptor::new`](crate::TlsAcceptor::new)
    /// holds here too.
    pub fn new(connector: SslConnector, workers: &Workers) -> Self {
        Self { connector, workers: workers.clone(), terms: Terms::default() }
    }

    /// Sets the callback of all connections that are opened from now on; [`Handshake::set_async_callback`] replaces it
    /// for one of them.
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

    /// Connects to the server called `name`, which is asked for by SNI and checked against its certificate.
    ///
    /// Corresponds to `SSL_connect`.
    pub fn connect<S>(&self, name: &str, io: S) -> Handshake<S>
    where
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let (connector, name) = (self.connector.clone(), name.to_owned());
        let ssl = move || connecting(connector.configure()?.into_ssl(&name)?);
        Handshake::start(&self.workers, self.terms.clone(), ssl, io)
    }

    /// As [`TlsConnector::connect`], with a configuration of one connection.
    pub fn connect_configured<S>(&self, configuration: ConnectConfiguration, name: &str, io: S) -> Handshake<S>
    where
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let name = name.to_owned();
        let ssl = move || connecting(configuration.into_ssl(&name)?);
        Handshake::start(&self.workers, self.terms.clone(), ssl, io)
    }

    /// As [`TlsConnector::connect`], with an SSL that was set up otherwise and has made no call yet.
    pub fn connect_with<S>(&self, ssl: Ssl, io: S) -> Handshake<S>
    where
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        Handshake::start(&self.workers, self.terms.clone(), move || connecting(ssl), io)
    }

    /// Opens a connection that stays on this worker, in asynchronous mode; only inside [`Workers::spawn_pinned`].
    pub async fn connect_local<S>(&self, name: &str, io: S) -> Result<PinnedStream<S>, Error>
    where
        S: AsyncRead + AsyncWrite + Unpin,
    {
        let ssl = || connecting(self.connector.configure()?.into_ssl(name)?);
        establish_pinned(self.terms.clone(), ssl, io).await
    }

    /// The settings of one more connection, for [`TlsConnector::connect_configured`].
    pub fn configure(&self) -> Result<ConnectConfiguration, ErrorStack> {
        self.connector.configure()
    }

    /// The SSL context of all connections.
    pub fn context(&self) -> &SslContextRef {
        self.connector.context()
    }

    /// The pool that runs the handshakes.
    pub fn workers(&self) -> &Workers {
        &self.workers
    }
}

fn connecting(mut ssl: Ssl) -> Result<Ssl, ErrorStack> {
    ssl.set_connect_state();
    Ok(ssl)
}

impl fmt::Debug for TlsConnector {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("TlsConnector").field("workers", &self.workers).finish_non_exhaustive()
    }
}
