//! Private keys that are somewhere else: in a key management service, an HSM, another thread.
//!
//! The life of a signature in a handshake:
//! 1. libssl, on the fibre of the connection's job, asks the key to sign; the key is a provider's of this crate;
//! 2. the key hands a [`SignRequest`] to its signer and pauses the job: the worker goes on with other connections;
//! 3. the signer, a future on a runtime of its own, answers; the answer is checked;
//! 4. the completion goes the way of any asynchronous engine's: the callback of the job's wait context, the
//!    connection's asynchronous callback, its worker;
//! 5. the worker resumes the job, libssl gets the signature and goes on.
//!
//! A signer that fails, panics, gives something impossible or no answer in time fails that handshake with a
//! [`KeyError`], and no other. When the connection goes away first, the request's future is dropped, and a late answer
//! with it.
//!
//! Outside the jobs of this crate's connections the same key blocks the thread that signs: under `tokio-openssl`, or
//! when it signs a certificate request. Where that would wait for itself it fails with [`KeyError::WouldBlock`]: on
//! the thread of the current-thread runtime that is to run the signer, and on threads that
//! [`forbid_blocking`].
//!
//! ```
//! use libssl_async::keys::{DecryptRequest, KeyError, RemoteKey, SignRequest};
//! # use openssl::{pkey::{PKey, Private}, rsa::Rsa, sign::Signer, hash::MessageDigest};
//! # async fn ask_the_hsm(digest: &[u8]) -> Result<Vec<u8>, std::io::Error> { Ok(vec![0; 256]) }
//! # let public_key = PKey::from_rsa(Rsa::generate(2048)?)?;
//!
//! let key: PKey<Private> = RemoteKey::builder(&public_key)
//!     .sign_fn(|request: SignRequest| async move {
//!         let digest = request.digest.ok_or(KeyError::Unsupported)?;
//!         ask_the_hsm(&digest.bytes).await.map_err(|error| KeyError::Failed(std::sync::Arc::new(error)))
//!     })
//!     .concurrency(64)
//!     .build()?;
//! # assert_eq!(Signer::new(MessageDigest::sha256(), &key)?.sign_oneshot_to_vec(b"message")?, [0; 256]);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod backend;
mod builder;
mod call;
mod deadlines;
mod decrypt;
mod error;
mod keymgmt;
mod kind;
mod meter;
mod method;
mod offload;
mod private;
mod provider;
mod public;
mod queue;
mod raise;
mod request;
mod scheme;
mod schemes;
mod signature;
mod spawn;
#[cfg(all(test, not(model)))]
mod tests;

pub use builder::{RemoteKey, RemoteKeyBuilder, remote};
pub use call::Answer;
pub use error::{BoxError, KeyError, RemoteKeyError};
pub use meter::{KeyMeter, KeyStats};
pub use method::{KeyFuture, KeyHandler, PrivateKeyMethod};
pub use offload::Offload;
pub use public::SignatureFormat;
pub use request::{DecryptRequest, Digest, SignRequest};
pub use scheme::{DigestAlgorithm, SignatureScheme};
pub use schemes::sigalgs_list;

pub use crate::source::{Cancellation, forbid_blocking};
