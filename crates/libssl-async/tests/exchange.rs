//! Key exchange by AWS-LC, against itself and against OpenSSL's own, on either side.
#![cfg(feature = "aws-lc")]

mod support;

use std::ffi::CStr;

use foreign_types::ForeignTypeRef;
use libssl_async::exchange;
use libssl_async::keys::{BoxError, RemoteKey};
use libssl_async::{Terms, TlsStream, Workers};
use libssl_async_sys as sys;
use openssl::derive::Deriver;
use openssl::pkey::{HasPublic, PKey, PKeyRef};
use openssl::sign::Signer;
use openssl::ssl::{Ssl, SslContext, SslContextBuilder, SslMethod, SslVersion};
use support::{Identity, sockets};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

const OURS: &str = "libssl-async-exchange";
const DEFAULT: &str = "default";

#[tokio::test]
async fn x25519_is_exchanged_with_either_side() {
    for version in [SslVersion::TLS1_2, SslVersion::TLS1_3] {
        for (server, client) in [(OURS, OURS), (OURS, DEFAULT), (DEFAULT, OURS), (DEFAULT, DEFAULT)] {
            // The second group is that of the certificate, which TLS 1.2 wants in the list, too.
            let (served, connected) = handshake(server, client, "X25519:P-256", version).await;
            // Each side holds the other's key by the provider that it uses itself; a server of TLS 1.2 not for long.
            let told = format!("{version:?}: {server}, {client}");
            assert_eq!(provider(&connected.ssl().peer_tmp_key().unwrap()), client, "{told}");
            assert_eq!(connected.ssl().peer_tmp_key().unwrap().bits(), 253, "{told}");
            if version == SslVersion::TLS1_3 {
                assert_eq!(provider(&served.ssl().peer_tmp_key().unwrap()), server, "{told}");
            }
            echo(served, connected).await;
        }
    }
}

#[cfg(ossl350)]
#[tokio::test]
async fn x25519_and_ml_kem_are_exchanged_with_either_side() {
    for (server, client) in [(OURS, OURS), (OURS, DEFAULT), (DEFAULT, OURS), (DEFAULT, DEFAULT)] {
        let (served, connected) = handshake(server, client, "X25519MLKEM768", SslVersion::TLS1_3).await;
        assert_eq!(provider(&served.ssl().peer_tmp_key().unwrap()), server, "{server}, {client}");
        assert_eq!(provider(&connected.ssl().tmp_key().unwrap()), client, "{server}, {client}");
        echo(served, connected).await;
    }
}

/// The other groups are OpenSSL's as before.
#[tokio::test]
async fn groups_that_aws_lc_does_not_exchange_here_are_openssl_s() {
    let (served, connected) = handshake(OURS, OURS, "P-256", SslVersion::TLS1_3).await;
    assert_eq!(provider(&served.ssl().peer_tmp_key().unwrap()), DEFAULT);
    echo(served, connected).await;
}

/// The stack of a job has room for AWS-LC, too.
#[tokio::test]
async fn a_remote_key_pauses_beside_it() {
    let local = Identity::p256();
    let signer = local.key.clone();
    let key = RemoteKey::builder(&local.certificate.public_key().unwrap())
        .sign_fn(move |request| {
            let mut signature = Signer::new(openssl::hash::MessageDigest::sha256(), &signer).unwrap();
            let signature = signature.sign_oneshot_to_vec(&request.message).unwrap();
            async move { Ok::<_, BoxError>(signature) }
        })
        .build()
        .unwrap();
    let remote = Identity { key, certificate: local.certificate.clone() };
    let workers = Workers::builder().threads(1).build().unwrap();
    let server = ssl(server(OURS, &remote, None).build());
    let client = ssl(client(OURS, &remote, None).build());
    let (served, connected) = connect(&workers, server, client).await;
    assert_eq!(provider(&served.ssl().peer_tmp_key().unwrap()), OURS);
    assert_eq!(workers.metrics().pauses, 1);
    echo(served, connected).await;
}

/// Whoever does not ask for this provider does not get it, even once it is loaded.
#[test]
fn others_are_left_alone() {
    exchange::context_builder(SslMethod::tls()).unwrap();
    let (one, other) = (PKey::generate_x25519().unwrap(), PKey::generate_x25519().unwrap());
    assert_eq!(provider(&one), DEFAULT);
    let derived = |own: &PKey<_>, peer: &PKey<_>| {
        let mut deriver = Deriver::new(own).unwrap();
        deriver.set_peer(peer).unwrap();
        deriver.derive_to_vec().unwrap()
    };
    assert_eq!(derived(&one, &other), derived(&other, &one));
    let pem = one.private_key_to_pem_pkcs8().unwrap();
    assert_eq!(provider(&PKey::private_key_from_pem(&pem).unwrap()), DEFAULT);
}

/// A handshake of two sides whose keys are exchanged by these providers.
async fn handshake(
    of_server: &str,
    of_client: &str,
    group: &str,
    version: SslVersion,
) -> (TlsStream<TcpStream>, TlsStream<TcpStream>) {
    let identity = Identity::p256();
    let workers = Workers::builder().threads(1).build().unwrap();
    let mut server = server(of_server, &identity, Some(group));
    server.set_max_proto_version(Some(version)).unwrap();
    let client = client(of_client, &identity, Some(group));
    connect(&workers, ssl(server.build()), ssl(client.build())).await
}

async fn connect(workers: &Workers, mut server: Ssl, mut client: Ssl) -> (TlsStream<TcpStream>, TlsStream<TcpStream>) {
    server.set_accept_state();
    client.set_connect_state();
    let (near, far) = sockets().await;
    let terms = Terms::default();
    let (server, client) =
        (workers.handshake(&terms, || Ok(server), far), workers.handshake(&terms, || Ok(client), near));
    let (served, connected) = tokio::join!(server, client);
    (served.unwrap(), connected.unwrap())
}

async fn echo(mut served: TlsStream<TcpStream>, mut connected: TlsStream<TcpStream>) {
    let mut buffer = [0; 5];
    connected.write_all(b"hello").await.unwrap();
    served.read_exact(&mut buffer).await.unwrap();
    served.write_all(&buffer).await.unwrap();
    connected.read_exact(&mut buffer).await.unwrap();
    assert_eq!(&buffer, b"hello");
}

fn server(provider: &str, identity: &Identity, group: Option<&str>) -> SslContextBuilder {
    let mut builder = builder(provider, group);
    builder.set_certificate(&identity.certificate).unwrap();
    builder.set_private_key(&identity.key).unwrap();
    builder
}

fn client(provider: &str, identity: &Identity, group: Option<&str>) -> SslContextBuilder {
    let mut builder = builder(provider, group);
    builder.cert_store_mut().add_cert(identity.certificate.clone()).unwrap();
    builder.set_verify(openssl::ssl::SslVerifyMode::PEER);
    builder
}

fn builder(provider: &str, group: Option<&str>) -> SslContextBuilder {
    let mut builder = match provider {
        OURS => exchange::context_builder(SslMethod::tls()).unwrap(),
        _ => SslContext::builder(SslMethod::tls()).unwrap(),
    };
    if let Some(group) = group {
        builder.set_groups_list(group).unwrap();
    }
    builder
}

fn ssl(context: SslContext) -> Ssl {
    Ssl::new(&context).unwrap()
}

/// The name of the provider that a key belongs to.
fn provider<T: HasPublic>(key: &PKeyRef<T>) -> String {
    // SAFETY: the key is valid, and so is its provider while it lives.
    let name = unsafe { CStr::from_ptr(sys::OSSL_PROVIDER_get0_name(sys::EVP_PKEY_get0_provider(key.as_ptr()))) };
    name.to_str().unwrap().to_owned()
}
