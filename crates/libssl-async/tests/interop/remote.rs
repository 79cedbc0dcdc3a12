//! Keys in another task, and what they and the workers have counted.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use libssl_async::keys::{KeyError, RemoteKey, SignRequest};
use libssl_async::{Metrics, TlsAcceptor, Workers};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

use crate::local_key;
use crate::support::Identity;

/// A pool of workers, and how often remote keys have signed for it.
pub(crate) struct Remote {
    pub(crate) workers: Workers,
    signatures: Arc<AtomicU64>,
}

impl Remote {
    pub(crate) fn new() -> Self {
        Self { workers: Workers::builder().threads(2).build().unwrap(), signatures: Arc::default() }
    }

    /// The identity, with its key elsewhere.
    pub(crate) fn identity(&self, local: &Identity) -> Identity {
        let (key, signatures) = (local.key.clone(), Arc::clone(&self.signatures));
        let remote = RemoteKey::builder(&local.key).sign_fn(move |request: SignRequest| {
            signatures.fetch_add(1, Ordering::Relaxed);
            let signature = local_key::sign(&key, request.scheme.name(), &request.message);
            async move { Ok::<_, KeyError>(signature) }
        });
        Identity { key: remote.build().unwrap(), certificate: local.certificate.clone() }
    }

    /// Asserts that so many handshakes have succeeded, with so many signatures, each with its pause and its callback.
    pub(crate) fn assert_counts(&self, handshakes: u64, signatures: u64, told: &str) {
        let signed = self.signatures.load(Ordering::Relaxed);
        let Metrics { pauses, resumes, callbacks, paused, in_flight, failed, drained, leaked, .. } =
            self.workers.metrics();
        assert_eq!((signed, pauses, resumes, callbacks), (signatures, signatures, signatures, signatures), "{told}");
        assert_eq!(self.workers.metrics().handshakes, handshakes, "{told}");
        assert_eq!((failed, in_flight, paused, drained, leaked), (0, 0, 0, 0, 0), "{told}");
    }
}

/// Accepts on a port of its own, which is returned, and echoes what each connection sends until it ends.
pub(crate) async fn echo(acceptor: TlsAcceptor) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        loop {
            let (socket, _) = listener.accept().await.unwrap();
            let handshake = acceptor.accept(socket);
            tokio::spawn(async move {
                let mut stream = handshake.await.unwrap();
                let mut buffer = [0; 4096];
                // A peer may leave without saying goodbye.
                while let Ok(count @ 1..) = stream.read(&mut buffer).await {
                    stream.write_all(&buffer[..count]).await.unwrap();
                    stream.flush().await.unwrap();
                }
                let _gone = stream.shutdown().await;
            });
        }
    });
    port
}
