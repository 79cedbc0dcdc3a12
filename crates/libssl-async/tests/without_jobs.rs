//! Handshakes where jobs cannot pause: remote keys block threads that are there for it, and never a worker (rule 25).

mod support;

use std::sync::Arc;
use std::time::Duration;

use libssl_async::keys::{KeyError, RemoteKey};
use libssl_async::{Error, TlsAcceptor, TlsConnector, Workers, WorkersBuilder, is_capable};
use openssl::hash::MessageDigest;
use openssl::sign::Signer;
use openssl::ssl::{AlpnError, SslMode};
use support::{Identity, pattern, sockets, until};
use tokio::io::{AsyncReadExt, AsyncWriteExt, Interest};
use tokio::net::TcpStream;
use tokio::sync::{Semaphore, mpsc};
use tokio::task::JoinSet;
use tokio::time::timeout;

/// One worker. With an OpenSSL whose jobs cannot pause it is the same without being told.
fn builder() -> WorkersBuilder {
    let builder = Workers::builder().threads(1);
    if is_capable() { builder.without_jobs() } else { builder }
}

/// An identity whose key is asked for, and signs when it may.
fn remote(local: &Identity, may: &Arc<Semaphore>) -> (Identity, mpsc::UnboundedReceiver<&'static str>) {
    struct Told(mpsc::UnboundedSender<&'static str>);
    impl Drop for Told {
        fn drop(&mut self) {
            let _ = self.0.send("dropped");
        }
    }
    let (sender, receiver) = mpsc::unbounded_channel();
    let (key, may) = (local.key.clone(), Arc::clone(may));
    let key = RemoteKey::builder(&local.key)
        .sign_fn(move |request| {
            assert!(request.connection.is_some());
            let (key, may, told) = (key.clone(), Arc::clone(&may), Told(sender.clone()));
            let _ = sender.send("asked");
            async move {
                let _told = told;
                may.acquire().await?.forget();
                let signature = Signer::new(MessageDigest::sha256(), &key)?.sign_oneshot_to_vec(&request.message)?;
                Ok::<_, libssl_async::keys::BoxError>(signature)
            }
        })
        .build()
        .unwrap();
    (Identity { key, certificate: local.certificate.clone() }, receiver)
}

#[tokio::test]
async fn keys_that_are_waited_for_hold_up_nobody_else() {
    let workers = builder().build().unwrap();
    let local = Identity::p256();
    let may = Arc::new(Semaphore::new(0));
    let (identity, mut told) = remote(&local, &may);
    let acceptor = identity.pair(&workers).0;
    let (quick, connector) = local.pair(&workers);
    let mut waiting = JoinSet::new();
    for _ in 0..20 {
        let (client, server) = sockets().await;
        let (client, server) = (connector.connect("localhost", client), acceptor.accept(server));
        waiting.spawn(async move { (client.await.unwrap(), server.await.unwrap()) });
    }
    for _ in 0..20 {
        assert_eq!(told.recv().await, Some("asked"));
    }
    // The one worker goes on meanwhile.
    let (client, server) = sockets().await;
    let (client, server) = tokio::join!(connector.connect("localhost", client), quick.accept(server));
    let (mut client, mut server) = (client.unwrap(), server.unwrap());
    client.write_all(b"hello").await.unwrap();
    server.read_exact(&mut [0; 5]).await.unwrap();
    may.add_permits(20);
    while let Some(done) = waiting.join_next().await {
        done.unwrap();
    }
    let metrics = workers.metrics();
    assert_eq!((metrics.handshakes, metrics.failed, metrics.in_flight), (42, 0, 0));
    assert_eq!((metrics.pauses, metrics.paused), (0, 0));
}

#[tokio::test]
async fn more_handshakes_than_threads_wait_for_their_turn() {
    let workers = builder().blocking_threads(2).build().unwrap();
    let clients = Workers::builder().threads(1).build().unwrap();
    let local = Identity::p256();
    let may = Arc::new(Semaphore::new(0));
    let (identity, mut told) = remote(&local, &may);
    let (acceptor, connector) = (identity.pair(&workers).0, local.pair(&clients).1);
    let mut handshakes = JoinSet::new();
    for _ in 0..8 {
        let (client, server) = sockets().await;
        let (client, server) = (connector.connect("localhost", client), acceptor.accept(server));
        handshakes.spawn(async move { (client.await.unwrap(), server.await.unwrap()) });
    }
    for _ in 0..8 {
        while told.recv().await != Some("asked") {}
        may.add_permits(1);
    }
    while let Some(done) = handshakes.join_next().await {
        done.unwrap();
    }
    assert_eq!(workers.metrics().handshakes, 8);
}

#[tokio::test]
async fn a_peer_that_goes_and_a_handshake_that_is_dropped_cancel_the_request() {
    let workers = builder().blocking_threads(1).build().unwrap();
    let clients = Workers::builder().threads(1).build().unwrap();
    let local = Identity::p256();
    let (identity, mut told) = remote(&local, &Arc::new(Semaphore::new(0)));
    let (acceptor, connector) = (identity.pair(&workers).0, local.pair(&clients).1);
    let (client, server) = sockets().await;
    let (client, accepting) = (connector.connect("localhost", client), acceptor.accept(server));
    assert_eq!(told.recv().await, Some("asked"));
    drop(client);
    let error = accepting.await.unwrap_err();
    assert!(matches!(error, Error::Truncated), "{error:?}");
    assert_eq!(told.recv().await, Some("dropped"));

    let (client, server) = sockets().await;
    let (client, accepting) = (connector.connect("localhost", client), acceptor.accept(server));
    assert_eq!(told.recv().await, Some("asked"));
    drop(accepting);
    assert_eq!(told.recv().await, Some("dropped"));
    client.await.unwrap_err();
    until(&workers, |metrics| metrics.in_flight == 0 && metrics.failed == 2).await;
}

/// A peer may refuse and go: sending fails then, and what it has said is there all the same.
#[tokio::test]
async fn an_alert_is_read_though_nothing_can_be_sent() {
    const HANDSHAKE_FAILURE: [u8; 7] = [21, 3, 3, 0, 2, 2, 40];
    let workers = builder().build().unwrap();
    let (_, connector) = Identity::p256().pair(&workers);
    let (mut client, mut server) = sockets().await;
    client.shutdown().await.unwrap();
    server.write_all(&HANDSHAKE_FAILURE).await.unwrap();
    let error = connector.connect("localhost", client).await.unwrap_err();
    let Error::Ssl(error) = error else { panic!("{error:?}") };
    assert_eq!(error.alert().map(|alert| (alert.name(), alert.received())), Some(("handshake_failure", true)));
}

/// The system tells of a reset once, here to the write of the first message; the read behind it comes to an end.
#[tokio::test]
async fn a_reset_that_a_write_is_told_of_is_no_mere_end() {
    let workers = builder().build().unwrap();
    let (_, connector) = Identity::p256().pair(&workers);
    let (client, server) = sockets().await;
    server.set_zero_linger().unwrap();
    drop(server);
    client.ready(Interest::ERROR).await.unwrap();
    let error = connector.connect("localhost", client).await.unwrap_err();
    assert!(matches!(&error, Error::Io(error) if error.kind() == std::io::ErrorKind::ConnectionReset), "{error:?}");
}

#[tokio::test]
async fn nothing_is_left_of_a_connection_that_has_ended() {
    let workers = builder().build().unwrap();
    let (acceptor, connector) = Identity::p256().pair(&workers);
    let (left, mut told) = mpsc::unbounded_channel::<()>();
    let (client, server) = sockets().await;
    let (client, server) = (connector.connect("localhost", client), acceptor.accept(server));
    for handshake in [&client, &server] {
        let left = left.clone();
        handshake.set_async_callback(move |_| assert!(!left.is_closed()));
    }
    drop(left);
    let (client, server) = tokio::join!(client, server);
    drop((client.unwrap(), server.unwrap()));
    assert_eq!(timeout(Duration::from_secs(60), told.recv()).await, Ok(None));
}

#[tokio::test]
async fn a_signer_that_fails_fails_its_handshake_with_its_own_error() {
    let workers = builder().build().unwrap();
    let local = Identity::p256();
    let key = RemoteKey::builder(&local.key)
        .sign_fn(|_| async { Err::<Vec<u8>, _>(std::io::Error::other("the token was removed")) })
        .build()
        .unwrap();
    let acceptor = Identity { key, certificate: local.certificate.clone() }.pair(&workers).0;
    let connector = local.pair(&workers).1;
    let (client, server) = sockets().await;
    let (client, server) = tokio::join!(connector.connect("localhost", client), acceptor.accept(server));
    let Err(Error::Key(KeyError::Failed(cause))) = server else { panic!("{server:?}") };
    assert_eq!(cause.to_string(), "the token was removed");
    let Err(Error::Ssl(error)) = client else { panic!("{client:?}") };
    assert_eq!(error.alert().map(|alert| (alert.name(), alert.received())), Some(("internal_error", true)));
}

#[tokio::test]
async fn not_even_a_context_in_asynchronous_mode_has_jobs() {
    let workers = builder().build().unwrap();
    let identity = Identity::p256();
    let mut settings = identity.acceptor();
    settings.set_mode(SslMode::from_bits_retain(libssl_async_sys::SSL_MODE_ASYNC as _));
    settings.set_alpn_select_callback(|_, offered| {
        // SAFETY: only asks which job runs on this thread.
        let in_job = unsafe { !libssl_async_sys::ASYNC_get_current_job().is_null() };
        if in_job { Err(AlpnError::ALERT_FATAL) } else { Ok(&offered[1..]) }
    });
    let acceptor = TlsAcceptor::new(settings.build(), &workers);
    let mut settings = identity.connector();
    settings.set_alpn_protos(b"\x04echo").unwrap();
    let connector = TlsConnector::new(settings.build(), &workers);
    let (client, server) = sockets().await;
    let (client, server) = tokio::join!(connector.connect("localhost", client), acceptor.accept(server));
    client.unwrap();
    server.unwrap();
}

#[tokio::test]
async fn pinned_streams_echo() {
    let workers = builder().build().unwrap();
    let local = Identity::p256();
    let (identity, _told) = remote(&local, &Arc::new(Semaphore::new(1)));
    let (acceptor, connector) = (identity.pair(&workers).0, local.pair(&workers).1);
    let (client, server) = sockets().await;
    let server = server.into_std().unwrap();
    let echo = workers.spawn_pinned(move || async move {
        let mut stream = acceptor.accept_local(TcpStream::from_std(server).unwrap()).await.unwrap();
        let mut buffer = vec![0; 10_000];
        loop {
            let read = stream.read(&mut buffer).await.unwrap();
            if read == 0 {
                break;
            }
            stream.write_all(&buffer[..read]).await.unwrap();
        }
        stream.shutdown().await.unwrap();
    });
    let mut stream = connector.connect("localhost", client).await.unwrap();
    let data = pattern(50_000);
    stream.write_all(&data).await.unwrap();
    stream.shutdown().await.unwrap();
    let mut received = Vec::new();
    stream.read_to_end(&mut received).await.unwrap();
    assert!(received == data, "the echo differs");
    echo.await.unwrap();
}
