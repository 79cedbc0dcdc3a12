//! Private keys that block, made asynchronous: their operations run on threads that may block.

use std::fmt;
use std::io;
use std::sync::Arc;

use openssl::pkey::{PKey, PKeyRef, Private};
use tokio::runtime::{Builder, Runtime};

use super::private::{decrypt_raw, sign};
use super::{
    Answer, BoxError, Cancellation, DecryptRequest, KeyHandler, RemoteKey, RemoteKeyBuilder, RemoteKeyError,
    SignRequest,
};
use crate::exit;
use crate::process::Process;

/// A bounded number of threads for private keys that block where they sign: of a PKCS#11 token or a TPM, of an engine or
/// provider that computes slowly.
///
/// A key made here is a [`RemoteKey`] whose signer is the other key: in the handshakes of this crate's connections an
/// operation pauses the job of that connection, and a thread of this pool does it. Cheap to clone; the threads end when the
/// last handle and the last key are gone.
///
/// ```
/// use libssl_async::keys::Offload;
/// # use openssl::{pkey::PKey, rsa::Rsa};
///
/// # let key_of_the_token = PKey::from_rsa(Rsa::generate(2048)?)?;
/// let threads = Offload::new(8)?;
/// let key = threads.key(&key_of_the_token)?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct Offload {
    threads: Arc<Threads>,
}

struct Threads {
    /// Only its blocking threads are used. `None` while it is dropped.
    runtime: Option<Runtime>,
    number: usize,
    process: Process,
}

impl Offload {
    /// At most so many threads, at least one; they are started when they are needed.
    pub fn new(threads: usize) -> io::Result<Self> {
        let number = threads.max(1);
        let runtime =
            Builder::new_current_thread().max_blocking_threads(number).thread_name("libssl-async-offload").build()?;
        Ok(Self { threads: Arc::new(Threads { runtime: Some(runtime), number, process: Process::current() }) })
    }

    /// The same key, whose operations run on these threads.
    pub fn key(&self, key: &PKeyRef<Private>) -> Result<PKey<Private>, RemoteKeyError> {
        self.builder(key).build()
    }

    /// As [`Offload::key`], with more to choose: a time-out, for instance. What has not begun when it is cancelled or times
    /// out never does; what has goes on, and its answer is dropped.
    pub fn builder(&self, key: &PKeyRef<Private>) -> RemoteKeyBuilder {
        let handler = Blocking { key: key.to_owned(), threads: Arc::clone(&self.threads) };
        RemoteKey::builder(key).handler(handler).concurrency(self.threads.number)
    }
}

/// Has the threads do what the key is asked.
struct Blocking {
    key: PKey<Private>,
    threads: Arc<Threads>,
}

impl KeyHandler for Blocking {
    fn sign(&self, request: SignRequest, answer: Answer) {
        let (key, cancellation) = (self.key.clone(), request.cancellation.clone());
        let sign = move || sign(&key, request.scheme, &request.message).map_err(BoxError::from);
        self.threads.run(cancellation, answer, sign);
    }

    fn decrypt_raw(&self, request: DecryptRequest, answer: Answer) {
        let (key, cancellation) = (self.key.clone(), request.cancellation.clone());
        let decrypt = move || decrypt_raw(&key, &request.ciphertext).map_err(BoxError::from);
        self.threads.run(cancellation, answer, decrypt);
    }
}

impl Threads {
    /// Answers with what `work` returns; it may have been cancelled by the time that there is a thread for it.
    ///
    /// In a child of the process, which has none of the threads, the answer is dropped (rule 27).
    fn run<W>(&self, cancellation: Cancellation, answer: Answer, work: W)
    where
        W: FnOnce() -> Result<Vec<u8>, BoxError> + Send + 'static,
    {
        if let Some(runtime) = self.runtime.as_ref().filter(|_| self.process.is_current()) {
            runtime.spawn_blocking(move || {
                if !cancellation.is_cancelled() {
                    exit::inside(|| answer.complete(work()));
                }
            });
        }
    }
}

impl Drop for Threads {
    fn drop(&mut self) {
        let Some(runtime) = self.runtime.take() else { return };
        if self.process.is_current() {
            // Without waiting for a token that does not answer: this may be a thread that must not block.
            runtime.shutdown_background();
        } else {
            std::mem::forget(runtime);
        }
    }
}

impl fmt::Debug for Offload {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Offload").field("threads", &self.threads.number).finish()
    }
}
