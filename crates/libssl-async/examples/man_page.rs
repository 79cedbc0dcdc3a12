//! The nine steps of the manual page `SSL_set_async_callback(3)`, as they happen to a server whose key is elsewhere.
//!
//! `cargo run --example man_page`; it fails unless they come in their order.

use std::error::Error;
use std::sync::{Arc, Mutex};

use libssl_async::keys::{RemoteKey, RemoteKeyError, SignRequest};
use libssl_async::{AsyncStatus, TlsAcceptor, TlsConnector, Workers};
use openssl::asn1::Asn1Time;
use openssl::error::ErrorStack;
use openssl::hash::MessageDigest;
use openssl::pkey::{PKey, PKeyRef, Private};
use openssl::sign::Signer;
use openssl::ssl::{SslAcceptor, SslConnector, SslMethod};
use openssl::x509::extension::SubjectAlternativeName;
use openssl::x509::{X509, X509NameBuilder};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Notify;

/// As the page numbers them; the callback looks at the status, 9, before the connection goes on, 8.
const ORDER: [u8; 9] = [1, 2, 3, 4, 5, 6, 7, 9, 8];

#[tokio::main(flavor = "current_thread")]
pub(crate) async fn main() -> Result<(), Box<dyn Error>> {
    let steps = Steps::default();
    let secret = PKey::ec_gen("P-256")?;
    let certificate = certificate(&secret)?;
    let engine = Engine::default();
    let remote = engine.key(&secret, &steps)?;

    // A single thread for all connections: it cannot serve a second one while a first one blocks it.
    let workers = Workers::builder().threads(1).build()?;
    let connector = connector(&certificate, &workers)?;
    let plain = TlsAcceptor::new(settings(&certificate, &secret)?, &workers);
    let mut acceptor = TlsAcceptor::new(settings(&certificate, &remote)?, &workers);

    let (told, data) = (steps.clone(), "my data");
    acceptor.set_async_callback(move |event| {
        told.step(6, &format!("the callback is called for connection {}, with its data: {data}", event.connection));
        told.step(7, "it is small and does not block, in whatever thread it is called");
        told.step(9, &format!("it checks the status: {:?}, so no retry", event.status));
    });
    steps.step(1, "the callback and its data are set, before any operation");

    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let (client, server) = sockets(&listener).await?;
    steps.step(2, "SSL_MODE_ASYNC is set, and an asynchronous call is made: the handshake");
    let (connecting, accepting) = (connector.connect("localhost", client), acceptor.accept(server));
    engine.submitted.notified().await;

    let (client, server) = sockets(&listener).await?;
    tokio::try_join!(connector.connect("localhost", client), plain.accept(server))?;
    let status = accepting.async_status();
    steps.step(4, &format!("the job is paused, status {status:?}; meanwhile another connection was served"));
    engine.finished.notify_one();

    let (_client, server) = tokio::try_join!(connecting, accepting)?;
    steps.step(8, "the same call was made again, on the thread that had made it, and the handshake is done");

    let metrics = workers.metrics();
    println!("   {} pause, {} resumption, {} callback", metrics.pauses, metrics.resumes, metrics.callbacks);
    let once = (metrics.pauses, metrics.resumes, metrics.callbacks) == (1, 1, 1);
    let submitted = (status, server.async_status()) == (Some(AsyncStatus::Ok), Some(AsyncStatus::Ok));
    if steps.seen() != ORDER || !once || !submitted {
        return Err(format!("the steps came as {:?}", steps.seen()).into());
    }
    Ok(())
}

/// What takes requests, and finishes them when it is told to.
#[derive(Clone, Default)]
struct Engine {
    submitted: Arc<Notify>,
    finished: Arc<Notify>,
}

impl Engine {
    /// A key that signs with `secret`, away from the workers.
    fn key(&self, secret: &PKey<Private>, steps: &Steps) -> Result<PKey<Private>, RemoteKeyError> {
        let builder = RemoteKey::builder(secret);
        let (engine, secret, steps) = (self.clone(), secret.clone(), steps.clone());
        let sign = move |request: SignRequest| {
            let (engine, secret, steps) = (engine.clone(), secret.clone(), steps.clone());
            async move {
                steps.step(3, &format!("the request to sign with {} is submitted to the engine", request.scheme));
                engine.submitted.notify_one();
                engine.finished.notified().await;
                steps.step(5, "the engine becomes aware that the request has finished");
                Signer::new(MessageDigest::sha256(), &secret)?.sign_oneshot_to_vec(&request.message)
            }
        };
        builder.sign_fn(sign).build()
    }
}

/// The steps that were seen so far.
#[derive(Clone, Default)]
struct Steps(Arc<Mutex<Vec<u8>>>);

impl Steps {
    fn step(&self, number: u8, text: &str) {
        println!("{number}. {text}");
        self.0.lock().expect("no step panics").push(number);
    }

    fn seen(&self) -> Vec<u8> {
        self.0.lock().expect("no step panics").clone()
    }
}

fn settings(certificate: &X509, key: &PKey<Private>) -> Result<SslAcceptor, ErrorStack> {
    let mut builder = SslAcceptor::mozilla_intermediate_v5(SslMethod::tls())?;
    builder.set_certificate(certificate)?;
    builder.set_private_key(key)?;
    Ok(builder.build())
}

fn connector(certificate: &X509, workers: &Workers) -> Result<TlsConnector, ErrorStack> {
    let mut builder = SslConnector::builder(SslMethod::tls())?;
    builder.cert_store_mut().add_cert(certificate.clone())?;
    Ok(TlsConnector::new(builder.build(), workers))
}

fn certificate(key: &PKeyRef<Private>) -> Result<X509, ErrorStack> {
    let mut name = X509NameBuilder::new()?;
    name.append_entry_by_text("CN", "localhost")?;
    let (name, start, end) = (name.build(), Asn1Time::days_from_now(0)?, Asn1Time::days_from_now(1)?);
    let mut builder = X509::builder()?;
    builder.set_version(2)?;
    builder.set_subject_name(&name)?;
    builder.set_issuer_name(&name)?;
    builder.set_pubkey(key)?;
    builder.set_not_before(&start)?;
    builder.set_not_after(&end)?;
    let names = SubjectAlternativeName::new().dns("localhost").build(&builder.x509v3_context(None, None))?;
    builder.append_extension(names)?;
    builder.sign(key, MessageDigest::sha256())?;
    Ok(builder.build())
}

async fn sockets(listener: &TcpListener) -> Result<(TcpStream, TcpStream), std::io::Error> {
    let (client, (server, _)) = tokio::try_join!(TcpStream::connect(listener.local_addr()?), listener.accept())?;
    Ok((client, server))
}
