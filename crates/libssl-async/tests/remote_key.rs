//! Handshakes whose private key is a future: each pauses once, and comes back once.

mod support;

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use libssl_async::keys::{KeyError, RemoteKey, SignRequest};
use libssl_async::{AsyncStatus, Error, TlsAcceptor, TlsConnector, Workers};
use openssl::hash::MessageDigest;
use openssl::pkey::{PKey, Private};
use openssl::sign::Signer;
use support::{Identity, sockets, until};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::sync::{Semaphore, mpsc};
use tokio::task::JoinSet;
use tokio::time::timeout;

/// An identity whose key signs P-256 in another task, and counts.
fn remote(local: &Identity, signatures: Arc<AtomicUsize>) -> Identity {
    let key = local.key.clone();
    let remote = RemoteKey::builder(&local.key)
        .sign_fn(move |request: SignRequest| {
            let key = key.clone();
            signatures.fetch_add(1, Ordering::Relaxed);
            async move { sign(&key, &request) }
        })
        .build()
        .unwrap();
    Identity { key: remote, certificate: local.certificate.clone() }
}

fn sign(key: &PKey<Private>, request: &SignRequest) -> Result<Vec<u8>, openssl::error::ErrorStack> {
    Signer::new(MessageDigest::sha256(), key)?.sign_oneshot_to_vec(&request.message)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_thousand_handshakes_pause_and_resume_once_each() {
    let workers = Workers::builder().threads(2).build().unwrap();
    let signatures = Arc::<AtomicUsize>::default();
    let local = Identity::p256();
    let server = remote(&local, Arc::clone(&signatures));
    let mut acceptor = TlsAcceptor::new(server.acceptor().build(), &workers);
    let told = Arc::<AtomicUsize>::default();
    let count = Arc::clone(&told);
    acceptor.set_async_callback(move |event| {
        assert_eq!(event.status, Some(AsyncStatus::Ok));
        count.fetch_add(1, Ordering::Relaxed);
    });
    let connector = TlsConnector::new(local.connector().build(), &workers);
    for _ in 0..20 {
        let mut pairs = JoinSet::new();
        for _ in 0..50 {
            let (acceptor, connector) = (acceptor.clone(), connector.clone());
            pairs.spawn(async move {
                let (client, server) = sockets().await;
                let (client, server) = tokio::join!(connector.connect("localhost", client), acceptor.accept(server));
                let (mut client, mut server) = (client.unwrap(), server.unwrap());
                client.write_all(b"ping").await.unwrap();
                let mut read = [0; 4];
                server.read_exact(&mut read).await.unwrap();
                assert_eq!(&read, b"ping");
                assert_eq!(server.async_status(), Some(AsyncStatus::Ok));
                assert_eq!(client.async_status(), Some(AsyncStatus::Unsupported));
            });
        }
        while let Some(pair) = pairs.join_next().await {
            pair.unwrap();
        }
    }
    let metrics = workers.metrics();
    assert_eq!((metrics.pauses, metrics.resumes, metrics.callbacks), (1000, 1000, 1000));
    assert_eq!((metrics.handshakes, metrics.failed, metrics.in_flight, metrics.paused), (2000, 0, 0, 0));
    assert_eq!((signatures.load(Ordering::Relaxed), told.load(Ordering::Relaxed)), (1000, 1000));
    assert_eq!(metrics.pause_time.counts.iter().sum::<u64>(), 1000);
}

#[tokio::test]
async fn a_signer_that_fails_fails_its_handshake_with_its_own_error() {
    let workers = Workers::new().unwrap();
    let local = Identity::p256();
    let key = RemoteKey::builder(&local.key)
        .sign_fn(|_| async { Err::<Vec<u8>, _>(std::io::Error::other("the token was removed")) })
        .build()
        .unwrap();
    let server = Identity { key, certificate: local.certificate.clone() };
    let acceptor = TlsAcceptor::new(server.acceptor().build(), &workers);
    let connector = TlsConnector::new(local.connector().build(), &workers);
    let (client, socket) = sockets().await;
    let (client, server) = tokio::join!(connector.connect("localhost", client), acceptor.accept(socket));
    let Err(Error::Key(KeyError::Failed(cause))) = server else { panic!("{server:?}") };
    assert_eq!(cause.to_string(), "the token was removed");
    let Err(Error::Ssl(error)) = client else { panic!("{client:?}") };
    assert_eq!(error.alert().map(|alert| (alert.name(), alert.received())), Some(("internal_error", true)));
}

/// A signer that never answers, and tells when it is asked and when its request is dropped.
fn silent(local: &Identity) -> (Identity, mpsc::UnboundedReceiver<&'static str>) {
    struct Told(mpsc::UnboundedSender<&'static str>);
    impl Drop for Told {
        fn drop(&mut self) {
            let _ = self.0.send("dropped");
        }
    }
    let (sender, receiver) = mpsc::unbounded_channel();
    let key = RemoteKey::builder(&local.key)
        .sign_fn(move |_| {
            let told = Told(sender.clone());
            let _ = sender.send("asked");
            async move {
                std::future::pending::<()>().await;
                drop(told);
                Ok::<_, KeyError>(Vec::new())
            }
        })
        .build()
        .unwrap();
    (Identity { key, certificate: local.certificate.clone() }, receiver)
}

#[tokio::test]
async fn a_handshake_that_is_dropped_while_paused_is_drained() {
    let workers = Workers::builder().threads(1).build().unwrap();
    let local = Identity::p256();
    let (server, mut told) = silent(&local);
    let acceptor = TlsAcceptor::new(server.acceptor().build(), &workers);
    let connector = TlsConnector::new(local.connector().build(), &workers);
    let (client, socket) = sockets().await;
    let (client, accepting) = (connector.connect("localhost", client), acceptor.accept(socket));
    assert_eq!(told.recv().await, Some("asked"));
    drop(accepting);
    assert_eq!(told.recv().await, Some("dropped"));
    client.await.unwrap_err();
    until(&workers, |metrics| metrics.drained == 1).await;
    let metrics = workers.metrics();
    assert_eq!((metrics.pauses, metrics.resumes, metrics.paused, metrics.leaked), (1, 1, 0, 0));
}

#[tokio::test]
async fn a_dropped_handshake_whose_job_asks_again_is_drained() {
    let workers = Workers::builder().threads(1).build().unwrap();
    let local = Identity::p256();
    let (server, mut told) = silent(&local);
    let mut settings = server.acceptor();
    settings.set_alpn_select_callback(move |_, offered| {
        // Pauses, as it runs on the fibre; and so does the signature of the handshake, which comes later.
        let signature = Signer::new(MessageDigest::sha256(), &server.key).unwrap().sign_oneshot_to_vec(b"message");
        signature.unwrap_err();
        Ok(&offered[1..])
    });
    let acceptor = TlsAcceptor::new(settings.build(), &workers);
    let mut settings = local.connector();
    settings.set_alpn_protos(b"\x04echo").unwrap();
    let connector = TlsConnector::new(settings.build(), &workers);
    let (client, socket) = sockets().await;
    let (client, accepting) = (connector.connect("localhost", client), acceptor.accept(socket));
    assert_eq!(told.recv().await, Some("asked"));
    drop(accepting);
    for event in ["dropped", "asked", "dropped"] {
        let told = timeout(Duration::from_secs(30), told.recv()).await;
        assert_eq!(told.expect("the request is cancelled"), Some(event));
    }
    client.await.unwrap_err();
    until(&workers, |metrics| metrics.drained == 1).await;
    let metrics = workers.metrics();
    assert_eq!((metrics.pauses, metrics.resumes, metrics.paused, metrics.leaked), (2, 2, 0, 0));
}

#[tokio::test]
async fn a_peer_that_goes_while_the_handshake_is_paused_is_noticed() {
    let workers = Workers::builder().threads(1).build().unwrap();
    let local = Identity::p256();
    let (server, mut told) = silent(&local);
    let acceptor = TlsAcceptor::new(server.acceptor().build(), &workers);
    let connector = TlsConnector::new(local.connector().build(), &workers);
    let (client, socket) = sockets().await;
    let (client, accepting) = (connector.connect("localhost", client), acceptor.accept(socket));
    assert_eq!(told.recv().await, Some("asked"));
    drop(client);
    let error = accepting.await.unwrap_err();
    assert!(matches!(error, Error::Truncated), "{error:?}");
    assert_eq!(told.recv().await, Some("dropped"));
    let metrics = workers.metrics();
    assert_eq!((metrics.pauses, metrics.resumes, metrics.paused, metrics.drained), (1, 1, 0, 0));
}

#[tokio::test]
async fn connections_wait_their_turn_for_few_jobs() {
    let workers = Workers::builder().threads(1).jobs_per_thread(2).build().unwrap();
    let local = Identity::p256();
    let (asked, mut ask) = mpsc::unbounded_channel();
    let go = Arc::new(Semaphore::new(0));
    let (key, may) = (local.key.clone(), Arc::clone(&go));
    let key = RemoteKey::builder(&local.key)
        .sign_fn(move |request| {
            let (key, asked, may) = (key.clone(), asked.clone(), Arc::clone(&may));
            async move {
                asked.send(()).unwrap();
                may.acquire().await.unwrap().forget();
                sign(&key, &request)
            }
        })
        .build()
        .unwrap();
    let server = Identity { key, certificate: local.certificate.clone() };
    let acceptor = TlsAcceptor::new(server.acceptor().build(), &workers);
    let clients = Workers::builder().threads(1).build().unwrap();
    let connector = TlsConnector::new(local.connector().build(), &clients);
    let mut handshakes = JoinSet::new();
    for _ in 0..20 {
        let (client, server) = sockets().await;
        let (client, server) = (connector.connect("localhost", client), acceptor.accept(server));
        handshakes.spawn(async move {
            let (client, server) = tokio::join!(client, server);
            (client.unwrap(), server.unwrap())
        });
    }
    // Before a signature makes room for those that come late.
    until(&workers, |metrics| metrics.job_waits >= 1).await;
    for _ in 0..20 {
        ask.recv().await.unwrap();
        go.add_permits(1);
    }
    while let Some(done) = handshakes.join_next().await {
        done.unwrap();
    }
    let metrics = workers.metrics();
    assert_eq!((metrics.handshakes, metrics.pauses, metrics.resumes), (20, 20, 20));
    assert!(metrics.job_waits < 200, "{metrics:?}");
}

/// Rule 20: before 4.0, `SSL_get_error` takes anybody's error on this thread for a failure of the call that paused.
#[tokio::test]
async fn an_error_that_a_callback_leaves_behind_fails_nothing() {
    let workers = Workers::builder().threads(1).build().unwrap();
    let local = Identity::p256();
    let server = remote(&local, Arc::default());
    let mut settings = server.acceptor();
    settings.set_servername_callback(|_, _| {
        openssl::x509::X509::from_pem(b"no certificate").unwrap_err().put();
        Ok(())
    });
    let acceptor = TlsAcceptor::new(settings.build(), &workers);
    let connector = TlsConnector::new(local.connector().build(), &workers);
    let (client, socket) = sockets().await;
    let (client, server) = tokio::join!(connector.connect("localhost", client), acceptor.accept(socket));
    client.unwrap();
    server.unwrap();
    assert_eq!(workers.metrics().pauses, 1);
}
