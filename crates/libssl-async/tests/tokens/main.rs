//! Keys that are in a token, through threads that may block.
//!
//! A test is skipped where what it takes is not installed, except in CI.
#![cfg(all(engine, target_os = "linux"))]

#[path = "../interop/authority.rs"]
#[allow(dead_code, reason = "only a part is used")]
mod authority;
#[path = "../local_key/mod.rs"]
mod local_key;
mod softhsm;
#[path = "../support/mod.rs"]
mod support;
mod tpm;

use std::env;
use std::path::{Path, PathBuf};
use std::process::{self, Command};
use std::sync::LazyLock;

use authority::Authority;
use libssl_async::{Error, TlsAcceptor, TlsConnector, Workers};
use openssl::pkey::{PKey, Private};
use openssl::ssl::SslVersion;
use support::{Identity, sockets};
use tokio::task::JoinSet;

const PROTOCOLS: &[u8] = b"\x04echo";

/// Where the tokens are, as their libraries have been told by the environment: each test looks here first.
static PLACES: LazyLock<Places> = LazyLock::new(|| {
    let places = Places {
        softhsm: Path::new(env!("CARGO_TARGET_TMPDIR")).join("softhsm"),
        // Paths of sockets have to be short.
        tpm: env::temp_dir().join(format!("libssl-async-tpm-{}", process::id())),
    };
    // SAFETY: all tests wait for this, and nothing reads the environment meanwhile.
    unsafe {
        env::set_var("SOFTHSM2_CONF", places.softhsm.join("softhsm2.conf"));
        env::set_var("TPM2OPENSSL_TCTI", format!("swtpm:path={}", places.tpm.join("socket").display()));
        env::set_var("TSS2_LOG", "all+NONE");
    }
    places
});

struct Places {
    softhsm: PathBuf,
    tpm: PathBuf,
}

/// Whether all of this is there; in CI it has to be.
fn installed(needed: &[(&str, bool)]) -> bool {
    let missing: Vec<_> = needed.iter().filter(|(_, is_there)| !is_there).map(|(what, _)| what).collect();
    if !missing.is_empty() {
        assert!(env::var_os("CI").is_none(), "{missing:?} not installed");
        eprintln!("skipped: {missing:?} not installed");
    }
    missing.is_empty()
}

fn is_program(program: &str) -> bool {
    Command::new(program).arg("--help").output().is_ok()
}

fn run(command: &mut Command) {
    let output = command.output().unwrap();
    assert!(output.status.success(), "{command:?}: {}", String::from_utf8_lossy(&output.stderr));
}

/// A server with a key, and its clients.
struct Served {
    acceptor: TlsAcceptor,
    connector: TlsConnector,
    workers: Workers,
}

impl Served {
    fn new(key: PKey<Private>) -> Self {
        let authority = Authority::new();
        let server = authority.issue(&key);
        let [workers, clients] = [(); 2].map(|()| Workers::builder().threads(1).build().unwrap());
        let acceptor = TlsAcceptor::new(authority.acceptor(&server, SslVersion::TLS1_3, false).build(), &workers);
        let connector = authority.connector(&Identity::p256(), SslVersion::TLS1_3).build();
        Self { acceptor, connector: TlsConnector::new(connector, &clients), workers }
    }

    /// How a handshake goes for the server.
    fn handshake(&self) -> impl Future<Output = Result<(), Error>> + use<> {
        let (acceptor, connector) = (self.acceptor.clone(), self.connector.clone());
        async move {
            let (client, server) = sockets().await;
            let (client, server) = tokio::join!(connector.connect("localhost", client), acceptor.accept(server));
            server?;
            client.map(drop)
        }
    }

    /// As many handshakes, 32 at once, all of which succeed and pause once.
    async fn handshakes(&self, count: u64) {
        let mut running = JoinSet::<Result<(), Error>>::new();
        for begun in 0..count {
            if begun >= 32 {
                running.join_next().await.unwrap().unwrap().unwrap();
            }
            running.spawn(self.handshake());
        }
        for ended in running.join_all().await {
            ended.unwrap();
        }
        let metrics = self.workers.metrics();
        assert_eq!((metrics.handshakes, metrics.failed), (count, 0));
        assert_eq!((metrics.pauses, metrics.status_ok, metrics.callbacks), (count, count, count));
    }
}
