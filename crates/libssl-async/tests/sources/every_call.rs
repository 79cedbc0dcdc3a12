//! A source that pauses wherever libssl shows a message: in handshakes, reads, writes and shutdowns.

use std::ffi::{c_int, c_void};
use std::future::poll_fn;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::task::Poll;
use std::thread;

use foreign_types::ForeignTypeRef;
use libssl_async::{PinnedStream, TlsAcceptor, TlsConnector, Workers};
use libssl_async_sys::{ASYNC_STATUS_OK, SSL_CTX_set_msg_callback};
use openssl::ssl::{SslConnectorBuilder, SslContext, SslVersion};
use openssl_sys as ffi;
use tokio::io::{AsyncReadExt, AsyncWriteExt, split};
use tokio::net::TcpStream;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

use crate::source::{Operation, pause};
use crate::support::{Identity, pattern, sockets, until};

/// What the callback of a context gets.
struct Source {
    operations: UnboundedSender<Operation>,
    on: Arc<AtomicBool>,
    /// Jobs that were resumed before their completion.
    early: Arc<AtomicU64>,
}

/// Pauses for each message, if it is on. libssl shows the header of a record before it decrypts it, and the messages of
/// a handshake, key updates among them, before it takes what is to be written.
unsafe extern "C" fn show(
    _write: c_int,
    _version: c_int,
    _content: c_int,
    _bytes: *const c_void,
    _length: usize,
    _ssl: *mut ffi::SSL,
    source: *mut c_void,
) {
    // SAFETY: the argument that `source` set, which lives for ever.
    let source = unsafe { &*source.cast::<Source>() };
    if source.on.load(Ordering::SeqCst) {
        let operation = Operation::submit(Some(ASYNC_STATUS_OK));
        let called = operation.called();
        if source.operations.send(operation).is_ok() {
            pause();
            source.early.fetch_add(u64::from(!called.load(Ordering::SeqCst)), Ordering::SeqCst);
        }
    }
}

/// A client whose calls pause, on a worker of its own, and a server of ours that does not.
struct Scene {
    servers: TlsAcceptor,
    clients: TlsConnector,
    workers: Workers,
    operations: UnboundedReceiver<Operation>,
    on: Arc<AtomicBool>,
    early: Arc<AtomicU64>,
}

impl Scene {
    fn new(on: bool) -> Self {
        let identity = Identity::p256();
        let workers = Workers::builder().threads(1).build().unwrap();
        let (sender, operations) = unbounded_channel();
        let (on, early) = (Arc::new(AtomicBool::new(on)), Arc::default());
        let mut settings = identity.connector();
        settings.set_min_proto_version(Some(SslVersion::TLS1_3)).unwrap();
        show_to(&mut settings, Source { operations: sender, on: Arc::clone(&on), early: Arc::clone(&early) });
        Self {
            servers: identity.pair(&Workers::builder().threads(1).build().unwrap()).0,
            clients: TlsConnector::new(settings.build(), &workers),
            workers,
            operations,
            on,
            early,
        }
    }

    /// Completes operations on other threads as they come.
    fn complete_all(&mut self) {
        let mut operations = std::mem::replace(&mut self.operations, unbounded_channel().1);
        thread::spawn(move || {
            while let Some(operation) = operations.blocking_recv() {
                thread::spawn(move || operation.call_back()).join().unwrap();
            }
        });
    }
}

fn show_to(settings: &mut SslConnectorBuilder, source: Source) {
    const SSL_CTRL_SET_MSG_CALLBACK_ARG: c_int = 16;
    let source = Box::new(source);
    // SAFETY: the context is valid, and keeps the callback's argument for as long as itself.
    unsafe {
        SSL_CTX_set_msg_callback(settings.as_ptr(), Some(show));
        let argument = (&raw const *source).cast_mut();
        ffi::SSL_CTX_ctrl(settings.as_ptr(), SSL_CTRL_SET_MSG_CALLBACK_ARG, 0, argument.cast());
    }
    settings.set_ex_data(SslContext::new_ex_index().unwrap(), source);
}

/// Rules 2, 3 and 4: reads and writes pause by turns, their futures and buffers come and go, and each byte arrives once.
#[tokio::test]
async fn every_byte_arrives_though_every_call_pauses() {
    let mut scene = Scene::new(true);
    scene.complete_all();
    let (client, server) = sockets().await;
    let acceptor = scene.servers.clone();
    let echo = tokio::spawn(async move {
        let mut stream = acceptor.accept(server).await.unwrap();
        let mut buffer = vec![0; 5_000];
        loop {
            let read = stream.read(&mut buffer).await.unwrap();
            if read == 0 {
                break;
            }
            // The client answers with its next write, before it takes what is to be written.
            request_key_update(&stream);
            stream.write_all(&buffer[..read]).await.unwrap();
        }
        stream.shutdown().await.unwrap();
    });
    let (connector, client) = (scene.clients.clone(), client.into_std().unwrap());
    let talk = scene.workers.spawn_pinned(move || async move {
        let socket = TcpStream::from_std(client).unwrap();
        let (mut reader, mut writer) = split(connector.connect_local("localhost", socket).await.unwrap());
        let data = pattern(100_000);
        let write = async {
            for piece in data.chunks(3_000) {
                // Its memory is gone as soon as it is taken.
                let mut piece = piece.to_vec();
                let mut taken = 0;
                while taken < piece.len() {
                    taken += poll_once_or_more(&mut writer, &piece[taken..]).await;
                }
                piece.fill(0xee);
            }
            writer.shutdown().await.unwrap();
        };
        let read = async {
            let mut received = Vec::new();
            loop {
                let mut buffer = vec![0xdd; 1_000];
                let read = reader.read(&mut buffer).await.unwrap();
                received.extend_from_slice(&buffer[..read]);
                if read == 0 {
                    break received;
                }
            }
        };
        let ((), received) = tokio::join!(write, read);
        received == data
    });
    assert!(talk.await.unwrap(), "the echo differs");
    echo.await.unwrap();
    let metrics = scene.workers.metrics();
    assert!(metrics.pauses > 200, "{metrics:?}");
    assert_eq!((metrics.resumes, metrics.callbacks, metrics.paused), (metrics.pauses, metrics.pauses, 0));
    assert_eq!(scene.early.load(Ordering::SeqCst), 0);
}

/// Writes with futures that are dropped as soon as they have to wait.
async fn poll_once_or_more(writer: &mut (impl AsyncWriteExt + Unpin), bytes: &[u8]) -> usize {
    loop {
        // From memory of its own, which is overwritten and freed with the future.
        let mut copy = bytes.to_vec();
        let taken = {
            let mut write = pin!(writer.write(&copy));
            poll_fn(|context| Poll::Ready(write.as_mut().poll(context))).await
        };
        copy.fill(0xcc);
        match taken {
            Poll::Ready(taken) => return taken.unwrap(),
            Poll::Pending => tokio::task::yield_now().await,
        }
    }
}

fn request_key_update(stream: &libssl_async::TlsStream<TcpStream>) {
    const SSL_KEY_UPDATE_REQUESTED: c_int = 1;
    unsafe extern "C" {
        fn SSL_key_update(ssl: *mut ffi::SSL, kind: c_int) -> c_int;
    }
    // SAFETY: the SSL is valid, and no call of it is under way.
    unsafe { SSL_key_update(stream.ssl().as_ptr(), SSL_KEY_UPDATE_REQUESTED) };
}

/// Rule 14, and what `poll_shutdown` promises: nothing that is under way is lost.
#[tokio::test]
async fn a_shutdown_waits_for_the_read_that_is_paused() {
    let mut scene = Scene::new(false);
    let (client, server) = sockets().await;
    let accepting = scene.servers.accept(server);
    let (connector, client) = (scene.clients.clone(), client.into_std().unwrap());
    let (on, early) = (Arc::clone(&scene.on), Arc::clone(&scene.early));
    let talk = scene.workers.spawn_pinned(move || async move {
        let socket = TcpStream::from_std(client).unwrap();
        let mut stream = connector.connect_local("localhost", socket).await.unwrap();
        // The tickets.
        stream.write_all(b"go").await.unwrap();
        let mut byte = [0];
        stream.read_exact(&mut byte).await.unwrap();
        on.store(true, Ordering::SeqCst);
        stream.write_all(b"on").await.ok();
        let mut read = [0; 5];
        let (mut reader, mut writer) = split(stream);
        let (read, shut_down) =
            tokio::join!(async { reader.read_exact(&mut read).await.map(|_| read) }, writer.shutdown(),);
        shut_down.unwrap();
        assert_eq!(early.load(Ordering::SeqCst), 0);
        read.unwrap()
    });
    let mut server = accepting.await.unwrap();
    let mut read = [0; 2];
    server.read_exact(&mut read).await.unwrap();
    server.write_all(b".").await.unwrap();
    let answer = tokio::spawn(async move {
        server.read_exact(&mut read).await.unwrap();
        server.write_all(b"hello").await.unwrap();
        let mut rest = Vec::new();
        server.read_to_end(&mut rest).await.unwrap();
        server.shutdown().await.unwrap();
        rest
    });
    scene.complete_all();
    assert_eq!(&talk.await.unwrap(), b"hello");
    assert_eq!(answer.await.unwrap(), b"");
    let metrics = scene.workers.metrics();
    assert_eq!((metrics.resumes, metrics.paused), (metrics.pauses, 0));
}

/// The stream is dropped at its first pause, its second, and so on, until a whole conversation has passed: each of the
/// jobs ends in the drain, by its own completion.
#[tokio::test]
async fn a_stream_may_be_dropped_at_any_pause_of_any_call() {
    let mut scene = Scene::new(true);
    let mut dropped = 0;
    for last in 1.. {
        let (client, server) = sockets().await;
        let acceptor = scene.servers.clone();
        let echo = tokio::spawn(async move {
            let Ok(stream) = acceptor.accept(server).await else { return };
            let (mut reader, mut writer) = split(stream);
            let _ = tokio::io::copy(&mut reader, &mut writer).await;
            let _ = writer.shutdown().await;
        });
        let (connector, client) = (scene.clients.clone(), client.into_std().unwrap());
        let (drop_it, dropped_it) = tokio::sync::oneshot::channel::<()>();
        let talk = scene.workers.spawn_pinned(move || async move {
            tokio::select! {
                _ = dropped_it => false,
                () = converse(connector, client) => true,
            }
        });
        // Completes all but the last.
        let mut talk = pin!(talk);
        let mut held = None;
        for _ in 1..last {
            tokio::select! {
                biased;
                operation = scene.operations.recv() => operation.unwrap().call_back(),
                done = &mut talk => {
                    assert!(done.unwrap());
                    assert!(dropped >= 15, "{dropped}");
                    let metrics = scene.workers.metrics();
                    assert_eq!((metrics.drained, metrics.leaked, metrics.paused), (dropped, 0, 0));
                    assert_eq!((metrics.resumes, metrics.pauses), (metrics.pauses, metrics.resumes));
                    assert_eq!(scene.early.load(Ordering::SeqCst), 0);
                    return;
                }
            }
        }
        tokio::select! {
            operation = scene.operations.recv() => held = operation,
            done = &mut talk => assert!(done.unwrap()),
        }
        let Some(held) = held else { continue };
        until(&scene.workers, |metrics| metrics.paused == 1).await;
        drop(drop_it);
        assert!(!talk.await.unwrap());
        assert_eq!(scene.workers.metrics().drained, dropped);
        scene.on.store(false, Ordering::SeqCst);
        held.call_back();
        dropped += 1;
        until(&scene.workers, |metrics| metrics.drained == dropped).await;
        scene.on.store(true, Ordering::SeqCst);
        echo.await.unwrap();
    }
}

/// A handshake, a write, a read, a shutdown.
async fn converse(connector: TlsConnector, client: std::net::TcpStream) {
    let socket = TcpStream::from_std(client).unwrap();
    let mut stream: PinnedStream<TcpStream> = connector.connect_local("localhost", socket).await.unwrap();
    stream.write_all(b"hello").await.unwrap();
    let mut read = [0; 5];
    stream.read_exact(&mut read).await.unwrap();
    assert_eq!(&read, b"hello");
    Pin::new(&mut stream).shutdown().await.unwrap();
    assert_eq!(stream.read(&mut read).await.unwrap(), 0);
}
