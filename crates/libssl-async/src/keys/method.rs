//! What does the work of a remote key.

use std::pin::Pin;
use std::sync::Arc;

use super::{Answer, BoxError, DecryptRequest, KeyError, SignRequest};

/// The future of an answer.
pub type KeyFuture = Pin<Box<dyn Future<Output = Result<Vec<u8>, BoxError>> + Send + 'static>>;

/// Whatever has the private half of a key and answers with futures: a key management service, an HSM's client.
///
/// The methods and their futures run on the runtime that the key's builder was given, never on a thread that serves
/// connections. A request that is cancelled or times out drops its future. A panic fails the request with
/// [`KeyError::Panicked`].
pub trait PrivateKeyMethod: Send + Sync + 'static {
    /// Signs `request.digest`, or `request.message` where there is none, as `request.scheme` says.
    ///
    /// Resolves to the signature: RSA and EdDSA as TLS has them, ECDSA in the key's
    /// [`signature_format`](super::RemoteKeyBuilder::signature_format).
    fn sign(&self, request: SignRequest) -> KeyFuture;

    /// Raises `request.ciphertext` to the power of the private exponent of an RSA key, without looking at padding.
    ///
    /// Needed only for the RSA key exchange of TLS 1.2 and older. Resolves to as many bytes as the modulus has. Fails
    /// with [`KeyError::Unsupported`] unless it is implemented.
    fn decrypt_raw(&self, request: DecryptRequest) -> KeyFuture {
        drop(request);
        Box::pin(std::future::ready(Err(KeyError::Unsupported.into())))
    }
}

/// Whatever has the private half of a key and takes requests without a future: for bindings to other event loops.
///
/// The methods run on the thread that asks, usually inside a job on a stack of 32 KiB, or on the one that makes room for
/// a request that waited: they only hand the request on, and neither block nor compute the answer. The [`Answer`] may be
/// completed on any thread; it keeps the key alive. A panic drops it.
pub trait KeyHandler: Send + Sync + 'static {
    /// Has `request.digest`, or `request.message` where there is none, signed as `request.scheme` says.
    fn sign(&self, request: SignRequest, answer: Answer);

    /// Has `request.ciphertext` raised to the power of the private exponent of an RSA key.
    ///
    /// Fails with [`KeyError::Unsupported`] unless it is implemented.
    fn decrypt_raw(&self, request: DecryptRequest, answer: Answer) {
        drop(request);
        answer.complete(Err(KeyError::Unsupported.into()));
    }
}

impl<M: PrivateKeyMethod + ?Sized> PrivateKeyMethod for Arc<M> {
    fn sign(&self, request: SignRequest) -> KeyFuture {
        (**self).sign(request)
    }

    fn decrypt_raw(&self, request: DecryptRequest) -> KeyFuture {
        (**self).decrypt_raw(request)
    }
}

impl<H: KeyHandler + ?Sized> KeyHandler for Arc<H> {
    fn sign(&self, request: SignRequest, answer: Answer) {
        (**self).sign(request, answer);
    }

    fn decrypt_raw(&self, request: DecryptRequest, answer: Answer) {
        (**self).decrypt_raw(request, answer);
    }
}
