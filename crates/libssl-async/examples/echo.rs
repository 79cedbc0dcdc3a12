//! An echo server whose private key is a future: here a file's, in place of a KMS.
//!
//! `cargo run --example echo -- cert.pem key.pem 8443`, with a key on P-256.

use std::error::Error;
use std::sync::Arc;

use libssl_async::keys::{RemoteKey, SignRequest, SignatureScheme};
use libssl_async::{TlsAcceptor, Workers};
use openssl::hash::MessageDigest;
use openssl::pkey::PKey;
use openssl::sign::Signer;
use openssl::ssl::{SslAcceptor, SslMethod};
use openssl::x509::X509;
use tokio::io::{AsyncWriteExt, copy, split};
use tokio::net::TcpListener;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let mut args = std::env::args().skip(1);
    let certificate = X509::from_pem(&std::fs::read(args.next().unwrap_or("cert.pem".into()))?)?;
    let secret = Arc::new(PKey::private_key_from_pem(&std::fs::read(args.next().unwrap_or("key.pem".into()))?)?);
    let port = args.next().unwrap_or("8443".into());

    let public_key = certificate.public_key()?;
    let key = RemoteKey::builder(&public_key)
        .schemes([SignatureScheme::EcdsaSecp256r1Sha256])
        .sign_fn(move |request: SignRequest| {
            let secret = Arc::clone(&secret);
            // Your KMS or HSM in place of this.
            async move { Signer::new(MessageDigest::sha256(), &secret)?.sign_oneshot_to_vec(&request.message) }
        })
        .build()?;

    let mut settings = SslAcceptor::mozilla_intermediate_v5(SslMethod::tls())?;
    settings.set_certificate(&certificate)?;
    settings.set_private_key(&key)?;
    let workers = Workers::new()?;
    let acceptor = TlsAcceptor::new(settings.build(), &workers);

    let listener = TcpListener::bind(format!("127.0.0.1:{port}")).await?;
    println!("listening at {}", listener.local_addr()?);
    loop {
        let (socket, _) = listener.accept().await?;
        let (handshake, workers) = (acceptor.accept(socket), workers.clone());
        tokio::spawn(async move {
            match handshake.await {
                Ok(stream) => {
                    let (mut reader, mut writer) = split(stream);
                    let _ = copy(&mut reader, &mut writer).await;
                    let _ = writer.shutdown().await;
                    let metrics = workers.metrics();
                    println!("echoed; {} handshakes so far, {} of them paused", metrics.handshakes, metrics.pauses);
                }
                Err(error) => eprintln!("{error}"),
            }
        });
    }
}
