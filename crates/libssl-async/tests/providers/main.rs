//! Third-party providers, and keys by URI.
#![cfg(unix)]

#[cfg(target_os = "linux")]
mod asynchronous;
#[cfg(target_os = "linux")]
#[path = "../support/compiler.rs"]
mod compiler;
#[path = "../support/mod.rs"]
mod support;

use std::fs;
use std::path::{Path, PathBuf};

use libssl_async::keys::Offload;
use libssl_async::provider::{Provider, ProviderError};
use libssl_async::{Origin, Secret, TlsAcceptor, Workers};
use openssl::symm::Cipher;
use support::{Identity, sockets};

fn secret(secret: &str) -> Option<Secret> {
    Some(Secret::new(secret.to_owned()))
}

/// A key in a file, under a passphrase.
fn encrypted(identity: &Identity, name: &str) -> (PathBuf, String) {
    let file = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    let pem = identity.key.private_key_to_pem_pkcs8_passphrase(Cipher::aes_256_cbc(), b"open sesame").unwrap();
    fs::write(&file, pem).unwrap();
    let uri = format!("file:{}", file.display());
    (file, uri)
}

#[tokio::test]
async fn a_key_by_uri_serves_a_handshake() {
    let provider = Provider::by_name("base").load().unwrap();
    assert_eq!(provider.name(), "base");
    for identity in [Identity::rsa(), Identity::p256()] {
        let (_file, uri) = encrypted(&identity, "by-uri.pem");
        let mut questions = Vec::new();
        let ask = |question| {
            questions.push(question);
            async {
                tokio::task::yield_now().await;
                secret("open sesame")
            }
        };
        let key = provider.private_key(&uri, ask).await.unwrap();
        assert_eq!(questions.len(), 1, "{questions:?}");
        let workers = Workers::builder().threads(1).build().unwrap();
        let connector = identity.pair(&workers).1;
        for (key, pauses) in [(key.clone(), 0), (Offload::new(1).unwrap().key(&key).unwrap(), 1)] {
            let server = Identity { key, certificate: identity.certificate.clone() };
            let acceptor = TlsAcceptor::new(server.acceptor().build(), &workers);
            let before = workers.metrics().pauses;
            let (client, server) = sockets().await;
            let (client, server) = tokio::join!(connector.connect("localhost", client), acceptor.accept(server));
            drop((client.unwrap(), server.unwrap()));
            assert_eq!(workers.metrics().pauses - before, pauses);
        }
    }
}

#[tokio::test]
async fn what_is_wrong_about_a_key_is_told() {
    let provider = Provider::by_name("base").load().unwrap();
    let (file, uri) = encrypted(&Identity::p256(), "wrong.pem");
    let none = Path::new(env!("CARGO_TARGET_TMPDIR")).join("no-key.pem");
    fs::write(&none, Identity::p256().certificate.to_pem().unwrap()).unwrap();
    let none = format!("file:{}", none.display());
    let cases = [
        ("file:/nowhere/key.pem", None),
        (&uri, secret("wrong")),
        (&uri, None),
        ("nothing:known", None),
        (&none, None),
    ];
    for (uri, answer) in cases {
        let error = provider.private_key(uri, |_| std::future::ready(answer.clone())).await.unwrap_err();
        let told = error.to_string();
        assert!(matches!(error, ProviderError::Key { .. }) && told.contains(uri) && told.contains("base"), "{told}");
    }
    drop(file);
}

#[tokio::test]
async fn a_call_whose_future_is_dropped_is_answered_no() {
    let provider = Provider::by_name("base").load().unwrap();
    let (_file, uri) = encrypted(&Identity::p256(), "dropped.pem");
    let (asked, mut was_asked) = tokio::sync::mpsc::unbounded_channel();
    let loading = tokio::spawn(async move {
        let ask = move |_| {
            asked.send(()).unwrap();
            std::future::pending()
        };
        provider.private_key(&uri, ask).await
    });
    was_asked.recv().await.unwrap();
    loading.abort();
    // The runtime would not end while a thread of its waits for the answer.
    assert!(loading.await.unwrap_err().is_cancelled());
}

#[test]
fn what_is_no_provider_is_named() {
    let error = Provider::by_name("there-is-none").load().unwrap_err();
    assert!(matches!(&error, ProviderError::NotUsable { provider, .. } if provider == "there-is-none"), "{error:?}");
    let error = Provider::by_name("some").path("/nowhere/some.so").load().unwrap_err();
    assert!(matches!(error, ProviderError::File { .. }), "{error:?}");
    let text = Path::new(env!("CARGO_TARGET_TMPDIR")).join("no-provider.so");
    fs::write(&text, "no provider").unwrap();
    let error = Provider::by_name("some").path(&text).load().unwrap_err();
    assert!(matches!(&error, ProviderError::Load { path, .. } if *path == text), "{error:?}");
    let error = Provider::by_name("some\n").load().unwrap_err();
    assert!(matches!(error, ProviderError::Configuration(_)), "{error:?}");
}

/// Debian's, which is bound to Debian's libcrypto: that of this program, or not.
#[test]
fn a_file_is_loaded_if_its_libcrypto_is_ours() {
    let file = Path::new("/usr/lib/x86_64-linux-gnu/ossl-modules/legacy.so");
    if !file.exists() {
        return;
    }
    let loaded = Provider::by_name("legacy").path(file).config("anything", "is $taken").load();
    let ours = Origin::of_libcrypto();
    if ours.path().to_string_lossy().contains("libcrypto.so") {
        assert_eq!(loaded.unwrap().name(), "legacy");
    } else {
        let Err(ProviderError::Libcrypto { path, theirs, ours: told }) = &loaded else { panic!("{loaded:?}") };
        assert_eq!((path.as_path(), told), (file, &ours));
        assert!(theirs.path().to_string_lossy().contains("libcrypto.so"), "{theirs}");
    }
}
