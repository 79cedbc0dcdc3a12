//! `openssl s_server` at the other end.

use std::process::Stdio;

use libssl_async::TlsConnector;
use openssl::ssl::SslVersion;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader, Lines};
use tokio::net::TcpStream;
use tokio::process::{Child, ChildStdout, Command};

use crate::VERSIONS;
use crate::authority::{Authority, keys};
use crate::program::{Folder, conversation, is_installed};
use crate::remote::Remote;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn our_client_connects_to_s_server() {
    if !is_installed("openssl", "version") {
        return;
    }
    let authority = Authority::new();
    let folder = Folder::new("s_server");
    let root = folder.file("root.pem");
    authority.write(&root);
    for (name, key) in keys() {
        let local = authority.issue(&key);
        let certificate = folder.write("server.pem", &local.certificate.to_pem().unwrap());
        let private = folder.write("server.key", &key.private_key_to_pem_pkcs8().unwrap());
        for version in VERSIONS {
            let told = format!("{name}, {version:?}");
            let mut server = Command::new("openssl");
            // It reverses each line; it demands a certificate; it ends after one connection.
            server.args(["s_server", "-accept", "127.0.0.1:0", "-naccept", "1", "-rev", "-alpn", "echo"]);
            server.arg(if version == SslVersion::TLS1_3 { "-tls1_3" } else { "-tls1_2" });
            server.arg("-cert").arg(&certificate).arg("-key").arg(&private);
            server.args(["-Verify", "1", "-verify_return_error", "-CAfile"]).arg(&root);
            let remote = Remote::new();
            let connector = authority.connector(&remote.identity(&local), version).build();
            conversation(talk(server, TlsConnector::new(connector, &remote.workers))).await;
            remote.assert_counts(1, 1, &told);
        }
    }
}

/// Sends a line, reads it reversed, and waits for the end of the server.
async fn talk(server: Command, connector: TlsConnector) {
    let (server, mut said, port) = start(server).await;
    let socket = TcpStream::connect(("127.0.0.1", port)).await.unwrap();
    let mut stream = connector.connect("localhost", socket).await.unwrap();
    assert_eq!(stream.ssl().selected_alpn_protocol(), Some(&b"echo"[..]));
    stream.write_all(b"there and back\n").await.unwrap();
    let mut reversed = [0; 15];
    stream.read_exact(&mut reversed).await.unwrap();
    assert_eq!(&reversed, b"kcab dna ereht\n");
    stream.shutdown().await.unwrap();
    drop(stream);
    while said.next_line().await.unwrap().is_some() {}
    let output = server.wait_with_output().await.unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

/// Starts a server, and waits until it says the port that it listens at.
async fn start(mut server: Command) -> (Child, Lines<BufReader<ChildStdout>>, u16) {
    server.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).kill_on_drop(true);
    let mut server = server.spawn().unwrap();
    let mut lines = BufReader::new(server.stdout.take().unwrap()).lines();
    while let Some(line) = lines.next_line().await.unwrap() {
        if let Some(address) = line.strip_prefix("ACCEPT ") {
            let port = address.rsplit(':').next().unwrap().parse().unwrap();
            return (server, lines, port);
        }
    }
    panic!("{}", String::from_utf8_lossy(&server.wait_with_output().await.unwrap().stderr));
}
