//! Limits of a pool: handshakes at once, their time, and the end of the pool itself.

mod support;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use libssl_async::keys::{BoxError, RemoteKey};
use libssl_async::{Error, TlsAcceptor, TlsConnector, Workers, is_capable};
use openssl::hash::MessageDigest;
use openssl::sign::Signer;
use support::{Identity, eventually, sockets, until};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

/// When a key signs, and how often it was asked to.
struct Signing {
    permits: Semaphore,
    asked: AtomicU64,
}

impl Signing {
    fn new(permits: usize) -> Arc<Self> {
        Arc::new(Self { permits: Semaphore::new(permits), asked: AtomicU64::new(0) })
    }

    /// Waits until it was asked so often: as many handshakes have come to their key, whether jobs pause for it or not.
    async fn asked(&self, times: u64) {
        let asked = || self.asked.load(Ordering::SeqCst);
        eventually(|| asked() == times, || format!("asked {} times", asked())).await;
    }
}

/// A server whose key signs as often as it has permits, and a client with a pool of its own.
fn pair(workers: &Workers, may: &Arc<Signing>) -> (TlsAcceptor, TlsConnector) {
    let local = Identity::p256();
    let (key, may) = (local.key.clone(), Arc::clone(may));
    let key = RemoteKey::builder(&local.key).sign_fn(move |request| {
        let (key, may) = (key.clone(), Arc::clone(&may));
        may.asked.fetch_add(1, Ordering::SeqCst);
        async move {
            may.permits.acquire().await?.forget();
            Ok::<_, BoxError>(Signer::new(MessageDigest::sha256(), &key)?.sign_oneshot_to_vec(&request.message)?)
        }
    });
    let remote = Identity { key: key.build().unwrap(), certificate: local.certificate.clone() };
    let clients = Workers::builder().threads(1).build().unwrap();
    (remote.pair(workers).0, local.pair(&clients).1)
}

#[tokio::test]
async fn as_many_handshakes_run_and_wait_as_may_and_the_rest_is_told() {
    let workers = Workers::builder().threads(2).max_handshakes(4, 3).build().unwrap();
    let may = Signing::new(0);
    let (acceptor, connector) = pair(&workers, &may);
    let mut handshakes = JoinSet::new();
    for _ in 0..7 {
        let (client, server) = sockets().await;
        let (client, server) = (connector.connect("localhost", client), acceptor.accept(server));
        handshakes.spawn(async move {
            let (client, server) = tokio::join!(client, server);
            (client.unwrap(), server.unwrap())
        });
    }
    may.asked(4).await;
    until(&workers, |metrics| metrics.waiting == 3).await;
    for refused in 1..=5 {
        let (_client, server) = sockets().await;
        let error = acceptor.accept(server).await.unwrap_err();
        assert!(matches!(error, Error::TooManyHandshakes), "{error:?}");
        assert_eq!(workers.metrics().refused, refused);
    }
    let (client, server) = sockets().await;
    let server = server.into_std().unwrap();
    let pinned = acceptor.clone();
    let pinned = workers
        .spawn_pinned(move || async move { pinned.accept_local(TcpStream::from_std(server).unwrap()).await.map(drop) });
    let error = pinned.await.unwrap().unwrap_err();
    assert!(matches!(error, Error::TooManyHandshakes), "{error:?}");
    drop(client);

    may.permits.add_permits(7);
    while let Some(done) = handshakes.join_next().await {
        done.unwrap();
    }
    let metrics = workers.metrics();
    assert_eq!((metrics.handshakes, metrics.failed, metrics.refused), (7, 0, 6));
    assert_eq!((metrics.in_flight, metrics.waiting), (0, 0));
}

#[tokio::test]
async fn an_acceptor_has_limits_of_its_own_beside_those_of_the_pool() {
    let workers = Workers::builder().threads(2).max_handshakes(3, 1).build().unwrap();
    let may = Signing::new(0);
    let (other, connector) = pair(&workers, &may);
    let mut limited = other.clone();
    limited.set_max_handshakes(1, 1);
    let mut handshakes = JoinSet::new();
    let mut begin = async |acceptor: &TlsAcceptor| {
        let (client, server) = sockets().await;
        let (client, server) = (connector.connect("localhost", client), acceptor.accept(server));
        handshakes.spawn(async move {
            let (client, server) = tokio::join!(client, server);
            (client.unwrap(), server.unwrap())
        });
    };
    // A clone has the limit in common.
    begin(&limited).await;
    begin(&limited.clone()).await;
    may.asked(1).await;
    until(&workers, |metrics| metrics.waiting == 1).await;
    let (_client, server) = sockets().await;
    assert!(matches!(limited.accept(server).await, Err(Error::TooManyHandshakes)));
    // What one acceptor refuses, another takes, until the pool is full: one that waits there takes a place too.
    begin(&other).await;
    begin(&other).await;
    may.asked(3).await;
    until(&workers, |metrics| metrics.waiting == 1).await;
    let (_client, server) = sockets().await;
    assert!(matches!(other.accept(server).await, Err(Error::TooManyHandshakes)));
    assert_eq!(workers.metrics().refused, 2);
    may.permits.add_permits(4);
    while let Some(done) = handshakes.join_next().await {
        done.unwrap();
    }
    let metrics = workers.metrics();
    assert_eq!((metrics.handshakes, metrics.failed, metrics.refused), (4, 0, 2));
    assert_eq!((metrics.in_flight, metrics.waiting), (0, 0));
}

#[tokio::test]
async fn a_handshake_that_is_dropped_while_it_waits_gives_its_place() {
    let workers = Workers::builder().threads(1).max_handshakes(1, 1).build().unwrap();
    let may = Signing::new(0);
    let (acceptor, connector) = pair(&workers, &may);
    let (client, server) = sockets().await;
    let (client, running) = (connector.connect("localhost", client), acceptor.accept(server));
    may.asked(1).await;
    for dropped in 1..=10 {
        let (_client, server) = sockets().await;
        let waiting = acceptor.accept(server);
        until(&workers, |metrics| metrics.waiting == 1).await;
        drop(waiting);
        until(&workers, |metrics| metrics.waiting == 0 && metrics.failed == dropped).await;
    }
    drop(running);
    client.await.unwrap_err();
    let drained = u64::from(is_capable());
    until(&workers, |metrics| metrics.drained == drained && metrics.in_flight == 0).await;
    may.permits.add_permits(1);
    let (client, server) = sockets().await;
    let (client, server) = tokio::join!(connector.connect("localhost", client), acceptor.accept(server));
    client.unwrap();
    server.unwrap();
    assert_eq!(workers.metrics().refused, 0);
}

#[tokio::test]
async fn a_handshake_has_its_time_whatever_it_waits_for() {
    let workers = Workers::builder().threads(1).max_handshakes(3, 1).build().unwrap();
    let (mut acceptor, connector) = pair(&workers, &Signing::new(0));
    let patient = acceptor.clone();
    acceptor.set_handshake_timeout(Duration::from_millis(50));
    // One waits for its signer, one for its peer, and later one for its turn.
    let (client, server) = sockets().await;
    let (client, signer) = (connector.connect("localhost", client), acceptor.accept(server));
    let (_silent, server) = sockets().await;
    let peer = acceptor.accept(server);
    for late in [signer, peer] {
        let error = late.await.unwrap_err();
        assert!(matches!(error, Error::HandshakeTimeout), "{error:?}");
    }
    client.await.unwrap_err();
    let mut running = Vec::new();
    for _ in 0..3 {
        let (silent, server) = sockets().await;
        running.push((silent, patient.accept(server)));
    }
    let (_silent, server) = sockets().await;
    let error = acceptor.accept(server).await.unwrap_err();
    assert!(matches!(error, Error::HandshakeTimeout), "{error:?}");
    assert_eq!(workers.metrics().in_flight, 3);
    drop(running);
    until(&workers, |metrics| metrics.in_flight == 0 && metrics.paused == 0).await;
    assert_eq!(workers.metrics().failed, 6);
}

#[tokio::test]
async fn a_pool_that_is_shut_down_drops_all_and_says_what_it_drained() {
    let workers = Workers::builder().threads(2).build().unwrap();
    let may = Signing::new(1);
    let (acceptor, connector) = pair(&workers, &may);
    let (client, server) = sockets().await;
    let (client, server) = tokio::join!(connector.connect("localhost", client), acceptor.accept(server));
    let (mut client, mut server) = (client.unwrap(), server.unwrap());
    let mut handshakes = Vec::new();
    for _ in 0..10 {
        let (client, server) = sockets().await;
        handshakes.push((connector.connect("localhost", client), acceptor.accept(server)));
    }
    let pinned = workers.spawn_pinned(std::future::pending::<()>);
    may.asked(11).await;
    // Threads that block are no jobs, and have nothing to drain.
    let paused = if is_capable() { 10 } else { 0 };
    until(&workers, |metrics| metrics.paused == paused).await;

    let shutdown = workers.shutdown().await;
    assert_eq!((shutdown.drained, shutdown.leaked), (paused, 0));
    for (client, server) in handshakes {
        assert!(matches!(server.await, Err(Error::Cancelled)));
        client.await.unwrap_err();
    }
    assert!(matches!(pinned.await, Err(Error::Cancelled)));
    let (_client, refused) = sockets().await;
    assert!(matches!(acceptor.accept(refused).await, Err(Error::Cancelled)));
    assert!(matches!(workers.spawn_pinned(|| async {}).await, Err(Error::Cancelled)));
    let metrics = workers.metrics();
    assert_eq!((metrics.pauses, metrics.resumes), if is_capable() { (11, 11) } else { (0, 0) });
    assert_eq!((metrics.paused, metrics.in_flight), (0, 0));
    // Again there is nothing to do.
    assert_eq!(workers.shutdown().await.drained, 0);

    // Streams do not need the pool.
    client.write_all(b"hello").await.unwrap();
    server.read_exact(&mut [0; 5]).await.unwrap();
}

#[tokio::test]
async fn each_worker_begins_with_what_it_is_given_and_survives_its_panic() {
    let began = Arc::new(AtomicU64::new(0));
    let counted = Arc::clone(&began);
    let start = move || {
        if counted.fetch_add(1, Ordering::SeqCst) == 0 {
            panic!("expected");
        }
    };
    let workers = Workers::builder().threads(2).on_thread_start(start).build().unwrap();
    let name = || async { std::thread::current().name().map(str::to_owned) };
    let mut names = Vec::new();
    while names.len() < 2 {
        // The least busy one runs it.
        let name = workers.spawn_pinned(name).await.unwrap().unwrap();
        if !names.contains(&name) {
            names.push(name);
        }
    }
    assert_eq!(began.load(Ordering::SeqCst), 2);
    workers.shutdown().await;
}
