//! curl at the other end.

use libssl_async::{TlsAcceptor, TlsStream};
use openssl::ssl::SslVersion;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::process::Command;

use crate::VERSIONS;
use crate::authority::Authority;
use crate::local_key;
use crate::program::{Folder, conversation, is_installed};
use crate::remote::Remote;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn our_server_serves_curl_which_resumes() {
    if !is_installed("curl", "--version") {
        return;
    }
    let authority = Authority::new();
    let folder = Folder::new("curl");
    let root = folder.file("root.pem");
    authority.write(&root);
    let local = authority.issue(&local_key::rsa());
    for version in VERSIONS {
        let told = format!("{version:?}");
        let remote = Remote::new();
        let acceptor = authority.acceptor(&remote.identity(&local), version, false).build();
        let port = serve(TlsAcceptor::new(acceptor, &remote.workers)).await;
        let url = format!("https://localhost:{port}/");
        let number = if version == SslVersion::TLS1_3 { "1.3" } else { "1.2" };
        // Twice in one process, each on a connection of its own: the second resumes the session of the first.
        let mut curl = Command::new("curl");
        curl.args(["--silent", "--show-error", "--fail", "--noproxy", "*", "--http1.1"]);
        curl.args(["--resolve", &format!("localhost:{port}:127.0.0.1")]);
        curl.args([&format!("--tlsv{number}"), "--tls-max", number, "--cacert"]).arg(&root);
        let output = conversation(curl.args([&url, &url]).kill_on_drop(true).output()).await.unwrap();
        assert!(output.status.success(), "{told}: {}", String::from_utf8_lossy(&output.stderr));
        assert_eq!(output.stdout, b"resumed: false\nresumed: true\n", "{told}");
        remote.assert_counts(2, 1, &told);
    }
}

/// Answers each request with whether its session was resumed, and closes.
async fn serve(acceptor: TlsAcceptor) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        loop {
            let (socket, _) = listener.accept().await.unwrap();
            tokio::spawn(answer(acceptor.accept(socket).await.unwrap()));
        }
    });
    port
}

async fn answer(stream: TlsStream<TcpStream>) {
    let body = format!("resumed: {}\n", stream.ssl().session_reused());
    let mut stream = BufReader::new(stream);
    let mut line = String::from("-");
    while !line.trim().is_empty() {
        line.clear();
        stream.read_line(&mut line).await.unwrap();
    }
    let head = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\nConnection: close\r\n\r\n", body.len());
    stream.write_all((head + &body).as_bytes()).await.unwrap();
    stream.shutdown().await.unwrap();
}
