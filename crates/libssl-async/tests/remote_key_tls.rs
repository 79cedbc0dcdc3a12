//! Handshakes with remote keys of every type, in every version of TLS that has them, on both sides.

mod local_key;
mod support;

use std::pin::Pin;
use std::sync::{Arc, Mutex};

use libssl_async::keys::{BoxError, KeyError, RemoteKey, RemoteKeyBuilder, SignatureScheme, sigalgs_list};
use libssl_async::{AsyncStatus, Error, Metrics, TlsAcceptor, TlsConnector, TlsStream, Workers, is_capable};
use libssl_async_sys as sys;
use openssl::pkey::{PKey, Private};
use openssl::ssl::{Ssl, SslContext, SslContextBuilder, SslMethod, SslVerifyMode, SslVersion};
use support::{Identity, sockets};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_openssl::SslStream;

/// A key, a version, and the schemes one of which it signs with.
const HANDSHAKES: &[(&str, SslVersion, &[&str])] = &[
    ("RSA", SslVersion::TLS1_3, &["rsa_pss_rsae_sha256"]),
    ("RSA", SslVersion::TLS1_2, &["rsa_pss_rsae_sha256"]),
    ("RSA", SslVersion::TLS1_1, &["rsa_pkcs1_md5_sha1"]),
    ("RSA-PSS", SslVersion::TLS1_3, &["rsa_pss_pss_sha256"]),
    ("RSA-PSS", SslVersion::TLS1_2, &["rsa_pss_pss_sha256"]),
    ("P-256", SslVersion::TLS1_3, &["ecdsa_secp256r1_sha256"]),
    ("P-256", SslVersion::TLS1_2, &["ecdsa_secp256r1_sha256"]),
    ("P-256", SslVersion::TLS1_1, &["ecdsa_sha1"]),
    ("P-384", SslVersion::TLS1_3, &["ecdsa_secp384r1_sha384"]),
    ("P-384", SslVersion::TLS1_2, &["ecdsa_secp256r1_sha256", "ecdsa_secp384r1_sha384"]),
    ("P-521", SslVersion::TLS1_3, &["ecdsa_secp521r1_sha512"]),
    ("P-521", SslVersion::TLS1_2, &["ecdsa_secp256r1_sha256", "ecdsa_secp521r1_sha512"]),
    ("Ed25519", SslVersion::TLS1_3, &["ed25519"]),
    ("Ed25519", SslVersion::TLS1_2, &["ed25519"]),
    ("Ed448", SslVersion::TLS1_3, &["ed448"]),
    ("Ed448", SslVersion::TLS1_2, &["ed448"]),
    ("ML-DSA-44", SslVersion::TLS1_3, &["mldsa44"]),
    ("ML-DSA-65", SslVersion::TLS1_3, &["mldsa65"]),
    ("ML-DSA-87", SslVersion::TLS1_3, &["mldsa87"]),
];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_key_serves_and_connects() {
    let keys = local_key::all();
    let anonymous = Identity::p256();
    for (name, version, schemes) in HANDSHAKES {
        let Some((_, key)) = keys.iter().find(|(key, _)| key == name) else { continue };
        let local = Identity::new(key.clone());
        let told = format!("{name}, {version:?}");
        let check = |workers: &Workers, seen: &Seen| {
            let seen = seen.lock().unwrap();
            assert_eq!(seen.len(), 1, "{told}");
            assert!(schemes.contains(&seen[0].name()), "{told}: {}", seen[0]);
            assert_paused_once(&workers.metrics(), &told);
        };

        let (server, seen) = remote(&local);
        let pair = Pair::new();
        pair.handshake(context(Some(&server), None, *version), context(None, Some(&local), *version)).await;
        check(&pair.servers, &seen);

        let (client, seen) = remote(&local);
        let pair = Pair::new();
        let server = context(Some(&anonymous), Some(&local), *version);
        pair.handshake(server, context(Some(&client), Some(&anonymous), *version)).await;
        check(&pair.clients, &seen);
    }
}

#[tokio::test]
async fn rsa_decrypts_the_secret_of_a_client() {
    let local = Identity::rsa();
    let signer = local.key.clone();
    let connections = Arc::new(Mutex::new(Vec::new()));
    let seen = Arc::clone(&connections);
    let key = builder(&local.key).decrypt_fn(move |request| {
        seen.lock().unwrap().push(request.connection);
        let raw = local_key::decrypt_raw(&signer, &request.ciphertext);
        async move { Ok::<_, BoxError>(raw) }
    });
    let server = Identity { key: key.build().unwrap(), certificate: local.certificate.clone() };
    for version in [SslVersion::TLS1_2, SslVersion::TLS1_1] {
        let pair = Pair::new();
        let mut server = context_builder(Some(&server), None, version);
        server.set_cipher_list("kRSA:@SECLEVEL=0").unwrap();
        let mut client = context_builder(None, Some(&local), version);
        client.set_cipher_list("kRSA:@SECLEVEL=0").unwrap();
        pair.handshake(server.build(), client.build()).await;
        assert_paused_once(&pair.servers.metrics(), &format!("{version:?}"));
        assert!(connections.lock().unwrap().pop().unwrap().is_some());
    }
}

#[tokio::test]
async fn a_narrowed_key_narrows_the_negotiation() {
    let local = Identity::rsa();
    let narrow = [SignatureScheme::RsaPssRsaeSha512, SignatureScheme::RsaPkcs1Sha384];
    let key = builder(&local.key).schemes(narrow).build().unwrap();
    let sigalgs = sigalgs_list(&key).unwrap();
    let server = Identity { key, certificate: local.certificate.clone() };
    for version in [SslVersion::TLS1_3, SslVersion::TLS1_2] {
        let mut server = context_builder(Some(&server), None, version);
        server.set_sigalgs_list(&sigalgs).unwrap();
        let pair = Pair::new();
        pair.handshake(server.build(), context(None, Some(&local), version)).await;
        assert_paused_once(&pair.servers.metrics(), "narrowed");
    }
    // Where the digest tells the schemes apart, it works without the list.
    let key = builder(&local.key).schemes([SignatureScheme::RsaPssRsaeSha512]).build().unwrap();
    let server = Identity { key, certificate: local.certificate.clone() };
    let server = context(Some(&server), None, SslVersion::TLS1_3);
    Pair::new().handshake(server, context(None, Some(&local), SslVersion::TLS1_3)).await;
}

#[tokio::test]
async fn a_key_that_does_not_decrypt_fails_the_handshake() {
    let local = Identity::rsa();
    let (server, _) = remote(&local);
    let mut server = context_builder(Some(&server), None, SslVersion::TLS1_2);
    server.set_cipher_list("kRSA:@SECLEVEL=0").unwrap();
    let mut client = context_builder(None, Some(&local), SslVersion::TLS1_2);
    client.set_cipher_list("kRSA:@SECLEVEL=0").unwrap();
    let pair = Pair::new();
    let (client, server) = pair.try_handshake(server.build(), client.build()).await;
    let error = server.unwrap_err();
    assert!(matches!(error, Error::Key(KeyError::Unsupported)), "{error:?}");
    let Err(Error::Ssl(error)) = client else { panic!("{client:?}") };
    assert_eq!(error.alert().map(|alert| (alert.name(), alert.received())), Some(("decrypt_error", true)));
}

#[tokio::test]
async fn a_wrong_signature_is_found_by_the_peer_or_by_ourselves() {
    let local = Identity::p256();
    let wrong = |verify| {
        let signer = local.key.clone();
        let key = RemoteKey::builder(&local.key)
            .sign_fn(move |request| {
                let signature = local_key::sign(&signer, request.scheme.name(), b"something else");
                async move { Ok::<_, BoxError>(signature) }
            })
            .verify_signatures(verify)
            .build()
            .unwrap();
        let server = Identity { key, certificate: local.certificate.clone() };
        context(Some(&server), None, SslVersion::TLS1_3)
    };
    let client = || context(None, Some(&local), SslVersion::TLS1_3);

    let (client_side, _) = Pair::new().try_handshake(wrong(false), client()).await;
    let Err(Error::Ssl(error)) = client_side else { panic!("{client_side:?}") };
    assert_eq!(error.alert().map(|alert| (alert.name(), alert.received())), Some(("decrypt_error", false)));

    let (_, server) = Pair::new().try_handshake(wrong(true), client()).await;
    let error = server.unwrap_err();
    assert!(matches!(error, Error::Key(KeyError::InvalidSignature)), "{error:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn under_tokio_openssl_the_key_blocks_and_never_pauses() {
    if !is_capable() {
        // Asynchronous mode, which it switches on, fails there.
        return;
    }
    let local = Identity::p256();
    let (server, seen) = remote(&local);
    let server = context(Some(&server), None, SslVersion::TLS1_3);
    let client = context(None, Some(&local), SslVersion::TLS1_3);
    for number in 1..=4 {
        let ssl = Ssl::new(&server).unwrap();
        // Safe code can do this, too; it must not make our key pause (rule 36).
        // SAFETY: the SSL is valid.
        unsafe { sys::SSL_set_mode(foreign_types::ForeignType::as_ptr(&ssl), sys::SSL_MODE_ASYNC) };
        let (client_socket, server_socket) = sockets().await;
        let mut server = SslStream::new(ssl, server_socket).unwrap();
        let mut client = SslStream::new(Ssl::new(&client).unwrap(), client_socket).unwrap();
        let (connected, accepted) = tokio::join!(Pin::new(&mut client).connect(), Pin::new(&mut server).accept());
        connected.unwrap();
        accepted.unwrap();
        assert_eq!(seen.lock().unwrap().len(), number);
    }
}

#[tokio::test]
async fn under_tokio_openssl_the_key_does_not_wait_for_its_own_thread() {
    let local = Identity::p256();
    let key = builder(&local.key).handle(tokio::runtime::Handle::current()).build().unwrap();
    let server = Identity { key, certificate: local.certificate.clone() };
    let server = context(Some(&server), None, SslVersion::TLS1_3);
    let client = context(None, Some(&local), SslVersion::TLS1_3);
    let (client_socket, server_socket) = sockets().await;
    let mut server = SslStream::new(Ssl::new(&server).unwrap(), server_socket).unwrap();
    let mut client = SslStream::new(Ssl::new(&client).unwrap(), client_socket).unwrap();
    let (connected, accepted) = tokio::join!(Pin::new(&mut client).connect(), Pin::new(&mut server).accept());
    connected.unwrap_err();
    let error = accepted.unwrap_err();
    let queue = error.ssl_error().unwrap().errors();
    let told = queue.iter().find_map(|error| error.data().filter(|data| data.contains("must not wait")));
    assert!(told.is_some(), "{queue:?}");
}

/// Two pools, so that each side is counted for itself.
struct Pair {
    clients: Workers,
    servers: Workers,
}

impl Pair {
    fn new() -> Self {
        let workers = || Workers::builder().threads(1).build().unwrap();
        Self { clients: workers(), servers: workers() }
    }

    async fn handshake(&self, server: SslContext, client: SslContext) {
        let (client, server) = self.try_handshake(server, client).await;
        let mut server = server.unwrap();
        let mut client = client.unwrap();
        client.write_all(b"ping").await.unwrap();
        let mut read = [0; 4];
        server.read_exact(&mut read).await.unwrap();
        assert_eq!(&read, b"ping");
        for status in [client.async_status(), server.async_status()] {
            let told = matches!(status, Some(AsyncStatus::Ok | AsyncStatus::Unsupported));
            assert_eq!(told, is_capable(), "{status:?}");
        }
    }

    /// Returns the client's side and the server's.
    async fn try_handshake(&self, server: SslContext, client: SslContext) -> (Side, Side) {
        let (client_socket, server_socket) = sockets().await;
        let acceptor = TlsAcceptor::from_context(server, &self.servers);
        let connector = openssl::ssl::SslConnector::builder(SslMethod::tls()).unwrap().build();
        let connector = TlsConnector::new(connector, &self.clients);
        let connect = connector.connect_with(Ssl::new(&client).unwrap(), client_socket);
        tokio::join!(connect, acceptor.accept(server_socket))
    }
}

type Side = Result<TlsStream<TcpStream>, Error>;

fn assert_paused_once(metrics: &Metrics, told: &str) {
    // Where jobs cannot pause, a thread blocks instead.
    let once = u64::from(is_capable());
    assert_eq!((metrics.pauses, metrics.resumes, metrics.callbacks), (once, once, once), "{told}");
    assert_eq!((metrics.handshakes, metrics.paused, metrics.in_flight), (1, 0, 0), "{told}");
}

type Seen = Arc<Mutex<Vec<SignatureScheme>>>;

/// The same identity with a remote key, and the schemes that it was asked for.
fn remote(local: &Identity) -> (Identity, Seen) {
    let seen = Seen::default();
    let (signer, schemes) = (local.key.clone(), Arc::clone(&seen));
    let key = RemoteKey::builder(&local.key).sign_fn(move |request| {
        schemes.lock().unwrap().push(request.scheme);
        let signature = local_key::sign(&signer, request.scheme.name(), &request.message);
        async move { Ok::<_, BoxError>(signature) }
    });
    (Identity { key: key.build().unwrap(), certificate: local.certificate.clone() }, seen)
}

fn builder(local: &PKey<Private>) -> RemoteKeyBuilder {
    let signer = local.clone();
    RemoteKey::builder(local).sign_fn(move |request| {
        let signature = local_key::sign(&signer, request.scheme.name(), &request.message);
        async move { Ok::<_, BoxError>(signature) }
    })
}

fn context(own: Option<&Identity>, peer: Option<&Identity>, version: SslVersion) -> SslContext {
    context_builder(own, peer, version).build()
}

/// Settings with the identity of one's own, if any, that demand the one of the peer, if any.
fn context_builder(own: Option<&Identity>, peer: Option<&Identity>, version: SslVersion) -> SslContextBuilder {
    let mut context = SslContext::builder(SslMethod::tls()).unwrap();
    context.set_min_proto_version(Some(version)).unwrap();
    context.set_max_proto_version(Some(version)).unwrap();
    // TLS 1.1 signs with SHA-1.
    context.set_cipher_list("ALL:@SECLEVEL=0").unwrap();
    if let Some(own) = own {
        context.set_certificate(&own.certificate).unwrap();
        context.set_private_key(&own.key).unwrap();
        context.check_private_key().unwrap();
    }
    if let Some(peer) = peer {
        context.cert_store_mut().add_cert(peer.certificate.clone()).unwrap();
        context.set_verify(SslVerifyMode::PEER | SslVerifyMode::FAIL_IF_NO_PEER_CERT);
    }
    context
}
