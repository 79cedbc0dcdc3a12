//! A token of SoftHSM2, through the PKCS#11 engine: `softhsm2`, `opensc` and `libengine-pkcs11-openssl` of Debian.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use libssl_async::engine::{Engine, EngineError};
use libssl_async::keys::{KeyError, Offload};
use libssl_async::{Error, Secret};
use openssl::error::ErrorStack;
use openssl::pkey::{PKey, Private};
use tokio::sync::OnceCell;
use tokio::task::JoinSet;
use tokio::time::sleep;

use crate::support::Identity;
use crate::{PLACES, Served, installed, is_program, run};

const MODULE: &str = "/usr/lib/softhsm/libsofthsm2.so";
const PIN: &str = "1234";

/// The engine, and the folder of the token that may be removed.
struct Hsm {
    engine: Engine,
    removable: PathBuf,
}

/// The engine, with two tokens that have an RSA key and a P-256 key each, generated in them; `None` without what it takes.
/// This engine cannot be loaded a second time in a process.
async fn hsm() -> Option<&'static Hsm> {
    static HSM: OnceCell<Option<Hsm>> = OnceCell::const_new();
    let hsm = HSM.get_or_init(|| async {
        let engine = format!("/usr/lib/{}-linux-gnu/engines-3/pkcs11.so", env::consts::ARCH);
        let needed = [
            ("libengine-pkcs11-openssl", Path::new(&engine).exists()),
            ("opensc: pkcs11-tool", is_program("pkcs11-tool")),
            ("softhsm2: its module", Path::new(MODULE).exists()),
            ("softhsm2: softhsm2-util", is_program("softhsm2-util")),
        ];
        if !installed(&needed) {
            return None;
        }
        let folder = &PLACES.softhsm;
        let _ = fs::remove_dir_all(folder);
        let tokens = folder.join("tokens");
        fs::create_dir_all(&tokens).unwrap();
        let configuration = format!(
            "directories.tokendir = {}
",
            tokens.display()
        );
        fs::write(folder.join("softhsm2.conf"), configuration).unwrap();
        make_token("removable");
        let removable = fs::read_dir(&tokens).unwrap().next().unwrap().unwrap().path();
        make_token("test");
        let engine = Engine::by_id("pkcs11").command("MODULE_PATH", MODULE).load().unwrap();
        // First: the engine keeps the PIN for all that is asked later.
        what_is_wrong_is_told(&engine).await;
        Some(Hsm { engine, removable })
    });
    hsm.await.as_ref()
}

fn make_token(token: &str) {
    let init = ["--init-token", "--free", "--label", token, "--pin", PIN, "--so-pin", "5678"];
    run(Command::new("softhsm2-util").args(init));
    for (label, id, kind) in [("rsa", "01", "rsa:2048"), ("ec", "02", "EC:prime256v1")] {
        let login = ["--module", MODULE, "--token-label", token, "--login", "--pin", PIN];
        let generate = ["--keypairgen", "--key-type", kind, "--label", label, "--id", id];
        run(Command::new("pkcs11-tool").args(login).args(generate));
    }
}

fn pin(pin: &str) -> Option<Secret> {
    Some(Secret::new(pin.to_owned()))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn keys_of_a_token_serve_handshakes() {
    let Some(hsm) = hsm().await else { return };
    serve(&hsm.engine, 100).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "long"]
async fn keys_of_a_token_serve_handshakes_for_long() {
    let Some(hsm) = hsm().await else { return };
    serve(&hsm.engine, 1_000).await;
}

async fn serve(engine: &Engine, handshakes: u64) {
    for label in ["rsa", "ec"] {
        let served = Served::new(offloaded(engine, "test", label).await);
        served.handshakes(handshakes).await;
    }
}

/// Its keys fail, with what the token says, and nothing else does.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_token_that_is_removed_fails_its_handshakes_only() {
    let Some(Hsm { engine, removable }) = hsm().await else { return };
    let (mut removed, mut others) = (Vec::new(), vec![Served::new(Identity::p256().key)]);
    for label in ["rsa", "ec"] {
        removed.push(Served::new(offloaded(engine, "removable", label).await));
        others.push(Served::new(offloaded(engine, "test", label).await));
    }
    let mut running = JoinSet::<Result<(), Error>>::new();
    for _ in 0..32 {
        for served in &removed {
            running.spawn(served.handshake());
        }
    }
    running.join_next().await.unwrap().unwrap().unwrap();
    fs::remove_dir_all(removable).unwrap();
    for ended in running.join_all().await {
        if let Err(error) = ended {
            assert_told(&error);
        }
    }
    for _ in 0..3 {
        for served in &removed {
            assert_told(&served.handshake().await.unwrap_err());
        }
        for served in &others {
            served.handshake().await.unwrap();
        }
    }
}

/// The error has what the token says.
fn assert_told(error: &Error) {
    let Error::Key(KeyError::Failed(reason)) = error else { panic!("{error:?}") };
    assert!(reason.is::<ErrorStack>(), "{reason:?}");
    let told = error.to_string();
    assert!(told.contains("the private key failed") && told.contains("PKCS#11 module"), "{told}");
}

/// A key of a token, whose operations run on threads that may block.
async fn offloaded(engine: &Engine, token: &str, label: &str) -> PKey<Private> {
    let uri = format!("pkcs11:token={token};object={label};type=private");
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
    assert!(asked.iter().all(|question| question.contains(token)), "{asked:?}");
    Offload::new(4).unwrap().key(&key).unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_key_that_does_not_match_the_certificate_is_refused() {
    let Some(hsm) = hsm().await else { return };
    let key = offloaded(&hsm.engine, "test", "rsa").await;
    let mut acceptor = Identity::rsa().acceptor();
    let error = acceptor.set_private_key(&key).unwrap_err();
    assert!(error.errors().iter().any(|error| error.reason() == Some("key values mismatch")), "{error:?}");
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
