//! `openssl s_client` at the other end.

use std::path::Path;
use std::process::{Output, Stdio};

use libssl_async::TlsAcceptor;
use openssl::ssl::SslVersion;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::process::Command;

use crate::VERSIONS;
use crate::authority::{Authority, keys};
use crate::program::{Folder, conversation, is_installed};
use crate::remote::{Remote, echo};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn our_server_serves_s_client() {
    if !is_installed("openssl", "version") {
        return;
    }
    let authority = Authority::new();
    let folder = Folder::new("s_client");
    let root = folder.file("root.pem");
    authority.write(&root);
    for (name, key) in keys() {
        let local = authority.issue(&key);
        let certificate = folder.write("client.pem", &local.certificate.to_pem().unwrap());
        let private = folder.write("client.key", &key.private_key_to_pem_pkcs8().unwrap());
        for version in VERSIONS {
            let told = format!("{name}, {version:?}");
            let remote = Remote::new();
            let acceptor = authority.acceptor(&remote.identity(&local), version, true).build();
            let port = echo(TlsAcceptor::new(acceptor, &remote.workers)).await;
            let session = folder.file(&format!("{name}-{version:?}.session"));
            let mut client = s_client(port, version, &root);
            client.arg("-cert").arg(&certificate).arg("-key").arg(&private).arg("-sess_out").arg(&session);
            let first = conversation(talk(client)).await;
            assert!(first.contains("ALPN protocol: echo"), "{told}: {first}");
            assert!(first.contains("Verification: OK") && first.contains("\nNew, "), "{told}: {first}");
            remote.assert_counts(1, 1, &told);

            let mut client = s_client(port, version, &root);
            client.arg("-cert").arg(&certificate).arg("-key").arg(&private).arg("-sess_in").arg(&session);
            let second = conversation(talk(client)).await;
            assert!(second.contains("\nReused, "), "{told}: {second}");
            remote.assert_counts(2, 1, &told);
        }
    }
}

fn s_client(port: u16, version: SslVersion, root: &Path) -> Command {
    let mut command = Command::new("openssl");
    command.args(["s_client", "-connect", &format!("127.0.0.1:{port}"), "-servername", "localhost"]);
    command.arg(if version == SslVersion::TLS1_3 { "-tls1_3" } else { "-tls1_2" });
    command.args(["-alpn", "echo", "-verify_hostname", "localhost", "-verify_return_error", "-CAfile"]).arg(root);
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).kill_on_drop(true);
    command
}

/// Sends a line, waits for its echo, quits, and returns what the program said.
async fn talk(mut client: Command) -> String {
    const LINE: &str = "there and back";
    let mut client = client.spawn().unwrap();
    let mut input = client.stdin.take().unwrap();
    let mut lines = BufReader::new(client.stdout.take().unwrap()).lines();
    input.write_all(format!("{LINE}\n").as_bytes()).await.unwrap();
    let mut said = String::from("\n");
    let mut echoed = false;
    while let Some(line) = lines.next_line().await.unwrap() {
        said.push_str(&line);
        said.push('\n');
        // What it receives it writes past the buffer that its own words stay in, so maybe into the middle of a line.
        if line.ends_with(LINE) {
            echoed = true;
            // At the start of a line, Q quits.
            input.write_all(b"Q\n").await.unwrap();
        }
    }
    let Output { status, stderr, .. } = client.wait_with_output().await.unwrap();
    assert!(echoed && status.success(), "{status}: {said}{}", String::from_utf8_lossy(&stderr));
    said
}
