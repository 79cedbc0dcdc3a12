//! The callback: whose it is, when it is called, and that nothing else resumes a job.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;

use libssl_async::Error;
use libssl_async_sys::ASYNC_STATUS_OK;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::source::{Operation, Scene, Sources};
use crate::support::sockets;

fn take_one(sources: &Sources) -> Result<(), openssl::ssl::AlpnError> {
    sources.hand_over(Operation::submit(Some(ASYNC_STATUS_OK)));
    Ok(())
}

#[tokio::test]
async fn a_panic_in_the_callback_is_caught() {
    let mut scene = Scene::new(take_one);
    scene.acceptor.set_async_callback(|event| panic!("{event:?}: meant to panic"));
    let (client, server) = scene.begin().await;
    let operation = scene.operation().await;
    // Nothing unwinds into the source.
    thread::spawn(move || operation.call_back()).join().unwrap();
    let (client, server) = tokio::join!(client, server);
    client.unwrap();
    server.unwrap();
}

#[tokio::test]
async fn a_callback_of_the_connection_replaces_the_acceptors() {
    let mut scene = Scene::new(|sources| {
        take_one(sources)?;
        take_one(sources)?;
        take_one(sources)
    });
    let (of_acceptor, first, second) = (counter(), counter(), counter());
    scene.acceptor.set_async_callback(count(&of_acceptor));
    let (client, server) = scene.begin().await;
    scene.operation().await.call_back();
    let operation = scene.operation().await;
    server.set_async_callback(count(&first));
    operation.call_back();
    let operation = scene.operation().await;
    // While it is paused, too.
    scene.until(|metrics| metrics.paused == 1).await;
    server.set_async_callback(count(&second));
    operation.call_back();
    let (client, server) = tokio::join!(client, server);
    client.unwrap();
    server.unwrap();
    assert_eq!([of_acceptor, first, second].map(|counter| counter.load(Ordering::SeqCst)), [1, 1, 1]);

    // Other connections keep the acceptor's.
    let other = counter();
    scene.acceptor.set_async_callback(count(&other));
    let (client, server) = scene.begin().await;
    for _ in 0..3 {
        scene.operation().await.call_back();
    }
    let (client, server) = tokio::join!(client, server);
    client.unwrap();
    server.unwrap();
    assert_eq!(other.load(Ordering::SeqCst), 3);
}

#[tokio::test]
async fn callbacks_are_replaced_while_completions_come() {
    let mut scene = Scene::new(|sources| (0..200).try_for_each(|_| take_one(sources)));
    let (client, server) = scene.begin().await;
    let mut counters = Vec::new();
    for _ in 0..200 {
        let operation = scene.operation().await;
        let completing = thread::spawn(move || operation.call_back());
        let counter = counter();
        server.set_async_callback(count(&counter));
        counters.push(counter);
        completing.join().unwrap();
    }
    let (client, server) = tokio::join!(client, server);
    client.unwrap();
    server.unwrap();
    let told: u64 = counters.iter().map(|counter| counter.load(Ordering::SeqCst)).sum();
    // The first completion may have come before there was any callback.
    assert!((199..=200).contains(&told), "{told}");
    assert_eq!(scene.workers.metrics().callbacks, 200);
}

#[tokio::test]
async fn a_peer_that_sends_or_goes_does_not_resume_the_job() {
    let mut scene = Scene::new(take_one);
    let (client, server) = sockets().await;
    let accepting = scene.acceptor.accept(server);
    let (mut hello, mut client) = (client_hello().await, client);
    client.write_all(&hello).await.unwrap();
    let operation = scene.operation().await;
    scene.until(|metrics| metrics.paused == 1).await;
    // More input wakes the task of the handshake, and so does the end.
    hello.truncate(5);
    client.write_all(&hello).await.unwrap();
    client.shutdown().await.unwrap();
    served_meanwhile(&mut scene).await;
    assert_eq!(scene.resumed(), 1, "only the connection that was served meanwhile");
    operation.call_back();
    let error = accepting.await.unwrap_err();
    assert!(!matches!(error, Error::Cancelled | Error::Source), "{error:?}");
    assert_eq!(scene.resumed(), 2);
    drop(client);
}

/// Another handshake on the same worker from its beginning to its end.
async fn served_meanwhile(scene: &mut Scene) {
    let (client, server) = scene.begin().await;
    scene.operation().await.call_back();
    let (client, server) = tokio::join!(client, server);
    client.unwrap();
    server.unwrap();
}

/// The first message of a client of the scene.
async fn client_hello() -> Vec<u8> {
    let scene = Scene::new(|_| Ok(()));
    let (client, mut server): (TcpStream, TcpStream) = sockets().await;
    let _connecting = scene.connect(client);
    let mut header = [0; 5];
    server.read_exact(&mut header).await.unwrap();
    let mut hello = header.to_vec();
    hello.resize(5 + usize::from(u16::from_be_bytes([header[3], header[4]])), 0);
    server.read_exact(&mut hello[5..]).await.unwrap();
    hello
}

fn counter() -> Arc<AtomicU64> {
    Arc::default()
}

fn count(counter: &Arc<AtomicU64>) -> impl Fn(libssl_async::AsyncEvent) + Send + Sync + 'static {
    let counter = Arc::clone(counter);
    move |_| {
        counter.fetch_add(1, Ordering::SeqCst);
    }
}
