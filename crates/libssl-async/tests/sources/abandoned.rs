//! Handshakes that are given up while a source has their operation: nobody can cancel it.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use libssl_async::Workers;
use libssl_async_sys::{ASYNC_STATUS_EAGAIN, ASYNC_STATUS_OK};

use crate::source::{Operation, Scene, Sources, pause};

fn take_one(sources: &Sources) -> Result<(), openssl::ssl::AlpnError> {
    sources.hand_over(Operation::submit(Some(ASYNC_STATUS_OK)));
    Ok(())
}

#[tokio::test]
async fn the_drain_waits_for_the_completion() {
    let mut scene = Scene::new(take_one);
    let (client, server) = scene.begin().await;
    let operation = scene.operation().await;
    scene.until(|metrics| metrics.paused == 1).await;
    drop(server);
    client.await.unwrap_err();
    scene.until(|metrics| metrics.failed == 1).await;
    let metrics = scene.workers.metrics();
    assert_eq!((scene.resumed(), metrics.drained, metrics.paused), (0, 0, 1));
    operation.call_back();
    scene.until(|metrics| metrics.drained == 1).await;
    let metrics = scene.workers.metrics();
    assert_eq!((scene.resumed(), metrics.paused, metrics.leaked), (1, 0, 0));
}

#[tokio::test]
async fn the_drain_retries_what_is_busy() {
    let busy = Arc::new(AtomicBool::new(true));
    let is_busy = Arc::clone(&busy);
    let mut scene = Scene::new(move |sources| {
        while is_busy.load(Ordering::SeqCst) {
            let _operation = Operation::submit(Some(ASYNC_STATUS_EAGAIN));
            pause();
        }
        take_one(sources)
    });
    let (_client, server) = scene.begin().await;
    scene.until(|metrics| metrics.pauses >= 1).await;
    drop(server);
    scene.until(|metrics| metrics.failed == 1).await;
    let before = scene.workers.metrics().again_retries;
    scene.until(|metrics| metrics.again_retries > before).await;
    busy.store(false, Ordering::SeqCst);
    scene.operation().await.call_back();
    scene.until(|metrics| metrics.drained == 1).await;
}

#[tokio::test]
async fn what_is_never_completed_is_told_and_stays_allocated() {
    let workers = Workers::builder().threads(1).drain_timeout(Duration::from_millis(1)).build().unwrap();
    let mut scene = Scene::with(workers, Box::new(take_one));
    let (_client, server) = scene.begin().await;
    let operation = scene.operation().await;
    scene.until(|metrics| metrics.paused == 1).await;
    drop(server);
    scene.until(|metrics| metrics.leaked == 1).await;
    assert_eq!((scene.resumed(), scene.workers.metrics().drained), (0, 0));
    // Far too late, but into memory that is still the connection's.
    operation.call_back();
    // The worker goes on.
    let (client, server) = scene.begin().await;
    scene.operation().await.call_back();
    let (client, server) = tokio::join!(client, server);
    client.unwrap();
    server.unwrap();
    assert_eq!(scene.workers.metrics().callbacks, 2);
}
