//! Handshakes that are given up while a source has their operation: nobody can cancel it.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use libssl_async::Workers;
use libssl_async_sys::{ASYNC_STATUS_EAGAIN, ASYNC_STATUS_OK};

use crate::source::{Operation, Scene, Sources, pause};
use crate::support::eventually;

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

/// Rule 17: the pool of a thread goes with the thread, and jobs with the pool.
#[tokio::test]
async fn a_worker_whose_handles_are_gone_ends_after_its_last_job() {
    let mut scene = Scene::new(take_one);
    let (_client, server) = scene.begin().await;
    let operation = scene.operation().await;
    scene.until(|metrics| metrics.paused == 1).await;
    drop(server);
    let Scene { workers, acceptor, sources, .. } = scene;
    drop((workers, acceptor));
    // The worker, the drained connection in it, has the last references to the callback of ALPN.
    operation.call_back();
    let references = || Arc::strong_count(&sources);
    eventually(|| references() == 1, || format!("{} references", references())).await;
    assert_eq!(sources.resumed.load(Ordering::SeqCst), 1);
}

/// Operations are completed by many threads, after delays that differ, while their connection goes.
#[tokio::test]
async fn completions_from_many_threads_race_with_drops() {
    for round in 0..60 {
        let mut scene = Scene::new(|sources| (0..4).try_for_each(|_| take_one(sources)));
        let (client, server) = scene.begin().await;
        let mut server = Some(server);
        let mut threads = Vec::new();
        for step in 0..4 {
            let operation = scene.operation().await;
            threads.push(std::thread::spawn(move || {
                (0..round * 97 % 1_000).for_each(|_| std::hint::spin_loop());
                operation.call_back();
            }));
            if round % 5 == step {
                server = None;
            }
        }
        threads.into_iter().for_each(|thread| thread.join().unwrap());
        if let Some(server) = server {
            let (client, server) = tokio::join!(client, server);
            client.unwrap();
            server.unwrap();
        }
        scene.until(|metrics| metrics.in_flight == 0 && metrics.paused == 0 && metrics.resumes == 4).await;
        let metrics = scene.workers.metrics();
        assert_eq!((metrics.pauses, metrics.callbacks, metrics.leaked), (4, 4, 0));
        assert_eq!(metrics.handshakes + metrics.failed, 1);
    }
}

/// A source that calls back twice resumes its job once, and no later operation.
#[tokio::test]
async fn a_second_completion_of_an_operation_resumes_nothing() {
    let mut scene = Scene::new(take_one);
    for _ in 0..20 {
        let (client, server) = scene.begin().await;
        let operation = scene.operation().await;
        scene.until(|metrics| metrics.paused == 1).await;
        // The worker cannot take the first before the second has come.
        let (go_on, held_up) = std::sync::mpsc::channel::<()>();
        let _worker = scene.workers.spawn_pinned(move || async move { held_up.recv() });
        operation.call_back();
        operation.call_back();
        go_on.send(()).unwrap();
        let (client, server) = tokio::join!(client, server);
        client.unwrap();
        server.unwrap();
    }
    let metrics = scene.workers.metrics();
    assert_eq!((metrics.pauses, metrics.resumes), (20, 20));
}

/// The drain is bounded in number, too: what is left allocated keeps its job, of which a thread has so many.
#[tokio::test]
async fn jobs_that_are_never_completed_use_up_those_of_their_thread() {
    let builder = Workers::builder().threads(1).jobs_per_thread(2).drain_timeout(Duration::from_millis(1));
    let mut scene = Scene::with(builder.build().unwrap(), Box::new(take_one));
    let mut operations = Vec::new();
    for leaked in 1..=2 {
        let (_client, server) = scene.begin().await;
        operations.push(scene.operation().await);
        scene.until(|metrics| metrics.paused == leaked).await;
        drop(server);
        scene.until(|metrics| metrics.leaked == leaked).await;
    }
    let (_client, server) = scene.begin().await;
    let error = server.await.unwrap_err();
    assert!(matches!(error, libssl_async::Error::JobsExhausted), "{error:?}");
}

#[tokio::test]
async fn a_pool_that_is_shut_down_tells_what_was_never_completed() {
    let workers = Workers::builder().threads(1).drain_timeout(Duration::from_millis(20)).build().unwrap();
    let mut scene = Scene::with(workers, Box::new(take_one));
    let mut handshakes = Vec::new();
    for _ in 0..3 {
        handshakes.push(scene.begin().await);
    }
    let operations = [scene.operation().await, scene.operation().await, scene.operation().await];
    scene.until(|metrics| metrics.paused == 3).await;
    // One is in the drain already when the pool ends.
    drop(handshakes.pop());
    scene.until(|metrics| metrics.failed == 1).await;
    let shutdown = scene.workers.shutdown().await;
    // Its time may have been over before.
    assert!(shutdown.drained == 0 && shutdown.leaked >= 2, "{shutdown:?}");
    assert_eq!(scene.workers.metrics().leaked, 3);
    // Far too late, but into memory that is still there.
    operations.iter().for_each(Operation::call_back);
}
