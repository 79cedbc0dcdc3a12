//! Why a remote key cannot be made, and why it failed.

use std::error::Error;
use std::io;
use std::sync::Arc;

use openssl::error::ErrorStack;

use super::SignatureScheme;

/// What a signer fails with.
pub type BoxError = Box<dyn Error + Send + Sync>;

/// Why a remote key did not answer a request.
///
/// A signer may return one of these as its [`BoxError`]; it then stays what it is.
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum KeyError {
    /// The connection that asked went away, or was aborted.
    #[error("the request was cancelled")]
    Cancelled,
    /// The request was dropped without an answer: the signer's runtime has ended, or is that of the process that forked
    /// this one (rule 27), or a handler lost its
    /// [`Answer`](super::Answer).
    #[error("the request was dropped without an answer")]
    Dropped,
    /// The signer failed, with this error as the source.
    #[error("the signer failed: {0}")]
    Failed(#[source] Arc<dyn Error + Send + Sync>),
    /// The signature does not fit the public key (found because of
    /// [`verify_signatures`](super::RemoteKeyBuilder::verify_signatures)).
    #[error("the signature does not fit the public key")]
    InvalidSignature,
    /// An ECDSA signature is not the DER of two integers in the range of the curve.
    #[error("the signature is not the DER of an ECDSA signature on the curve of the key")]
    MalformedSignature,
    /// The signer panicked.
    #[error("the signer panicked")]
    Panicked,
    /// No answer came within the key's [`timeout`](super::RemoteKeyBuilder::timeout).
    #[error("the request timed out")]
    TimedOut,
    /// The signer does not do what it was asked to.
    #[error("the key cannot do this")]
    Unsupported,
    /// The operation would have to block a thread that must not wait for it
    /// (see [`forbid_blocking`](super::forbid_blocking)).
    #[error("the key is remote and this thread must not wait for it")]
    WouldBlock,
    /// The answer has the wrong number of bytes.
    #[error("the answer has {got} bytes in place of {expected}")]
    WrongLength {
        /// What the key and the operation demand.
        expected: usize,
        /// What the signer gave.
        got: usize,
    },
}

impl From<BoxError> for KeyError {
    fn from(error: BoxError) -> Self {
        match error.downcast::<Self>() {
            Ok(error) => *error,
            Err(error) => Self::Failed(error.into()),
        }
    }
}

/// Why a remote key cannot be made.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RemoteKeyError {
    /// The [`concurrency`](super::RemoteKeyBuilder::concurrency) is 0.
    #[error("a key needs a concurrency of at least 1")]
    Concurrency,
    /// No signer was given.
    #[error("a remote key needs a signer")]
    NoSigner,
    /// OpenSSL failed.
    #[error(transparent)]
    OpenSsl(#[from] ErrorStack),
    /// A scheme of [`schemes`](super::RemoteKeyBuilder::schemes) is none of the public key's type, or none is left.
    #[error("{}", match .0 {
        Some(scheme) => format!("a key of this type cannot sign with {scheme}"),
        None => "a key needs at least one signature scheme".to_owned(),
    })]
    Scheme(Option<SignatureScheme>),
    /// The thread that runs signers without a runtime could not be started.
    #[error("the thread for remote keys did not start: {0}")]
    Thread(#[source] Arc<io::Error>),
    /// Keys of this type, or on this curve, cannot be remote.
    #[error("a key of this type cannot be remote: RSA, RSA-PSS, P-256, P-384, P-521, Ed25519, Ed448 and ML-DSA can")]
    UnsupportedKey,
}
