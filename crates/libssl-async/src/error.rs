//! What can go wrong, and whose fault it is.

use std::fmt;
use std::io;

use openssl::error::ErrorStack;
use openssl::x509::X509VerifyResult;

use crate::ask::AskError;
use crate::connection::Alert;
use crate::keys::KeyError;

/// Why an operation of a connection failed. The connection is of no more use, unless a variant says otherwise.
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The handshake was given up: its future was dropped, or its worker pool is gone.
    #[error("the operation was cancelled")]
    Cancelled,
    /// A callback that had to [`ask`](crate::ask) got no answer.
    #[error("a callback got no answer: {0}")]
    Callback(#[source] AskError),
    /// The connection has failed or was shut down before this operation.
    #[error("the connection is closed")]
    Closed,
    /// The worker pool, or the connection, belongs to the process that forked this one: its threads are not here.
    /// A pool that is made after the fork works.
    #[error("the worker pool belongs to the process that forked this one")]
    Forked,
    /// The handshake took more time than it was given, the wait for its turn included; the job that it may have paused
    /// ends in the drain.
    #[error("the handshake took too long")]
    HandshakeTimeout,
    /// The transport failed.
    #[error("the transport failed: {0}")]
    Io(#[source] std::sync::Arc<io::Error>),
    /// No job is to be had on this thread, and none will become free: memory or mappings are exhausted.
    #[error("no memory for another asynchronous job")]
    JobsExhausted,
    /// The private key, which is elsewhere, could not do its part: the fault of the key's owner, never of the peer.
    #[error("the private key failed: {0}")]
    Key(#[source] KeyError),
    /// libssl waits for an application callback that asked to be retried, which nothing here drives.
    #[error("a {0} callback asked to be retried, which this connection cannot do")]
    RetryPoint(&'static str),
    /// The asynchronous source told `ASYNC_STATUS_ERR` and did not fail the operation.
    #[error("the asynchronous source could not submit the operation")]
    Source,
    /// The protocol failed: a fault of the peer, of the configuration, or of the two together.
    #[error(transparent)]
    Ssl(#[from] SslError),
    /// As many handshakes run and wait as may, of this acceptor
    /// ([`set_max_handshakes`](crate::TlsAcceptor::set_max_handshakes)) or of the whole pool
    /// ([`max_handshakes`](crate::WorkersBuilder::max_handshakes)): this one was refused before it began.
    #[error("too many handshakes are under way")]
    TooManyHandshakes,
    /// The transport ended without a `close_notify`: what was read may be cut short. Writing is still possible.
    #[error("the peer closed the transport without close_notify")]
    Truncated,
    /// The SSL cannot be used here.
    #[error("{0} is not supported")]
    Unsupported(&'static str),
}

impl From<io::Error> for Error {
    fn from(error: io::Error) -> Self {
        // What travelled through `AsyncRead` and `AsyncWrite` of a stream in a stream comes out as it went in.
        match error.downcast::<Self>() {
            Ok(error) => error,
            Err(error) => Self::Io(error.into()),
        }
    }
}

impl From<ErrorStack> for Error {
    fn from(stack: ErrorStack) -> Self {
        Self::Ssl(SslError { stack, alert: None, verify: None })
    }
}

impl From<Error> for io::Error {
    fn from(error: Error) -> Self {
        let kind = match &error {
            Error::Io(error) => error.kind(),
            Error::Truncated => io::ErrorKind::UnexpectedEof,
            Error::Closed => io::ErrorKind::NotConnected,
            Error::HandshakeTimeout => io::ErrorKind::TimedOut,
            Error::Ssl(_) => io::ErrorKind::InvalidData,
            _ => io::ErrorKind::Other,
        };
        Self::new(kind, error)
    }
}

/// An error that libssl reports.
#[derive(Clone, Debug)]
pub struct SslError {
    pub(crate) stack: ErrorStack,
    pub(crate) alert: Option<Alert>,
    pub(crate) verify: Option<X509VerifyResult>,
}

impl SslError {
    /// The entries of OpenSSL's error queue, oldest first; the first tells most.
    pub fn errors(&self) -> &[openssl::error::Error] {
        self.stack.errors()
    }

    /// The alert that was sent or received, if any. Unlike reasons, alerts are the same in every version of OpenSSL.
    pub fn alert(&self) -> Option<Alert> {
        self.alert
    }

    /// Why the peer's certificate was refused, if it was. Corresponds to `SSL_get_verify_result`.
    pub fn verify_result(&self) -> Option<X509VerifyResult> {
        self.verify
    }

    /// The reason of the first error, in OpenSSL's words.
    pub fn reason(&self) -> Option<&'static str> {
        self.errors().first().and_then(openssl::error::Error::reason)
    }

    /// The reason as Node spells its codes: `ERR_SSL_` and the reason in capitals, spaces as underscores.
    pub fn code(&self) -> String {
        let reason = self.reason().unwrap_or("unknown");
        let reason: String = reason.chars().map(|c| if c == ' ' { '_' } else { c.to_ascii_uppercase() }).collect();
        format!("ERR_SSL_{reason}")
    }
}

impl fmt::Display for SslError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(verify) = self.verify {
            return write!(formatter, "the peer's certificate was refused: {}", verify.error_string());
        }
        formatter.write_str(self.reason().unwrap_or("TLS failed for no reason that libssl told"))?;
        if let Some(data) = self.errors().first().and_then(openssl::error::Error::data) {
            write!(formatter, " ({data})")?;
        }
        match self.alert {
            Some(alert) if alert.received() => write!(formatter, ", the peer sent alert {}", alert.name()),
            Some(alert) => write!(formatter, ", sent alert {}", alert.name()),
            None => Ok(()),
        }
    }
}

impl std::error::Error for SslError {}
