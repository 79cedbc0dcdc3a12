//! What a peer may cost that means harm: bytes that it makes a connection keep, and what is told of its secrets.

#[path = "../support/mod.rs"]
mod support;

mod floods;
mod names;

use std::future::poll_fn;
use std::mem::MaybeUninit;
use std::os::raw::c_int;
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::Poll;

use foreign_types::ForeignTypeRef;
use libssl_async::connection::{Connection, Step};
use libssl_async::keys::{KeyError, RemoteKey, SignRequest};
use libssl_async::{Error, TlsAcceptor, TlsConnector, Workers};
use openssl::hash::MessageDigest;
use openssl::sign::Signer;
use openssl::ssl::{SslOptions, SslVersion};
use openssl_sys::SSL;
use support::{Identity, sockets};
use tokio::io::{AsyncReadExt, AsyncWrite, AsyncWriteExt, duplex};
use tokio::sync::mpsc::unbounded_channel;

unsafe extern "C" {
    fn SSL_key_update(ssl: *mut SSL, update_type: c_int) -> c_int;
}

const SSL_KEY_UPDATE_REQUESTED: c_int = 1;

/// How much it takes before it waits for a reader, in bytes.
async fn taken(stream: &mut (impl AsyncWrite + Unpin), flood: &[u8]) -> usize {
    let (mut taken, mut idle) = (0, 0);
    while idle < 10_000 {
        idle += 1;
        let written = poll_fn(|context| Poll::Ready(Pin::new(&mut *stream).poll_write(context, flood))).await;
        if let Poll::Ready(count) = written {
            taken += count.unwrap();
            idle = 0;
        }
        tokio::task::yield_now().await;
    }
    taken
}

#[tokio::test]
async fn a_paused_handshake_keeps_a_bounded_number_of_bytes() {
    const PIPE: usize = 1024;
    let workers = Workers::builder().threads(1).build().unwrap();
    let local = Identity::p256();
    let (asked, mut requests) = unbounded_channel();
    let key = RemoteKey::builder(&local.key)
        .sign_fn(move |_| {
            asked.send(()).unwrap();
            std::future::pending::<Result<Vec<u8>, KeyError>>()
        })
        .build()
        .unwrap();
    let server = Identity { key, certificate: local.certificate.clone() };
    let acceptor = TlsAcceptor::new(server.acceptor().build(), &workers);
    let (mut client, io) = duplex(PIPE);
    let _accepting = acceptor.accept(io);
    client.write_all(&client_hello(&local).await).await.unwrap();
    requests.recv().await.unwrap();
    let kept = taken(&mut client, &[0; PIPE]).await - PIPE;
    // 64 KiB, and what one more read brings.
    assert!((1..=128 * 1024).contains(&kept), "{kept}");
}

#[tokio::test]
async fn a_message_that_never_ends_is_refused() {
    let workers = Workers::builder().threads(1).build().unwrap();
    let acceptor = TlsAcceptor::new(Identity::p256().acceptor().build(), &workers);
    let (mut client, io) = duplex(1024);
    let accepting = tokio::spawn(acceptor.accept(io));
    // A ClientHello of 16 MiB, in full records.
    let mut record = vec![22, 3, 1, 0x40, 0];
    record.extend_from_slice(&[1, 0xff, 0xff, 0xff]);
    record.resize(5 + 0x4000, 0);
    let mut sent = 0;
    while client.write_all(&record).await.is_ok() {
        sent += record.len();
        assert!(sent <= 256 * 1024, "{sent}");
        record[5..9].fill(0);
    }
    let Err(Error::Ssl(error)) = accepting.await.unwrap() else { panic!("it was refused") };
    assert_eq!(error.alert().map(|alert| alert.name()), Some("illegal_parameter"), "{error}");
}

#[tokio::test]
async fn a_flood_of_key_updates_is_answered_in_bounded_memory() {
    let (mut client, mut server) = connections(SslVersion::TLS1_3).await;
    let mut most = 0;
    for _ in 0..20_000 {
        // SAFETY: the SSL is valid and past its handshake, and in no call.
        unsafe { SSL_key_update(client.ssl().as_ptr(), SSL_KEY_UPDATE_REQUESTED) };
        assert_eq!(client.write(b"x").unwrap(), Step::Done(1));
        let flood = client.output().to_vec();
        client.sent(flood.len());
        server.feed(&flood);
        // The server reads and answers, and its answers are not taken.
        match server.read(&mut [MaybeUninit::uninit(); 16]) {
            Ok(Step::Done(1) | Step::Wait(_)) => {}
            other => panic!("{other:?}"),
        }
        let _ = server.write(b"x").unwrap();
        most = most.max(server.output().len());
    }
    // Twice the 128 KiB that writers stop at, and the record that came last.
    assert!((128 * 1024..=272 * 1024).contains(&most), "{most}");
}

#[tokio::test]
async fn debug_output_and_errors_tell_no_bytes() {
    const SECRET: &[u8] = b"attack at dawn";
    let workers = Workers::builder().threads(1).build().unwrap();
    let local = Identity::p256();
    let requests = Arc::<Mutex<Vec<(String, Vec<u8>)>>>::default();
    let (kept, signing) = (Arc::clone(&requests), local.key.clone());
    let key = RemoteKey::builder(&local.key)
        .sign_fn(move |request: SignRequest| {
            let signature = Signer::new(MessageDigest::sha256(), &signing)
                .and_then(|mut signer| signer.sign_oneshot_to_vec(&request.message));
            let text = format!("{request:?} {:?}", request.digest);
            let digest = request.digest.map(|digest| digest.bytes).unwrap_or_default();
            kept.lock().unwrap().push((text, [request.message, digest].concat()));
            async move { signature }
        })
        .build()
        .unwrap();
    let server = Identity { key, certificate: local.certificate.clone() };
    let acceptor = TlsAcceptor::new(server.acceptor().build(), &workers);
    let connector = TlsConnector::new(local.connector().build(), &workers);
    let (client, socket) = sockets().await;
    let (client, server) = tokio::join!(connector.connect("localhost", client), acceptor.accept(socket));
    let (mut client, mut server) = (client.unwrap(), server.unwrap());
    client.write_all(SECRET).await.unwrap();
    server.peek(&mut [0; 4]).await.unwrap();
    drop(client);
    let mut received = Vec::new();
    let error = server.read_to_end(&mut received).await.unwrap_err();
    assert_eq!(received, SECRET);
    let (text, bytes) = requests.lock().unwrap()[0].clone();
    let told = format!("{text} {server:?} {error:?} {error} {:?}", workers.metrics());
    for secret in [SECRET, &bytes[..16], &bytes[bytes.len() - 16..]] {
        let list = format!("{secret:?}");
        let hex: String = secret.iter().map(|byte| format!("{byte:02x}")).collect();
        for form in [list.trim_matches(['[', ']']), &hex, &String::from_utf8_lossy(secret)] {
            assert!(!told.contains(form), "{told}");
        }
    }
}

/// The first message of a client.
async fn client_hello(identity: &Identity) -> Vec<u8> {
    let workers = Workers::builder().threads(1).build().unwrap();
    let (client, mut server) = duplex(65_536);
    let _connecting = TlsConnector::new(identity.connector().build(), &workers).connect("localhost", client);
    let mut hello = vec![0; 5];
    server.read_exact(&mut hello).await.unwrap();
    hello.resize(5 + usize::from(u16::from_be_bytes([hello[3], hello[4]])), 0);
    server.read_exact(&mut hello[5..]).await.unwrap();
    hello
}

/// Two ends without I/O, of this version.
async fn connections(version: SslVersion) -> (Connection, Connection) {
    let workers = Workers::builder().threads(1).build().unwrap();
    let identity = Identity::p256();
    let mut settings = identity.connector();
    settings.set_min_proto_version(Some(version)).unwrap();
    settings.set_max_proto_version(Some(version)).unwrap();
    let connector = TlsConnector::new(settings.build(), &workers);
    let mut settings = identity.acceptor();
    settings.clear_options(SslOptions::NO_TLSV1_3);
    settings.set_num_tickets(0).unwrap();
    let acceptor = TlsAcceptor::new(settings.build(), &workers);
    let (client, server) = duplex(65_536);
    let (client, server) = tokio::join!(connector.connect("localhost", client), acceptor.accept(server));
    (client.unwrap().into_parts().0, server.unwrap().into_parts().0)
}
