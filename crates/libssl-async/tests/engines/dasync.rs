//! OpenSSL's own asynchronous engine. On OpenSSL 3, only its SHA-1 pauses, and so cipher suites with that for the records.
//!
//! It calls back before it pauses, and sets no status. It has a descriptor only where there is no callback, and so none
//! for connections of this crate.

use std::path::PathBuf;
use std::sync::LazyLock;

use libssl_async::engine::{Engine, EngineBuilder, Method};
use libssl_async::{AsyncStatus, TlsAcceptor, TlsConnector, Workers};
use openssl::hash::MessageDigest;
use openssl::sign::Signer;
use openssl::ssl::{SslContextBuilder, SslVersion};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::accelerator::alone;
use crate::compiler::{compiler, run, target};
use crate::local_key;
use crate::support::{Identity, pattern, sockets};

/// Compiled with the headers of this OpenSSL; those of its own are internal, and come last.
static FILE: LazyLock<PathBuf> = LazyLock::new(|| {
    let source = openssl_src::source_dir();
    let mut compiler = compiler("dasync.so");
    compiler.arg("-w").arg("-idirafter").arg(source.join("include"));
    run(compiler.arg(source.join("engines/e_dasync.c")));
    target("dasync.so")
});

fn dasync() -> EngineBuilder {
    Engine::by_path(&*FILE)
}

/// libcrypto does not let go of it once it has hashed a certificate: no other test can load it.
#[tokio::test]
async fn its_usual_methods_break_nothing_and_resume_at_once() {
    let _alone = alone().await;
    let signs = || {
        let key = local_key::rsa();
        Signer::new(MessageDigest::sha256(), &key).and_then(|mut signer| signer.sign_oneshot_to_vec(b"message"))
    };
    let engine = dasync().methods([Method::Pkey]).load().unwrap();
    // Its RSA does not go together with OpenSSL 3's own keys.
    signs().unwrap_err();
    drop(engine);
    let _engine = dasync().usual_methods().load().unwrap();
    signs().unwrap();

    let [servers, clients] = [(); 2].map(|()| Workers::builder().threads(1).build().unwrap());
    let identity = Identity::rsa();
    let (mut acceptor, mut connector) = (identity.acceptor(), identity.connector());
    let sha1 = |context: &mut SslContextBuilder| {
        context.set_max_proto_version(Some(SslVersion::TLS1_2)).unwrap();
        context.set_cipher_list("ECDHE-RSA-AES128-SHA").unwrap();
    };
    sha1(&mut acceptor);
    sha1(&mut connector);
    let acceptor = TlsAcceptor::new(acceptor.build(), &servers);
    let connector = TlsConnector::new(connector.build(), &clients);

    // A client that stays in asynchronous mode, and a server that leaves it.
    let data = pattern(100_000);
    let (client, server) = sockets().await;
    let client = client.into_std().unwrap();
    let talking = clients.spawn_pinned({
        let data = data.clone();
        move || async move {
            let client = TcpStream::from_std(client).unwrap();
            let mut stream = connector.connect_local("localhost", client).await.unwrap();
            stream.write_all(&data).await.unwrap();
            stream.flush().await.unwrap();
            let mut received = vec![0; data.len()];
            stream.read_exact(&mut received).await.unwrap();
            (received, stream.async_status())
        }
    });
    let mut stream = acceptor.accept(server).await.unwrap();
    let mut received = vec![0; data.len()];
    stream.read_exact(&mut received).await.unwrap();
    stream.write_all(&received).await.unwrap();
    stream.flush().await.unwrap();
    let (echoed, status) = talking.await.unwrap();
    assert!(echoed == data && status == Some(AsyncStatus::Unsupported), "{status:?}");
    for metrics in [servers.metrics(), clients.metrics()] {
        let pauses = metrics.pauses;
        assert_eq!((metrics.handshakes, metrics.failed, metrics.paused), (1, 0, 0));
        assert!(pauses > 0);
        assert_eq!((metrics.resumes, metrics.callbacks, metrics.status_unsupported), (pauses, pauses, pauses));
        // No descriptor told, and nobody had to look.
        assert_eq!((metrics.descriptors, metrics.looks, metrics.again_retries), (0, 0, 0));
    }
}
