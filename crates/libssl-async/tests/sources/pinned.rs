//! A source that pauses a read: a client that keeps its session does so on the fibre, when the ticket comes.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use libssl_async::{TlsAcceptor, TlsConnector, Workers};
use libssl_async_sys::ASYNC_STATUS_OK;
use openssl::ssl::{SslSessionCacheMode, SslVersion};
use tokio::io::{AsyncReadExt, AsyncWriteExt, split};
use tokio::net::TcpStream;
use tokio::sync::mpsc::unbounded_channel;

use crate::source::{Operation, pause};
use crate::support::{Identity, pattern, sockets, until};

/// While the read is paused, a write must wait for its end, and neither may touch the other's bytes.
#[tokio::test]
async fn a_write_waits_for_the_read_that_is_paused() {
    let identity = Identity::p256();
    let servers = Workers::builder().threads(1).build().unwrap();
    let clients = Workers::builder().threads(1).build().unwrap();
    let acceptor = TlsAcceptor::new(identity.acceptor().build(), &servers);

    let (sender, mut operations) = unbounded_channel();
    let resumed = Arc::<AtomicU64>::default();
    let counted = Arc::clone(&resumed);
    let mut settings = identity.connector();
    settings.set_min_proto_version(Some(SslVersion::TLS1_3)).unwrap();
    settings.set_session_cache_mode(SslSessionCacheMode::CLIENT | SslSessionCacheMode::NO_INTERNAL);
    settings.set_new_session_callback(move |_, _session| {
        sender.send(Operation::submit(Some(ASYNC_STATUS_OK))).unwrap();
        pause();
        counted.fetch_add(1, Ordering::SeqCst);
    });
    let connector = TlsConnector::new(settings.build(), &clients);

    let (client, server) = sockets().await;
    let echo = tokio::spawn(async move {
        let (mut reader, mut writer) = split(acceptor.accept(server).await.unwrap());
        tokio::io::copy(&mut reader, &mut writer).await.unwrap();
        writer.shutdown().await.unwrap();
    });
    let client = client.into_std().unwrap();
    let talk = clients.spawn_pinned(move || async move {
        let socket = TcpStream::from_std(client).unwrap();
        let (mut reader, mut writer) = split(connector.connect_local("localhost", socket).await.unwrap());
        let data = pattern(300_000);
        let (sent, received) = tokio::join!(
            async {
                writer.write_all(&data).await?;
                writer.shutdown().await
            },
            async {
                let mut received = Vec::new();
                reader.read_to_end(&mut received).await.map(|_| received)
            }
        );
        sent.unwrap();
        received.unwrap() == data
    });
    // OpenSSL's servers give two tickets.
    for ticket in 0..2 {
        let operation = operations.recv().await.unwrap();
        until(&clients, |metrics| metrics.paused == 1).await;
        assert_eq!(resumed.load(Ordering::SeqCst), ticket);
        operation.call_back();
    }
    assert!(talk.await.unwrap(), "the echo differs");
    echo.await.unwrap();
    let metrics = clients.metrics();
    assert_eq!((metrics.pauses, metrics.resumes, metrics.callbacks), (2, 2, 2));
}
