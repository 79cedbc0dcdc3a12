//! A token of SoftHSM2, through the PKCS#11 engine and threads that may block.
//!
//! Skipped where they are not installed, except in CI: `softhsm2`, `opensc` and `libengine-pkcs11-openssl` of Debian.
#![cfg(all(engine, target_os = "linux"))]

#[path = "interop/authority.rs"]
#[allow(dead_code, reason = "only a part is used")]
mod authority;
mod local_key;
mod support;

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::LazyLock;
use std::time::Duration;

use authority::Authority;
use libssl_async::engine::{Engine, EngineError};
use libssl_async::keys::Offload;
use libssl_async::{Secret, TlsAcceptor, TlsConnector, Workers};
use openssl::ssl::SslVersion;
use support::{Identity, sockets};
use tokio::task::JoinSet;
use tokio::time::sleep;

const PROTOCOLS: &[u8] = b"\x04echo";
const MODULE: &str = "/usr/lib/softhsm/libsofthsm2.so";
const PIN: &str = "1234";

/// The engine, with a token that has an RSA key and a P-256 key, generated in it; `None` without what it takes. This
/// engine cannot be loaded a second time in a process.
fn engine() -> Option<&'static Engine> {
    static ENGINE: LazyLock<Option<Engine>> = LazyLock::new(|| {
        if !Path::new(MODULE).exists() || Command::new("pkcs11-tool").arg("--help").output().is_err() {
            assert!(env::var_os("CI").is_none(), "softhsm2 and opensc are not installed");
            eprintln!("skipped: softhsm2 and opensc are not installed");
            return None;
        }
        let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("softhsm");
        let _ = fs::remove_dir_all(&folder);
        fs::create_dir_all(folder.join("tokens")).unwrap();
        let configuration = folder.join("softhsm2.conf");
        fs::write(&configuration, format!("directories.tokendir = {}\n", folder.join("tokens").display())).unwrap();
        // SAFETY: all tests wait for this, and none reads the environment meanwhile.
        unsafe { env::set_var("SOFTHSM2_CONF", configuration) };
        let init = ["--init-token", "--free", "--label", "test", "--pin", PIN, "--so-pin", "5678"];
        run(Command::new("softhsm2-util").args(init));
        for (label, id, kind) in [("rsa", "01", "rsa:2048"), ("ec", "02", "EC:prime256v1")] {
            let login = ["--module", MODULE, "--token-label", "test", "--login", "--pin", PIN];
            let generate = ["--keypairgen", "--key-type", kind, "--label", label, "--id", id];
            run(Command::new("pkcs11-tool").args(login).args(generate));
        }
        Some(Engine::by_id("pkcs11").command("MODULE_PATH", MODULE).load().unwrap())
    });
    ENGINE.as_ref()
}

fn run(command: &mut Command) {
    let output = command.output().unwrap();
    assert!(output.status.success(), "{command:?}: {}", String::from_utf8_lossy(&output.stderr));
}

fn pin(pin: &str) -> Option<Secret> {
    Some(Secret::new(pin.to_owned()))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn keys_of_a_token_serve_handshakes() {
    let Some(engine) = engine() else { return };
    // First: who is logged in is not asked again.
    what_is_wrong_is_told(engine).await;
    serve(engine, 100).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "long"]
async fn keys_of_a_token_serve_handshakes_for_long() {
    let Some(engine) = engine() else { return };
    serve(engine, 1_000).await;
}

async fn serve(engine: &Engine, handshakes: u64) {
    for label in ["rsa", "ec"] {
        let uri = format!("pkcs11:token=test;object={label};type=private");
        let mut asked = Vec::new();
        let ask = |question: String| {
            asked.push(question);
            async {
                // Somebody looks for the PIN.
                sleep(Duration::from_millis(5)).await;
                pin(PIN)
            }
        };
        let key = engine.private_key(&uri, ask).await.unwrap();
        assert!(asked.iter().all(|question| question.contains("test")), "{asked:?}");
        let key = Offload::new(4).unwrap().key(&key).unwrap();
        let authority = Authority::new();
        let server = authority.issue(&key);
        let workers = Workers::builder().threads(1).build().unwrap();
        let acceptor = TlsAcceptor::new(authority.acceptor(&server, SslVersion::TLS1_3, false).build(), &workers);
        let own = Identity::p256();
        let connector = TlsConnector::new(
            authority.connector(&own, SslVersion::TLS1_3).build(),
            &Workers::builder().threads(1).build().unwrap(),
        );
        let mut running = JoinSet::new();
        for begun in 0..handshakes {
            if begun >= 32 {
                running.join_next().await.unwrap().unwrap();
            }
            let (acceptor, connector) = (acceptor.clone(), connector.clone());
            running.spawn(async move {
                let (client, server) = sockets().await;
                let (client, server) = tokio::join!(connector.connect("localhost", client), acceptor.accept(server));
                drop((client.unwrap(), server.unwrap()));
            });
        }
        while let Some(ended) = running.join_next().await {
            ended.unwrap();
        }
        let metrics = workers.metrics();
        assert_eq!((metrics.handshakes, metrics.failed), (handshakes, 0), "{label}");
        assert_eq!(
            (metrics.pauses, metrics.status_ok, metrics.callbacks),
            (handshakes, handshakes, handshakes),
            "{label}"
        );
    }
}

async fn what_is_wrong_is_told(engine: &Engine) {
    let wanted = "pkcs11:token=test;object=rsa;type=private";
    let cases = [
        ("a wrong PIN", wanted, pin("0000")),
        ("no PIN", wanted, None),
        ("no such key", "pkcs11:token=test;object=none;type=private", pin(PIN)),
        ("no such token", "pkcs11:token=none;object=rsa;type=private", pin(PIN)),
    ];
    for (what, uri, answer) in cases {
        let error = engine.private_key(uri, |_| std::future::ready(answer.clone())).await.unwrap_err();
        let EngineError::Key { engine: id, key, stack } = &error else { panic!("{what}: {error:?}") };
        assert_eq!((id.as_str(), key.as_str()), ("pkcs11", uri), "{what}");
        assert!(!stack.errors().is_empty(), "{what}: {error}");
    }
}
