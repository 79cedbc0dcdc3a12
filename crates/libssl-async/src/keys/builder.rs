//! How remote keys are made.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use openssl::pkey::{HasPublic, PKey, PKeyRef, Private};
use tokio::runtime::Handle;

use super::backend::Backend;
use super::deadlines::Deadlines;
use super::public::PublicKey;
use super::queue::Queue;
use super::spawn::{Method, Spawn, own_runtime};
use super::{
    BoxError, DecryptRequest, KeyError, KeyFuture, KeyHandler, KeyMeter, PrivateKeyMethod, RemoteKeyError, SignRequest,
    SignatureFormat, SignatureScheme, provider,
};
use crate::process::Process;

/// A private key that is somewhere else, as a `PKey` that OpenSSL takes wherever it signs.
///
/// RSA, RSA-PSS, P-256, P-384, P-521, Ed25519, Ed448 and, with OpenSSL 3.5 or newer, ML-DSA. The key signs with the
/// schemes of TLS and, if it is RSA, decrypts for the key exchange of TLS 1.2; it does nothing else, and cannot be
/// exported.
///
/// In the handshakes of this crate's connections, an operation pauses the job of that connection and nothing else. Anywhere
/// else it blocks the thread, or fails where that would be wrong (see [`forbid_blocking`](super::forbid_blocking)).
///
/// The key is held by a provider of this crate's own, `libssl-async`. An `SSL_CTX` with a mandatory property query,
/// as `provider=default` or `fips=yes`, cannot use it; `?provider=default` can.
pub struct RemoteKey;

impl RemoteKey {
    /// Begins with the public half, for instance that of a certificate. Only that half of `public_key` is used.
    pub fn builder<T: HasPublic>(public_key: &PKeyRef<T>) -> RemoteKeyBuilder {
        RemoteKeyBuilder {
            public: PublicKey::new(public_key),
            signer: None,
            decrypt: None,
            runtime: None,
            concurrency: None,
            timeout: None,
            schemes: None,
            format: SignatureFormat::default(),
            verify: false,
            meter: KeyMeter::new(),
        }
    }
}

/// A remote key in the making, from [`RemoteKey::builder`].
#[must_use]
pub struct RemoteKeyBuilder {
    public: Result<PublicKey, RemoteKeyError>,
    signer: Option<Signer>,
    decrypt: Option<Method<DecryptRequest>>,
    runtime: Option<Handle>,
    concurrency: Option<usize>,
    timeout: Option<Duration>,
    schemes: Option<Vec<SignatureScheme>>,
    format: SignatureFormat,
    verify: bool,
    meter: KeyMeter,
}

enum Signer {
    Function(Method<SignRequest>),
    Handler(Box<dyn KeyHandler>),
}

impl RemoteKeyBuilder {
    /// Has `method` answer all requests.
    pub fn method(self, method: impl PrivateKeyMethod) -> Self {
        let method = Arc::new(method);
        let signer = Arc::clone(&method);
        Self {
            signer: Some(Signer::Function(Arc::new(move |request| signer.sign(request)))),
            decrypt: Some(Arc::new(move |request| method.decrypt_raw(request))),
            ..self
        }
    }

    /// Has a function answer requests to sign, as [`PrivateKeyMethod::sign`] does.
    pub fn sign_fn<F, R, E>(self, sign: F) -> Self
    where
        F: Fn(SignRequest) -> R + Send + Sync + 'static,
        R: Future<Output = Result<Vec<u8>, E>> + Send + 'static,
        E: Into<BoxError>,
    {
        Self { signer: Some(Signer::Function(boxed(sign))), ..self }
    }

    /// Has a function answer requests to decrypt, as [`PrivateKeyMethod::decrypt_raw`] does.
    pub fn decrypt_fn<F, R, E>(self, decrypt: F) -> Self
    where
        F: Fn(DecryptRequest) -> R + Send + Sync + 'static,
        R: Future<Output = Result<Vec<u8>, E>> + Send + 'static,
        E: Into<BoxError>,
    {
        Self { decrypt: Some(boxed(decrypt)), ..self }
    }

    /// Has `handler` answer all requests, in place of futures.
    pub fn handler(self, handler: impl KeyHandler) -> Self {
        Self { signer: Some(Signer::Handler(Box::new(handler))), ..self }
    }

    /// Runs the futures on this runtime. `None`, the default, means a thread of this crate, one for all such keys:
    /// what runs there must not block.
    pub fn handle(self, handle: impl Into<Option<Handle>>) -> Self {
        Self { runtime: handle.into(), ..self }
    }

    /// Lets the signer have at most so many requests at once; more wait, first come, first served. No limit by default.
    pub fn concurrency(self, requests: usize) -> Self {
        Self { concurrency: Some(requests), ..self }
    }

    /// Fails requests with [`KeyError::TimedOut`] that have no answer so long after they were made, the time they
    /// waited for their turn included. None by default.
    pub fn timeout(self, timeout: Duration) -> Self {
        Self { timeout: Some(timeout), ..self }
    }

    /// Says what the signer can do; by default all that TLS has for the type of the key.
    ///
    /// What is missing is not negotiated where libssl asks the key, which is by digest; [`super::sigalgs_list`] tells
    /// the rest.
    pub fn schemes(self, schemes: impl IntoIterator<Item = SignatureScheme>) -> Self {
        Self { schemes: Some(schemes.into_iter().collect()), ..self }
    }

    /// Says how the signer encodes ECDSA signatures; DER by default.
    pub fn signature_format(self, format: SignatureFormat) -> Self {
        Self { format, ..self }
    }

    /// Verifies each signature with the public half before it is used, at the price of a verification.
    ///
    /// For debugging: libssl does not, and a wrong signature is found by the peer.
    pub fn verify_signatures(self, verify: bool) -> Self {
        Self { verify, ..self }
    }

    /// Has `meter` count what the key is asked, and how that ends.
    pub fn meter(self, meter: &KeyMeter) -> Self {
        Self { meter: meter.clone(), ..self }
    }

    /// Makes the key. The signer is dropped with the last reference to it and the last request.
    pub fn build(self) -> Result<PKey<Private>, RemoteKeyError> {
        let public = self.public?;
        if self.concurrency == Some(0) {
            return Err(RemoteKeyError::Concurrency);
        }
        let narrowed = self.schemes.is_some();
        let allowed = SignatureScheme::all().filter(|scheme| public.allows(*scheme));
        let schemes = self.schemes.unwrap_or_else(|| allowed.collect());
        if schemes.is_empty() {
            return Err(RemoteKeyError::Scheme(None));
        }
        if let Some(other) = schemes.iter().find(|scheme| !public.allows(**scheme)) {
            return Err(RemoteKeyError::Scheme(Some(*other)));
        }
        let deadlines = match self.timeout {
            Some(timeout) => Some(Deadlines::new(timeout, start_own_runtime()?)),
            None => None,
        };
        let (handler, runtime): (Box<dyn KeyHandler>, _) = match self.signer.ok_or(RemoteKeyError::NoSigner)? {
            Signer::Function(sign) => {
                let runtime = self.runtime.map_or_else(start_own_runtime, Ok)?;
                let decrypt_raw = self.decrypt.unwrap_or_else(|| boxed(unsupported));
                (
                    Box::new(Spawn { sign, decrypt_raw, runtime: runtime.clone(), process: Process::current() }),
                    Some(runtime),
                )
            }
            Signer::Handler(handler) => (handler, None),
        };
        let queue = Queue::new(self.concurrency);
        let (format, verify, meter) = (self.format, self.verify, self.meter);
        let key = Backend { public, handler, queue, deadlines, meter, runtime, schemes, narrowed, format, verify };
        Ok(provider::make(Arc::new(key))?)
    }
}

/// A remote key with all defaults; see [`RemoteKeyBuilder`] for the rest.
///
/// The futures of `method` run on the runtime of `handle`, or on a thread of this crate for `None`.
pub fn remote<T: HasPublic>(
    public_key: &PKeyRef<T>,
    method: impl PrivateKeyMethod,
    handle: impl Into<Option<Handle>>,
) -> Result<PKey<Private>, RemoteKeyError> {
    RemoteKey::builder(public_key).method(method).handle(handle).build()
}

fn boxed<Q, F, R, E>(function: F) -> Method<Q>
where
    F: Fn(Q) -> R + Send + Sync + 'static,
    R: Future<Output = Result<Vec<u8>, E>> + Send + 'static,
    E: Into<BoxError>,
{
    Arc::new(move |request| {
        let future = function(request);
        let future: KeyFuture = Box::pin(async move { future.await.map_err(Into::into) });
        future
    })
}

async fn unsupported(_: DecryptRequest) -> Result<Vec<u8>, KeyError> {
    Err(KeyError::Unsupported)
}

fn start_own_runtime() -> Result<Handle, RemoteKeyError> {
    own_runtime().map_err(|error| RemoteKeyError::Thread(Arc::new(error)))
}

impl fmt::Debug for RemoteKeyBuilder {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("RemoteKeyBuilder")
            .field("concurrency", &self.concurrency)
            .field("timeout", &self.timeout)
            .field("schemes", &self.schemes)
            .field("format", &self.format)
            .field("verify", &self.verify)
            .finish_non_exhaustive()
    }
}
