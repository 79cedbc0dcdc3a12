//! A TPM, through its provider: `swtpm`, `libtss2-tcti-swtpm0` and `tpm2-openssl` of Debian.

use std::env;
use std::fs;
use std::path::PathBuf;
use std::process::Command;

use libssl_async::Error;
use libssl_async::keys::{KeyError, Offload};
use libssl_async::provider::{Provider, ProviderError};
use openssl::error::ErrorStack;

use crate::support::Identity;
use crate::{PLACES, Served, installed, is_program, run};

/// A TPM in software, which ends with this value.
struct Tpm;

impl Tpm {
    /// Starts one; it listens when this returns.
    fn start() -> Option<Self> {
        let needed = [
            ("libtss2-tcti-swtpm0", libraries().join("libtss2-tcti-swtpm.so.0").exists()),
            ("openssl", is_program("openssl")),
            ("swtpm", is_program("swtpm")),
            ("tpm2-openssl", module().exists()),
        ];
        if !installed(&needed) {
            return None;
        }
        fs::create_dir_all(&PLACES.tpm).unwrap();
        let tpm = Self;
        let mut command = Command::new("swtpm");
        command.args(["socket", "--tpm2", "--flags", "not-need-init,startup-clear", "--daemon"]);
        command.arg("--tpmstate").arg(format!("dir={}", PLACES.tpm.display()));
        command.arg("--pid").arg(format!("file={}", tpm.file("pid").display()));
        command.arg("--server").arg(format!("type=unixio,path={}", tpm.file("socket").display()));
        command.arg("--ctrl").arg(format!("type=unixio,path={}", tpm.file("socket.ctrl").display()));
        run(&mut command);
        Some(tpm)
    }

    fn file(&self, name: &str) -> PathBuf {
        PLACES.tpm.join(name)
    }

    /// The URI of a key that is made in it: its file has what only this TPM can read.
    fn generate(&self, name: &str, arguments: [&str; 4]) -> String {
        let file = self.file(name);
        let mut command = Command::new("openssl");
        command.args(["genpkey", "-provider-path"]).arg(module().parent().unwrap()).args(["-provider", "tpm2"]);
        run(command.args(arguments).arg("-out").arg(&file));
        assert!(fs::read_to_string(&file).unwrap().starts_with("-----BEGIN TSS2 PRIVATE KEY-----"));
        format!("file:{}", file.display())
    }

    fn end(&self) {
        let process = fs::read_to_string(self.file("pid")).unwrap();
        run(Command::new("kill").arg(process.trim()));
    }
}

impl Drop for Tpm {
    fn drop(&mut self) {
        if self.file("pid").exists() {
            self.end();
        }
        let _ = fs::remove_dir_all(&PLACES.tpm);
    }
}

fn libraries() -> PathBuf {
    format!("/usr/lib/{}-linux-gnu", env::consts::ARCH).into()
}

fn module() -> PathBuf {
    libraries().join("ossl-modules/tpm2.so")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn keys_of_a_tpm_serve_handshakes_until_it_is_gone() {
    let Some(tpm) = Tpm::start() else { return };
    let uris = [
        tpm.generate("rsa", ["-algorithm", "RSA", "-pkeyopt", "bits:2048"]),
        tpm.generate("ec", ["-algorithm", "EC", "-pkeyopt", "group:P-256"]),
    ];
    let provider = Provider::by_name("tpm2").path(module()).load().unwrap();
    // It does one thing at a time, and so its provider may be asked for one at a time.
    let threads = Offload::new(1).unwrap();
    let mut all = Vec::new();
    for uri in &uris {
        let key = provider.private_key(uri, |_| std::future::ready(None)).await.unwrap();
        let served = Served::new(threads.key(&key).unwrap());
        served.handshakes(100).await;
        all.push(served);
    }

    let nowhere = "file:/nowhere/key.pem";
    let error = provider.private_key(nowhere, |_| std::future::ready(None)).await.unwrap_err();
    assert!(matches!(&error, ProviderError::Key { uri, .. } if uri == nowhere), "{error:?}");

    tpm.end();
    let other = Served::new(Identity::p256().key);
    for served in &all {
        let error = served.handshake().await.unwrap_err();
        let Error::Key(KeyError::Failed(reason)) = &error else { panic!("{error:?}") };
        assert!(reason.is::<ErrorStack>() && error.to_string().contains("tpm2"), "{error}");
        other.handshake().await.unwrap();
    }
}
