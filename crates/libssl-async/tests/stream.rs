//! Streams without a pausing key, against each other and against tokio-openssl.

mod support;

use std::ffi::c_int;
use std::mem::MaybeUninit;
use std::pin::Pin;

use foreign_types::ForeignTypeRef;
use libssl_async::connection::{Connection, Step};
use libssl_async::{Error, TlsStream, Workers};
use openssl::ssl::Ssl;
use support::{Identity, pattern, sockets};
use tokio::io::{AsyncReadExt, AsyncWriteExt, Interest, duplex};
use tokio::net::TcpStream;

fn assert_send<T: Send>(value: T) -> T {
    value
}

async fn connected(workers: &Workers) -> (TlsStream<TcpStream>, TlsStream<TcpStream>) {
    let (acceptor, connector) = Identity::p256().pair(workers);
    let (client, server) = sockets().await;
    let (client, server) = tokio::join!(connector.connect("localhost", client), acceptor.accept(server));
    (client.unwrap(), server.unwrap())
}

#[tokio::test]
async fn echoes_much_in_both_directions_at_once() {
    let workers = Workers::builder().threads(2).build().unwrap();
    let (client, server) = connected(&workers).await;
    let data = pattern(5_000_000);
    let (mut server_reader, mut server_writer) = tokio::io::split(server);
    let echo = tokio::spawn(async move {
        tokio::io::copy(&mut server_reader, &mut server_writer).await.unwrap();
        server_writer.shutdown().await.unwrap();
    });
    let (mut reader, mut writer) = tokio::io::split(client);
    let sent = data.clone();
    let send = tokio::spawn(async move {
        writer.write_all(&sent).await.unwrap();
        writer.shutdown().await.unwrap();
    });
    let mut received = Vec::new();
    reader.read_to_end(&mut received).await.unwrap();
    send.await.unwrap();
    echo.await.unwrap();
    assert!(received == data);
    let metrics = workers.metrics();
    assert_eq!((metrics.handshakes, metrics.failed, metrics.in_flight, metrics.pauses), (2, 0, 0, 0));
}

#[tokio::test]
async fn serves_tokio_openssl() {
    let workers = Workers::new().unwrap();
    let identity = Identity::rsa();
    let (acceptor, _) = identity.pair(&workers);
    let (client, server) = sockets().await;
    let ssl = identity.connector().build().configure().unwrap().into_ssl("localhost").unwrap();
    let mut client = tokio_openssl::SslStream::new(ssl, client).unwrap();
    let (connected, server) = tokio::join!(Pin::new(&mut client).connect(), acceptor.accept(server));
    connected.unwrap();
    let mut server = assert_send(server.unwrap());
    server.write_all(b"from the server").await.unwrap();
    let mut read = [0; 15];
    client.read_exact(&mut read).await.unwrap();
    assert_eq!(&read, b"from the server");
}

#[tokio::test]
async fn connects_to_tokio_openssl() {
    let workers = Workers::new().unwrap();
    let identity = Identity::p256();
    let (_, connector) = identity.pair(&workers);
    let (client, server) = sockets().await;
    let ssl = Ssl::new(identity.acceptor().build().context()).unwrap();
    let mut server = tokio_openssl::SslStream::new(ssl, server).unwrap();
    let (client, accepted) = tokio::join!(connector.connect("localhost", client), Pin::new(&mut server).accept());
    accepted.unwrap();
    let mut client = client.unwrap();
    server.write_all(b"hello").await.unwrap();
    let mut peeked = [0; 5];
    assert_eq!(client.peek(&mut peeked).await.unwrap(), 5);
    let mut read = [0; 5];
    client.read_exact(&mut read).await.unwrap();
    assert_eq!((&peeked, &read), (b"hello", b"hello"));
}

#[tokio::test]
async fn works_over_any_transport() {
    let workers = Workers::new().unwrap();
    let (acceptor, connector) = Identity::p256().pair(&workers);
    // Small enough for every message to be cut.
    let (client, server) = duplex(97);
    let (client, server) = tokio::join!(connector.connect("localhost", client), acceptor.accept(server));
    let (mut client, mut server) = (client.unwrap(), server.unwrap());
    let data = pattern(50_000);
    let (sent, received) = tokio::join!(
        async {
            client.write_all(&data).await.unwrap();
            client.flush().await
        },
        async {
            let mut received = vec![0; 50_000];
            server.read_exact(&mut received).await.map(|_| received)
        }
    );
    sent.unwrap();
    assert!(received.unwrap() == data);
}

#[tokio::test]
async fn refuses_a_name_that_the_certificate_does_not_have() {
    let workers = Workers::new().unwrap();
    let (acceptor, connector) = Identity::p256().pair(&workers);
    let (client, server) = sockets().await;
    let (client, server) = tokio::join!(connector.connect("elsewhere.example", client), acceptor.accept(server));
    let Err(Error::Ssl(error)) = client else { panic!("{client:?}") };
    assert_eq!(error.code(), "ERR_SSL_CERTIFICATE_VERIFY_FAILED");
    assert!(error.verify_result().is_some());
    assert_eq!(error.alert().map(|alert| (alert.name(), alert.received())), Some(("bad_certificate", false)));
    let Err(Error::Ssl(error)) = server else { panic!("{server:?}") };
    assert_eq!(error.alert().map(|alert| (alert.name(), alert.received())), Some(("bad_certificate", true)));
}

#[tokio::test]
async fn tells_a_cut_stream_from_an_ended_one() {
    let workers = Workers::new().unwrap();
    let (mut client, mut server) = connected(&workers).await;
    server.write_all(b"whole").await.unwrap();
    server.shutdown().await.unwrap();
    let mut read = Vec::new();
    client.read_to_end(&mut read).await.unwrap();
    assert_eq!(read, b"whole");

    let (mut client, mut server) = connected(&workers).await;
    server.write_all(b"cut").await.unwrap();
    drop(server);
    let error = client.read_to_end(&mut Vec::new()).await.unwrap_err();
    assert_eq!(error.kind(), std::io::ErrorKind::UnexpectedEof);
    assert!(matches!(error.downcast::<Error>().unwrap(), Error::Truncated));
}

/// A peer may answer early and go: a write fails then, and what it has said is there all the same.
#[tokio::test]
async fn a_failed_write_loses_nothing_that_was_received() {
    let workers = Workers::builder().threads(1).build().unwrap();
    let (mut client, mut server) = connected(&workers).await;
    server.write_all(b"refused").await.unwrap();
    server.shutdown().await.unwrap();
    client.get_mut().shutdown().await.unwrap();
    let error = client.write_all(b"request").await.unwrap_err();
    assert_eq!(error.kind(), std::io::ErrorKind::BrokenPipe);
    let mut read = Vec::new();
    client.read_to_end(&mut read).await.unwrap();
    assert_eq!(read, b"refused");

    let (acceptor, connector) = Identity::p256().pair(&workers);
    let (client, server) = sockets().await;
    let client = client.into_std().unwrap();
    let talk = workers.spawn_pinned(move || async move {
        let socket = client.try_clone().unwrap();
        let mut client = connector.connect_local("localhost", TcpStream::from_std(client).unwrap()).await.unwrap();
        socket.shutdown(std::net::Shutdown::Write).unwrap();
        let error = client.write_all(b"request").await.unwrap_err();
        assert_eq!(error.kind(), std::io::ErrorKind::BrokenPipe);
        let mut read = Vec::new();
        client.read_to_end(&mut read).await.unwrap();
        read
    });
    let mut server = acceptor.accept(server).await.unwrap();
    server.write_all(b"refused").await.unwrap();
    server.shutdown().await.unwrap();
    assert_eq!(talk.await.unwrap(), b"refused");
}

/// The system tells of a reset once, here to the write of the first message; the read behind it comes to an end.
#[tokio::test]
async fn a_reset_that_a_write_is_told_of_is_no_mere_end() {
    let workers = Workers::builder().threads(1).build().unwrap();
    let (_, connector) = Identity::p256().pair(&workers);
    let (client, server) = sockets().await;
    server.set_zero_linger().unwrap();
    drop(server);
    client.ready(Interest::ERROR).await.unwrap();
    let error = connector.connect("localhost", client).await.unwrap_err();
    assert!(matches!(&error, Error::Io(error) if error.kind() == std::io::ErrorKind::ConnectionReset), "{error:?}");
}

/// Rule of TLS, and of sockets whose peer has gone: an answer to a key update would fail the reads behind it.
#[tokio::test]
async fn nothing_is_sent_behind_close_notify() {
    const SSL_KEY_UPDATE_REQUESTED: c_int = 1;
    unsafe extern "C" {
        fn SSL_key_update(ssl: *mut openssl_sys::SSL, kind: c_int) -> c_int;
    }
    let workers = Workers::builder().threads(1).build().unwrap();
    let (client, mut server) = connected(&workers).await;
    let (mut client, mut socket) = client.into_parts();
    assert!(matches!(client.shutdown().unwrap(), Step::Done(false)));
    let sent = client.output().len();
    client.sent(sent);
    // Beside the one that it owes, libssl answers at once.
    for _ in 0..2 {
        // SAFETY: the SSL is valid, and no call of it is under way.
        unsafe { SSL_key_update(server.ssl().as_ptr(), SSL_KEY_UPDATE_REQUESTED) };
        server.write_all(b"late").await.unwrap();
        let mut target = [MaybeUninit::uninit(); 100];
        while !matches!(client.read(&mut target).unwrap(), Step::Done(4)) {
            let mut ciphertext = [0; 5_000];
            let count = socket.read(&mut ciphertext).await.unwrap();
            client.feed(&ciphertext[..count]);
        }
    }
    assert_eq!(client.output(), b"");
}

#[tokio::test]
async fn plain_text_is_refused() {
    let workers = Workers::new().unwrap();
    let (acceptor, _) = Identity::p256().pair(&workers);
    let (mut client, server) = sockets().await;
    client.write_all(b"GET / HTTP/1.1\r\nhost: localhost\r\n\r\n").await.unwrap();
    let Err(Error::Ssl(error)) = acceptor.accept(server).await else { panic!("plain text was taken") };
    assert_eq!(error.code(), "ERR_SSL_HTTP_REQUEST");
}

#[tokio::test]
async fn streams_move_between_threads_and_connections_are_send() {
    let workers = Workers::new().unwrap();
    let (client, server) = connected(&workers).await;
    drop(workers);
    let (mut client, mut server) = (assert_send(client), assert_send(server));
    std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            client.write_all(b"moved").await.unwrap();
            client.shutdown().await.unwrap();
        });
    })
    .join()
    .unwrap();
    let mut read = Vec::new();
    server.read_to_end(&mut read).await.unwrap();
    assert_eq!(read, b"moved");
    let (connection, _socket): (Connection, TcpStream) = server.into_parts();
    assert_send(connection);
}

#[tokio::test]
async fn a_pinned_stream_echoes() {
    let workers = Workers::builder().threads(1).build().unwrap();
    let (acceptor, connector) = Identity::p256().pair(&workers);
    let (client, server) = sockets().await;
    let (client, server) = (client.into_std().unwrap(), server.into_std().unwrap());
    let echo = workers.spawn_pinned(move || async move {
        let io = TcpStream::from_std(server).unwrap();
        let stream = acceptor.accept_local(io).await.unwrap();
        let (mut reader, mut writer) = tokio::io::split(stream);
        tokio::io::copy(&mut reader, &mut writer).await.unwrap();
        writer.shutdown().await.unwrap();
    });
    let client = TcpStream::from_std(client).unwrap();
    let mut client = connector.connect("localhost", client).await.unwrap();
    let data = pattern(1_000_000);
    let (mut reader, mut writer) = tokio::io::split(&mut client);
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
    assert!(received.unwrap() == data);
    echo.await.unwrap();
}

/// Polls a future once and drops it.
async fn once<T>(future: impl Future<Output = T>) -> Option<T> {
    let mut future = std::pin::pin!(future);
    std::future::poll_fn(|context| match future.as_mut().poll(context) {
        std::task::Poll::Ready(value) => std::task::Poll::Ready(Some(value)),
        std::task::Poll::Pending => std::task::Poll::Ready(None),
    })
    .await
}

#[tokio::test]
async fn futures_that_are_dropped_lose_nothing() {
    let workers = Workers::new().unwrap();
    let (acceptor, connector) = Identity::p256().pair(&workers);
    // So little room that most operations have to wait, in the middle of a record.
    let (client, server) = duplex(700);
    let (client, server) = tokio::join!(connector.connect("localhost", client), acceptor.accept(server));
    let (mut client, mut server) = (client.unwrap(), server.unwrap());
    let data = pattern(200_000);
    let (mut sent, mut received, mut dropped) = (0, Vec::new(), 0);
    while received.len() < data.len() {
        let end = data.len().min(sent + 5_000);
        match once(client.write(&data[sent..end])).await {
            Some(taken) => sent += taken.unwrap(),
            None => dropped += 1,
        }
        dropped += u32::from(once(client.flush()).await.is_none());
        let mut buffer = [0; 3_000];
        match once(server.read(&mut buffer)).await {
            Some(read) => received.extend_from_slice(&buffer[..read.unwrap()]),
            None => dropped += 1,
        }
        tokio::task::yield_now().await;
    }
    assert!(received == data, "the bytes differ");
    assert!(dropped > 100, "{dropped}");
    let mut end = [0; 1];
    let mut shut_down = None;
    while shut_down.is_none() {
        shut_down = once(client.shutdown()).await;
        let _ = once(server.read(&mut end)).await;
        tokio::task::yield_now().await;
    }
    shut_down.unwrap().unwrap();
    assert_eq!(server.read(&mut end).await.unwrap(), 0);
}
