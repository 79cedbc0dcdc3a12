//! Peers that go on for ever, with what costs them little.

use std::mem::MaybeUninit;
use std::os::raw::{c_int, c_uchar};
use std::slice;
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use foreign_types::ForeignTypeRef;
use libssl_async::connection::{Step, Want};
use libssl_async::{Error, TlsAcceptor, TlsConnector, Workers};
use openssl::ssl::{Ssl, SslSession, SslSessionCacheMode, SslVersion};
use openssl_sys::{SSL, SSL_SESSION};
use tokio::io::{AsyncReadExt, AsyncWriteExt, duplex};

use crate::support::{Identity, sockets, until};
use crate::{client_hello, connections};

unsafe extern "C" {
    fn SSL_clear_options(ssl: *mut SSL, options: u64) -> u64;
    fn SSL_renegotiate(ssl: *mut SSL) -> c_int;
    fn SSL_SESSION_get0_ticket(session: *const SSL_SESSION, ticket: *mut *const c_uchar, length: *mut usize);
}

/// The most that one of them gets rid of before it is refused, in bytes.
const MOST: usize = 256 * 1024;

/// Sends `beginning`, and then `again` until the server has had enough; returns how it ended.
async fn flood(beginning: &[u8], again: &[u8]) -> Error {
    let workers = Workers::builder().threads(1).build().unwrap();
    let acceptor = TlsAcceptor::new(Identity::p256().acceptor().build(), &workers);
    let (mut client, io) = duplex(1024);
    let accepting = tokio::spawn(acceptor.accept(io));
    let mut sent = 0;
    let mut next = beginning;
    while client.write_all(next).await.is_ok() {
        sent += next.len();
        assert!(sent <= MOST, "{sent} bytes and no end");
        next = again;
    }
    let error = accepting.await.unwrap().unwrap_err();
    until(&workers, |metrics| metrics.in_flight == 0 && metrics.failed == 1).await;
    error
}

#[tokio::test]
async fn records_that_bring_nothing_are_refused() {
    let handshake: &[u8] = &[22, 3, 3, 0, 0];
    let warning: &[u8] = &[21, 3, 3, 0, 2, 1, 90];
    let change_cipher_spec: &[u8] = &[20, 3, 3, 0, 1, 1];
    let data: &[u8] = &[23, 3, 3, 0, 0];
    let hello = client_hello(&Identity::p256()).await;
    for record in [handshake, warning, change_cipher_spec, data] {
        for beginning in [&[][..], &hello] {
            let error = flood(beginning, record).await;
            assert!(matches!(error, Error::Ssl(_)), "{record:?}: {error:?}");
        }
    }
}

/// However many bytes come: what counts is the time since the handshake began.
#[tokio::test]
async fn a_handshake_that_never_gets_on_is_ended_by_its_time() {
    let workers = Workers::builder().threads(1).build().unwrap();
    let mut acceptor = TlsAcceptor::new(Identity::p256().acceptor().build(), &workers);
    acceptor.set_handshake_timeout(Duration::from_millis(100));
    let (mut client, io) = duplex(1);
    let accepting = tokio::spawn(acceptor.accept(io));
    // The longest ClientHello, a byte at a time.
    let mut sent: u32 = 0;
    let mut hello = [22, 3, 1, 0x40, 0, 1, 2, 0, 0].into_iter();
    while client.write_all(&[hello.next().unwrap_or(0)]).await.is_ok() {
        sent += 1;
        tokio::task::yield_now().await;
    }
    let error = accepting.await.unwrap().unwrap_err();
    assert!(matches!(error, Error::HandshakeTimeout), "after {sent} bytes: {error:?}");
    until(&workers, |metrics| metrics.in_flight == 0).await;
}

#[tokio::test]
async fn renegotiation_is_declined_with_a_warning() {
    let (mut client, mut server) = connections(SslVersion::TLS1_2).await;
    // SAFETY: the SSL is valid, past its handshake and in no call.
    unsafe {
        SSL_clear_options(client.ssl().as_ptr(), openssl_sys::SSL_OP_NO_RENEGOTIATION);
        assert_eq!(SSL_renegotiate(client.ssl().as_ptr()), 1);
    }
    assert_eq!(client.write(b"x").unwrap(), Step::Wait(Want::Input));
    server.feed(client.output());
    assert_eq!(server.read(&mut [MaybeUninit::uninit(); 8]).unwrap(), Step::Wait(Want::Input));
    // One record, and in it no handshake but an alert.
    let answer = server.output();
    assert_eq!((answer[0], answer.len()), (21, 5 + usize::from(u16::from_be_bytes([answer[3], answer[4]]))));
    // The server goes on.
    assert_eq!(server.write(b"x").unwrap(), Step::Done(1));
}

#[tokio::test]
async fn a_ticket_that_is_none_leads_to_a_full_handshake() {
    for version in [SslVersion::TLS1_2, SslVersion::TLS1_3] {
        let workers = Workers::builder().threads(1).build().unwrap();
        let identity = Identity::p256();
        let acceptor = TlsAcceptor::new(identity.acceptor().build(), &workers);
        let (connector, sessions) = keeping_sessions(&identity, version, &workers);
        assert!(!visit(&acceptor, &connector, None).await);
        let session = sessions.recv().unwrap();
        assert!(visit(&acceptor, &connector, Some(&session)).await, "{version:?}");
        for place in [0, 16, 40] {
            assert!(!visit(&acceptor, &connector, Some(&changed(&session, place))).await, "{version:?}, {place}");
        }
        assert_eq!(workers.metrics().failed, 0);
    }
}

/// A connector of this version, and the sessions that it has got.
fn keeping_sessions(
    identity: &Identity,
    version: SslVersion,
    workers: &Workers,
) -> (TlsConnector, Receiver<SslSession>) {
    let (sender, sessions) = channel();
    let mut settings = identity.connector();
    settings.set_max_proto_version(Some(version)).unwrap();
    settings.set_session_cache_mode(SslSessionCacheMode::CLIENT | SslSessionCacheMode::NO_INTERNAL);
    settings.set_new_session_callback(move |_, session| drop(sender.send(session)));
    (TlsConnector::new(settings.build(), workers), sessions)
}

/// Exchanges a byte; returns whether the session was resumed.
async fn visit(acceptor: &TlsAcceptor, connector: &TlsConnector, session: Option<&SslSession>) -> bool {
    let (client, server) = sockets().await;
    let mut ssl = Ssl::new(connector.context()).unwrap();
    ssl.set_hostname("localhost").unwrap();
    if let Some(session) = session {
        // SAFETY: the session is of the same context.
        unsafe { ssl.set_session(session).unwrap() };
    }
    let (client, server) = tokio::join!(connector.connect_with(ssl, client), acceptor.accept(server));
    let (mut client, mut server) = (client.unwrap(), server.unwrap());
    server.write_all(b"x").await.unwrap();
    client.read_exact(&mut [0]).await.unwrap();
    // Without it the session would be none that may be resumed.
    client.shutdown().await.unwrap();
    client.ssl().session_reused()
}

/// The same with another bit in its ticket.
fn changed(session: &SslSession, place: usize) -> SslSession {
    let (mut ticket, mut length) = (std::ptr::null(), 0);
    // SAFETY: the session is valid, and lives longer than the slice.
    let ticket = unsafe {
        SSL_SESSION_get0_ticket(session.as_ptr(), &mut ticket, &mut length);
        slice::from_raw_parts(ticket, length)
    };
    let mut encoded = session.to_der().unwrap();
    let start = encoded.windows(ticket.len()).position(|window| window == ticket).unwrap();
    encoded[start + place] ^= 1;
    SslSession::from_der(&encoded).unwrap()
}
