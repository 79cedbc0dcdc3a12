//! tokio-rustls at the other end.

use std::sync::Arc;

use libssl_async::{TlsAcceptor, TlsConnector};
use openssl::ssl::{SslSession, SslSessionCacheMode, SslVersion};
use rustls::crypto::ring::default_provider;
use rustls::pki_types::ServerName;
use rustls::server::WebPkiClientVerifier;
use rustls::{ClientConfig, HandshakeKind, ServerConfig, SupportedProtocolVersion, version};
use std::sync::Mutex;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use crate::VERSIONS;
use crate::authority::{Authority, for_rustls, keys};
use crate::local_key;
use crate::remote::{Remote, echo};
use crate::support::Identity;

const HANDSHAKES: u64 = 4;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn our_server_serves_rustls() {
    let authority = Authority::new();
    for (name, key) in keys() {
        for version in VERSIONS {
            let told = format!("{name}, {version:?}");
            let remote = Remote::new();
            let server = remote.identity(&authority.issue(&key));
            let acceptor = TlsAcceptor::new(authority.acceptor(&server, version, false).build(), &remote.workers);
            let port = echo(acceptor).await;
            for _ in 0..HANDSHAKES {
                let client = client(&authority, None, version);
                assert_eq!(greet(&client, port).await, (Some(b"echo".to_vec()), HandshakeKind::Full), "{told}");
            }
            remote.assert_counts(HANDSHAKES, HANDSHAKES, &told);
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn both_sides_of_mutual_tls_are_remote() {
    let authority = Authority::new();
    for (name, key) in keys() {
        for version in VERSIONS {
            let told = format!("{name}, {version:?}");
            let local = authority.issue(&key);

            let servers = Remote::new();
            let identity = servers.identity(&local);
            let acceptor = authority.acceptor(&identity, version, true).build();
            let port = echo(TlsAcceptor::new(acceptor, &servers.workers)).await;
            greet(&client(&authority, Some(&local), version), port).await;
            servers.assert_counts(1, 1, &told);

            let clients = Remote::new();
            let connector = authority.connector(&clients.identity(&local), version).build();
            let port = rustls_echo(server(&authority, &local, version)).await;
            let connector = TlsConnector::new(connector, &clients.workers);
            for _ in 0..HANDSHAKES {
                let stream = connector.connect("localhost", socket(port).await).await.unwrap();
                assert_eq!(stream.ssl().selected_alpn_protocol(), Some(&b"echo"[..]), "{told}");
                exchange(stream).await;
            }
            clients.assert_counts(HANDSHAKES, HANDSHAKES, &told);
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_resumed_session_needs_no_signature() {
    let authority = Authority::new();
    let local = authority.issue(&local_key::ec("P-256"));
    for version in VERSIONS {
        let told = format!("{version:?}");
        let servers = Remote::new();
        let acceptor = authority.acceptor(&servers.identity(&local), version, false).build();
        let port = echo(TlsAcceptor::new(acceptor, &servers.workers)).await;
        let client = client(&authority, None, version);
        assert_eq!(greet(&client, port).await.1, HandshakeKind::Full, "{told}");
        assert_eq!(greet(&client, port).await.1, HandshakeKind::Resumed, "{told}");
        servers.assert_counts(2, 1, &told);

        let clients = Remote::new();
        let sessions = Arc::<Mutex<Vec<SslSession>>>::default();
        let mut connector = authority.connector(&clients.identity(&local), version);
        connector.set_session_cache_mode(SslSessionCacheMode::CLIENT | SslSessionCacheMode::NO_INTERNAL);
        let kept = Arc::clone(&sessions);
        connector.set_new_session_callback(move |_, session| kept.lock().unwrap().push(session));
        let connector = TlsConnector::new(connector.build(), &clients.workers);
        let port = rustls_echo(server(&authority, &local, version)).await;
        let stream = connector.connect("localhost", socket(port).await).await.unwrap();
        assert!(!stream.ssl().session_reused(), "{told}");
        exchange(stream).await;
        let session = sessions.lock().unwrap().pop().expect("rustls gives tickets");
        let mut ssl = connector.configure().unwrap().into_ssl("localhost").unwrap();
        // SAFETY: the session comes from a connection of the same context.
        unsafe { ssl.set_session(&session) }.unwrap();
        let stream = connector.connect_with(ssl, socket(port).await).await.unwrap();
        assert!(stream.ssl().session_reused(), "{told}");
        exchange(stream).await;
        clients.assert_counts(2, 1, &told);
    }
}

fn client(authority: &Authority, own: Option<&Identity>, version: SslVersion) -> Arc<ClientConfig> {
    let builder = ClientConfig::builder_with_provider(Arc::new(default_provider()))
        .with_protocol_versions(&[of(version)])
        .unwrap()
        .with_root_certificates(authority.roots());
    let mut config = match own.map(for_rustls) {
        Some((chain, key)) => builder.with_client_auth_cert(chain, key).unwrap(),
        None => builder.with_no_client_auth(),
    };
    config.alpn_protocols = vec![b"other".to_vec(), b"echo".to_vec()];
    Arc::new(config)
}

/// A server that demands certificates of the authority.
fn server(authority: &Authority, own: &Identity, version: SslVersion) -> Arc<ServerConfig> {
    let provider = Arc::new(default_provider());
    let roots = Arc::new(authority.roots());
    let verifier = WebPkiClientVerifier::builder_with_provider(roots, Arc::clone(&provider)).build().unwrap();
    let (chain, key) = for_rustls(own);
    let mut config = ServerConfig::builder_with_provider(provider)
        .with_protocol_versions(&[of(version)])
        .unwrap()
        .with_client_cert_verifier(verifier)
        .with_single_cert(chain, key)
        .unwrap();
    config.alpn_protocols = vec![b"echo".to_vec()];
    config.ticketer = rustls::crypto::ring::Ticketer::new().unwrap();
    Arc::new(config)
}

fn of(version: SslVersion) -> &'static SupportedProtocolVersion {
    if version == SslVersion::TLS1_3 { &version::TLS13 } else { &version::TLS12 }
}

/// Connects with rustls and compares the echo; tells the protocol of ALPN and the kind of handshake.
async fn greet(config: &Arc<ClientConfig>, port: u16) -> (Option<Vec<u8>>, HandshakeKind) {
    let connector = tokio_rustls::TlsConnector::from(Arc::clone(config));
    let name = ServerName::try_from("localhost").unwrap();
    let mut stream = connector.connect(name, socket(port).await).await.unwrap();
    let connection = stream.get_ref().1;
    let alpn = connection.alpn_protocol().map(<[u8]>::to_vec);
    let kind = connection.handshake_kind().unwrap();
    // Reading brings the tickets, too.
    exchange(&mut stream).await;
    (alpn, kind)
}

/// A rustls server that echoes, on the port that is returned.
async fn rustls_echo(config: Arc<ServerConfig>) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let acceptor = tokio_rustls::TlsAcceptor::from(config);
    tokio::spawn(async move {
        loop {
            let (socket, _) = listener.accept().await.unwrap();
            let accepting = acceptor.accept(socket);
            tokio::spawn(async move {
                let (mut reader, mut writer) = tokio::io::split(accepting.await.unwrap());
                tokio::io::copy(&mut reader, &mut writer).await.unwrap();
                writer.shutdown().await.unwrap();
            });
        }
    });
    port
}

async fn socket(port: u16) -> TcpStream {
    TcpStream::connect(("127.0.0.1", port)).await.unwrap()
}

/// Sends, compares the echo, and ends the connection in both directions.
async fn exchange(mut stream: impl tokio::io::AsyncRead + tokio::io::AsyncWrite + Unpin) {
    stream.write_all(b"there and back").await.unwrap();
    stream.flush().await.unwrap();
    let mut echo = [0; 14];
    stream.read_exact(&mut echo).await.unwrap();
    assert_eq!(&echo, b"there and back");
    stream.shutdown().await.unwrap();
    assert_eq!(stream.read(&mut echo).await.unwrap(), 0);
}
