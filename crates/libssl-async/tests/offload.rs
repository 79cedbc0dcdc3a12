//! Keys that block, on threads that may.

mod local_key;
mod support;

use std::sync::Arc;
use std::time::Duration;

use libssl_async::keys::{BoxError, KeyError, Offload, RemoteKey};
use libssl_async::{Error, TlsAcceptor, TlsConnector, Workers};
use openssl::hash::MessageDigest;
use openssl::pkey::{PKey, Private};
use openssl::sign::Signer;
use openssl::ssl::{SslMethod, SslVersion};
use support::{Identity, sockets, until};
use tokio::sync::Semaphore;

fn offloaded(threads: &Offload, identity: &Identity) -> Identity {
    Identity { key: threads.key(&identity.key).unwrap(), certificate: identity.certificate.clone() }
}

#[tokio::test]
async fn every_type_of_key_signs_and_pauses_once() {
    let threads = Offload::new(2).unwrap();
    for (name, key) in local_key::all() {
        let identity = Identity::new(key);
        let workers = Workers::builder().threads(1).build().unwrap();
        let mut settings = openssl::ssl::SslAcceptor::mozilla_modern_v5(SslMethod::tls()).unwrap();
        let server = offloaded(&threads, &identity);
        settings.set_certificate(&server.certificate).unwrap();
        settings.set_private_key(&server.key).unwrap();
        let acceptor = TlsAcceptor::new(settings.build(), &workers);
        let mut settings = identity.connector();
        settings.set_sigalgs_list(ALL_SCHEMES).unwrap();
        let connector = TlsConnector::new(settings.build(), &Workers::builder().threads(1).build().unwrap());
        let (client, server) = sockets().await;
        let (client, server) = tokio::join!(connector.connect("localhost", client), acceptor.accept(server));
        client.unwrap_or_else(|error| panic!("{name}: {error:?}"));
        server.unwrap_or_else(|error| panic!("{name}: {error:?}"));
        let metrics = workers.metrics();
        assert_eq!((metrics.pauses, metrics.status_ok, metrics.callbacks), (1, 1, 1), "{name}");
    }
}

#[cfg(ossl350)]
const ALL_SCHEMES: &str = "rsa_pss_rsae_sha256:rsa_pss_pss_sha256:ecdsa_secp256r1_sha256:ecdsa_secp384r1_sha384:\
     ecdsa_secp521r1_sha512:ed25519:ed448:mldsa44:mldsa65:mldsa87";
#[cfg(not(ossl350))]
const ALL_SCHEMES: &str = "rsa_pss_rsae_sha256:rsa_pss_pss_sha256:ecdsa_secp256r1_sha256:ecdsa_secp384r1_sha384:\
     ecdsa_secp521r1_sha512:ed25519:ed448";

#[tokio::test]
async fn rsa_key_exchange_decrypts_there() {
    let threads = Offload::new(1).unwrap();
    let identity = Identity::rsa();
    let workers = Workers::builder().threads(1).build().unwrap();
    let mut settings = offloaded(&threads, &identity).acceptor();
    settings.set_max_proto_version(Some(SslVersion::TLS1_2)).unwrap();
    settings.set_cipher_list("AES128-GCM-SHA256").unwrap();
    let acceptor = TlsAcceptor::new(settings.build(), &workers);
    let mut settings = identity.connector();
    settings.set_cipher_list("AES128-GCM-SHA256").unwrap();
    let connector = TlsConnector::new(settings.build(), &Workers::builder().threads(1).build().unwrap());
    let (client, server) = sockets().await;
    let (client, server) = tokio::join!(connector.connect("localhost", client), acceptor.accept(server));
    client.unwrap();
    server.unwrap();
    assert_eq!(workers.metrics().pauses, 1);
}

/// A key whose operations block their thread for as long as they are not allowed.
fn blocking(key: &PKey<Private>, allowed: &Arc<Semaphore>) -> PKey<Private> {
    let (signer, allowed) = (key.clone(), Arc::clone(allowed));
    let sign = move |request: libssl_async::keys::SignRequest| {
        let (key, allowed) = (signer.clone(), Arc::clone(&allowed));
        async move {
            allowed.acquire().await?.forget();
            Ok::<_, BoxError>(Signer::new(MessageDigest::sha256(), &key)?.sign_oneshot_to_vec(&request.message)?)
        }
    };
    RemoteKey::builder(key).sign_fn(sign).build().unwrap()
}

#[tokio::test]
async fn a_key_that_blocks_holds_up_its_own_handshakes_only() {
    let local = Identity::p256();
    let allowed = Arc::new(Semaphore::new(0));
    let slow = Identity { key: blocking(&local.key, &allowed), certificate: local.certificate.clone() };
    let threads = Offload::new(3).unwrap();
    let workers = Workers::builder().threads(1).build().unwrap();
    let slow = TlsAcceptor::new(offloaded(&threads, &slow).acceptor().build(), &workers);
    let (quick, connector) = local.pair(&workers);
    let mut held_up = Vec::new();
    for _ in 0..10 {
        let (client, server) = sockets().await;
        held_up.push((connector.connect("localhost", client), slow.accept(server)));
    }
    until(&workers, |metrics| metrics.paused == 10).await;
    let (client, server) = sockets().await;
    let (client, server) = tokio::join!(connector.connect("localhost", client), quick.accept(server));
    drop((client.unwrap(), server.unwrap()));
    allowed.add_permits(10);
    for (client, server) in held_up {
        let (client, server) = tokio::join!(client, server);
        drop((client.unwrap(), server.unwrap()));
    }
    assert_eq!(workers.metrics().pauses, 10);
}

#[tokio::test]
async fn a_key_that_hangs_times_out_and_what_waited_never_begins() {
    let local = Identity::p256();
    let allowed = Arc::new(Semaphore::new(0));
    let threads = Offload::new(1).unwrap();
    let slow = blocking(&local.key, &allowed);
    let key = threads.builder(&slow).timeout(Duration::from_millis(50)).build().unwrap();
    let workers = Workers::builder().threads(1).build().unwrap();
    let acceptor = Identity { key, certificate: local.certificate.clone() }.acceptor().build();
    let (acceptor, connector) = (TlsAcceptor::new(acceptor, &workers), local.pair(&workers).1);
    for _ in 0..3 {
        let (client, server) = sockets().await;
        let (client, server) = tokio::join!(connector.connect("localhost", client), acceptor.accept(server));
        client.unwrap_err();
        let error = server.unwrap_err();
        assert!(matches!(error, Error::Key(KeyError::TimedOut)), "{error:?}");
    }
    // The first still has the thread, and is the only one that takes a permit.
    allowed.add_permits(2);
    let fresh = threads.key(&local.key).unwrap();
    Signer::new(MessageDigest::sha256(), &fresh).unwrap().sign_oneshot_to_vec(b"message").unwrap();
    assert_eq!(allowed.available_permits(), 1);
}

#[test]
fn it_signs_outside_of_handshakes() {
    let key = Identity::rsa().key;
    let offloaded = Offload::new(1).unwrap().key(&key).unwrap();
    let signature = Signer::new(MessageDigest::sha256(), &offloaded).unwrap().sign_oneshot_to_vec(b"message").unwrap();
    assert_eq!(signature, Signer::new(MessageDigest::sha256(), &key).unwrap().sign_oneshot_to_vec(b"message").unwrap());
}
