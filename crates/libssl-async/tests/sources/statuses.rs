//! The four statuses of `SSL_get_async_status`, and what is done about each.

use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::mpsc::channel;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use libssl_async::{AsyncStatus, Error};
use libssl_async_sys::{ASYNC_STATUS_EAGAIN, ASYNC_STATUS_ERR, ASYNC_STATUS_OK};
use openssl::ssl::AlpnError;

use crate::source::{Operation, Scene, pause};

/// The statuses that the callback was told, of all connections.
fn told(scene: &mut Scene) -> Arc<Mutex<Vec<Option<AsyncStatus>>>> {
    let told = Arc::<Mutex<Vec<_>>>::default();
    let kept = Arc::clone(&told);
    scene.acceptor.set_async_callback(move |event| kept.lock().unwrap().push(event.status));
    told
}

#[tokio::test]
async fn ok_waits_for_the_completion() {
    let mut scene = Scene::new(|sources| {
        sources.hand_over(Operation::submit(Some(ASYNC_STATUS_OK)));
        Ok(())
    });
    let told = told(&mut scene);
    let (go_on, held_up) = channel::<()>();
    let _worker = scene.workers.spawn_pinned(move || async move { held_up.recv() });
    let (client, server) = scene.begin().await;
    assert_eq!(server.async_status(), None);
    go_on.send(()).unwrap();
    let operation = scene.operation().await;
    scene.until(|metrics| metrics.paused == 1).await;
    assert_eq!(server.async_status(), Some(AsyncStatus::Ok));
    assert_eq!(scene.resumed(), 0);
    operation.call_back();
    let (client, server) = tokio::join!(client, server);
    client.unwrap();
    assert_eq!(server.unwrap().async_status(), Some(AsyncStatus::Ok));
    assert_eq!(*told.lock().unwrap(), [Some(AsyncStatus::Ok)]);
    let metrics = scene.workers.metrics();
    assert_eq!((metrics.pauses, metrics.resumes, metrics.callbacks, metrics.again_retries), (1, 1, 1, 0));
}

/// As OpenSSL's own `dasync` does it: no status, and the callback before the pause.
#[tokio::test]
async fn unsupported_goes_on_with_the_callback_that_came_before_the_pause() {
    let mut scene = Scene::new(|_| {
        for _ in 0..3 {
            Operation::submit(None).call_back();
            pause();
        }
        Ok(())
    });
    let told = told(&mut scene);
    let (client, server) = scene.begin().await;
    let (client, server) = tokio::join!(client, server);
    client.unwrap();
    assert_eq!(server.unwrap().async_status(), Some(AsyncStatus::Unsupported));
    assert_eq!(*told.lock().unwrap(), [Some(AsyncStatus::Unsupported); 3]);
    let metrics = scene.workers.metrics();
    assert_eq!((metrics.pauses, metrics.resumes, metrics.callbacks), (3, 3, 3));
}

/// How often the source is busy in the tests below, and the least time that all retries together take: half of the
/// delays, which double from 1 ms to 64.
const BUSY: u32 = 9;
const LEAST: Duration = Duration::from_millis((1 + 2 + 4 + 8 + 16 + 32 + 64 + 64 + 64) / 2);

/// As accelerators do it: nobody calls back.
#[tokio::test]
async fn again_is_tried_again_after_a_growing_delay() {
    let mut scene = Scene::new(|sources| {
        for _ in 0..BUSY {
            let _operation = Operation::submit(Some(ASYNC_STATUS_EAGAIN));
            pause();
        }
        sources.hand_over(Operation::submit(Some(ASYNC_STATUS_OK)));
        Ok(())
    });
    let told = told(&mut scene);
    let start = Instant::now();
    let (client, server) = scene.begin().await;
    let operation = scene.operation().await;
    assert!(start.elapsed() >= LEAST);
    scene.until(|metrics| metrics.pauses == u64::from(BUSY) + 1).await;
    assert_eq!(scene.resumed(), 0);
    operation.call_back();
    let (client, server) = tokio::join!(client, server);
    client.unwrap();
    assert_eq!(server.unwrap().async_status(), Some(AsyncStatus::Ok));
    assert_eq!(*told.lock().unwrap(), [Some(AsyncStatus::Ok)]);
    let metrics = scene.workers.metrics();
    assert_eq!((metrics.again_retries, metrics.callbacks), (u64::from(BUSY), 1));
    assert_eq!((metrics.pauses, metrics.resumes), (u64::from(BUSY) + 1, u64::from(BUSY) + 1));
}

#[tokio::test]
async fn again_is_told_while_it_lasts() {
    let busy = Arc::new(AtomicBool::new(true));
    let is_busy = Arc::clone(&busy);
    let scene = Scene::new(move |_| {
        while is_busy.load(Ordering::SeqCst) {
            let _operation = Operation::submit(Some(ASYNC_STATUS_EAGAIN));
            pause();
        }
        Ok(())
    });
    let (client, server) = scene.begin().await;
    scene.until(|metrics| metrics.pauses >= 1).await;
    assert_eq!(server.async_status(), Some(AsyncStatus::Again));
    busy.store(false, Ordering::SeqCst);
    let (client, server) = tokio::join!(client, server);
    client.unwrap();
    server.unwrap();
}

/// As the manual page has it: the callback tells the retry. Its permit must resume nothing that comes later.
#[tokio::test]
async fn again_with_the_callback_is_tried_again_no_sooner() {
    let mut scene = Scene::new(|sources| {
        for _ in 0..BUSY {
            Operation::submit(Some(ASYNC_STATUS_EAGAIN)).call_back();
            pause();
        }
        sources.hand_over(Operation::submit(Some(ASYNC_STATUS_OK)));
        Ok(())
    });
    let told = told(&mut scene);
    let start = Instant::now();
    let (client, server) = scene.begin().await;
    let operation = scene.operation().await;
    assert!(start.elapsed() >= LEAST);
    scene.until(|metrics| metrics.pauses == u64::from(BUSY) + 1).await;
    assert_eq!(scene.resumed(), 0);
    operation.call_back();
    let (client, server) = tokio::join!(client, server);
    client.unwrap();
    server.unwrap();
    let mut expected = vec![Some(AsyncStatus::Again); BUSY as usize];
    expected.push(Some(AsyncStatus::Ok));
    assert_eq!(*told.lock().unwrap(), expected);
    let metrics = scene.workers.metrics();
    assert_eq!((metrics.again_retries, metrics.callbacks), (u64::from(BUSY), u64::from(BUSY) + 1));
}

#[tokio::test]
async fn error_is_resumed_once_to_fail() {
    let calls = Arc::<AtomicU32>::default();
    let counted = Arc::clone(&calls);
    let scene = Scene::new(move |_| {
        let _operation = Operation::submit(Some(ASYNC_STATUS_ERR));
        pause();
        counted.fetch_add(1, Ordering::SeqCst);
        Err(AlpnError::ALERT_FATAL)
    });
    let (client, server) = scene.begin().await;
    let (client, server) = tokio::join!(client, server);
    let Err(Error::Ssl(error)) = server else { panic!("{server:?}") };
    assert_eq!(error.alert().map(|alert| (alert.name(), alert.received())), Some(("no_application_protocol", false)));
    let Err(Error::Ssl(error)) = client else { panic!("{client:?}") };
    assert_eq!(error.alert().map(|alert| (alert.name(), alert.received())), Some(("no_application_protocol", true)));
    assert_eq!(calls.load(Ordering::SeqCst), 1);
    let metrics = scene.workers.metrics();
    assert_eq!((metrics.pauses, metrics.resumes, metrics.callbacks, metrics.paused), (1, 1, 0, 0));
}

#[tokio::test]
async fn error_that_does_not_fail_the_call_fails_the_handshake() {
    let mut scene = Scene::new(|sources| {
        let _operation = Operation::submit(Some(ASYNC_STATUS_ERR));
        pause();
        // Resumed to fail, it takes another operation, and waits.
        sources.hand_over(Operation::submit(Some(ASYNC_STATUS_ERR)));
        Ok(())
    });
    let (client, server) = scene.begin().await;
    let error = server.await.unwrap_err();
    assert!(matches!(error, Error::Source), "{error:?}");
    client.await.unwrap_err();
    let operation = scene.operation().await;
    assert_eq!((scene.resumed(), scene.workers.metrics().drained), (0, 0));
    operation.call_back();
    scene.until(|metrics| metrics.drained == 1).await;
    assert_eq!(scene.resumed(), 1);
    let metrics = scene.workers.metrics();
    assert_eq!((metrics.pauses, metrics.resumes, metrics.paused, metrics.leaked), (2, 2, 0, 0));
}
