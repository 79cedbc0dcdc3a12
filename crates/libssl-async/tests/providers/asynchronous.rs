//! A provider whose signatures pause: that of `asynchronous/`, with the accelerator of the test engine.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use libssl_async::provider::{Provider, ProviderError};
use libssl_async::{AsyncStatus, Origin, Secret, TlsAcceptor, Workers};
use openssl::symm::Cipher;
use tokio::sync::Mutex;
use tokio::task::JoinSet;

use crate::compiler::{compiler, run, target};
use crate::support::{Identity, sockets};

static FILE: LazyLock<PathBuf> = LazyLock::new(|| {
    let tests = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests");
    let own = ["provider.c", "key.c", "signature.c", "store.c"]
        .map(|source| tests.join("providers/asynchronous").join(source));
    let mut compiler = compiler("async-test-provider.so");
    compiler.args(["-Wall", "-Wextra", "-Werror", "-pthread"]).args(own);
    run(compiler.arg(tests.join("engines/accelerator/accelerator.c")));
    target("async-test-provider.so")
});

/// Its accelerator is one for the process: one test at a time has it.
static ALONE: Mutex<()> = Mutex::const_new(());

/// The provider, if it can see the libcrypto of this program: one that is linked statically is hidden.
fn load(notify: &str, queue: &str) -> Option<Provider> {
    let loaded = Provider::by_name("async-test").path(&*FILE).config("notify", notify).config("queue", queue).load();
    if Origin::of_libcrypto().path().to_string_lossy().contains("libcrypto.so") {
        return Some(loaded.unwrap());
    }
    let error = loaded.unwrap_err();
    assert!(matches!(&error, ProviderError::Load { path, .. } if *path == *FILE), "{error:?}");
    None
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn signatures_of_a_provider_pause() {
    const HANDSHAKES: u64 = 50;
    let _alone = ALONE.lock().await;
    let identity = Identity::p256();
    let file = target("asynchronous.pem");
    let pem = identity.key.private_key_to_pem_pkcs8_passphrase(Cipher::aes_256_cbc(), b"open sesame").unwrap();
    fs::write(&file, pem).unwrap();
    let uri = format!("async-test:{}", file.display());
    for (notify, queue, expected) in [
        ("callback", "1024", AsyncStatus::Ok),
        ("callback", "1", AsyncStatus::Ok),
        ("descriptor", "1024", AsyncStatus::Unsupported),
        ("both", "1024", AsyncStatus::Ok),
    ] {
        let Some(provider) = load(notify, queue) else { return };
        let mut asked = 0;
        let pin = |_| {
            asked += 1;
            std::future::ready(Some(Secret::new("open sesame".to_owned())))
        };
        let key = provider.private_key(&uri, pin).await.unwrap();
        assert_eq!(asked, 1);
        let [servers, clients] = [(); 2].map(|()| Workers::builder().threads(1).build().unwrap());
        let server = Identity { key, certificate: identity.certificate.clone() };
        let acceptor = TlsAcceptor::new(server.acceptor().build(), &servers);
        let connector = identity.pair(&clients).1;
        let mut running = JoinSet::new();
        for _ in 0..HANDSHAKES {
            let (acceptor, connector) = (acceptor.clone(), connector.clone());
            running.spawn(async move {
                let (client, server) = sockets().await;
                let (client, server) = tokio::join!(connector.connect("localhost", client), acceptor.accept(server));
                client.unwrap();
                server.unwrap().async_status()
            });
        }
        for status in running.join_all().await {
            assert_eq!(status, Some(expected), "{notify}");
        }
        let metrics = servers.metrics();
        assert_eq!((metrics.handshakes, metrics.failed, metrics.looks), (HANDSHAKES, 0, 0), "{notify}");
        assert_eq!(metrics.pauses, HANDSHAKES + metrics.again_retries, "{notify}");
        let told = if notify == "descriptor" { (0, HANDSHAKES) } else { (HANDSHAKES, 0) };
        assert_eq!((metrics.callbacks, metrics.descriptors), told, "{notify}");
        assert_eq!(clients.metrics().pauses, 0);
    }
}

#[tokio::test]
async fn what_a_provider_refuses_is_told() {
    let _alone = ALONE.lock().await;
    let Some(provider) = load("callback", "1024") else { return };
    for (parameter, value) in [("notify", "by pigeon"), ("queue", "none")] {
        let error = Provider::by_name("async-test").path(&*FILE).config(parameter, value).load().unwrap_err();
        let ProviderError::NotUsable { provider, stack } = &error else { panic!("{error:?}") };
        assert_eq!(provider, "async-test");
        assert!(stack.errors().iter().any(|error| error.reason() == Some("init fail")), "{error:?}");
    }
    let uri = "async-test:/nowhere/key.pem";
    let error = provider.private_key(uri, |_| std::future::ready(None)).await.unwrap_err();
    assert!(matches!(&error, ProviderError::Key { uri: told, .. } if told == uri), "{error:?}");
}
