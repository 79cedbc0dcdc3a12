//! Callbacks of OpenSSL's that ask somebody else, and wait in the midst of a handshake.

mod support;

use std::io;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use libssl_async::{AskError, Error, Handshake, Question, TlsAcceptor, TlsConnector, Workers, ask, is_capable, keys};
use openssl::ssl::{NameType, SniError, SslContext, SslMethod, SslVerifyMode};
use support::{Identity, eventually, sockets, until};
use tokio::net::TcpStream;
use tokio::sync::mpsc;

/// Contexts that are asked for by name, and those who ask.
type Lookups = mpsc::UnboundedReceiver<(String, Question<Option<SslContext>>)>;

struct Server {
    workers: Workers,
    acceptor: TlsAcceptor,
    connector: TlsConnector,
    lookups: Lookups,
}

impl Server {
    /// A server that asks for the context of each name.
    fn new() -> Self {
        Self::with(Workers::builder().threads(1).build().unwrap())
    }

    fn with(workers: Workers) -> Self {
        let identity = Identity::p256();
        let (sender, lookups) = mpsc::unbounded_channel();
        let mut builder = identity.acceptor();
        builder.set_servername_callback(move |ssl, _alert| {
            let Some(name) = ssl.servername(NameType::HOST_NAME).map(str::to_owned) else { return Ok(()) };
            let chosen: Option<SslContext> =
                ask(|question| drop(sender.send((name, question)))).map_err(|_| SniError::ALERT_FATAL)?;
            match chosen {
                Some(context) => ssl.set_ssl_context(&context).map_err(|_| SniError::ALERT_FATAL),
                None => Ok(()),
            }
        });
        let acceptor = TlsAcceptor::new(builder.build(), &workers);
        let mut connector = identity.connector();
        connector.set_verify(SslVerifyMode::NONE);
        let connector = TlsConnector::new(connector.build(), &Workers::builder().threads(1).build().unwrap());
        Self { workers, acceptor, connector, lookups }
    }

    /// Begins both sides of a handshake.
    async fn begin(&self) -> (Handshake<TcpStream>, Handshake<TcpStream>) {
        let (client, server) = sockets().await;
        (self.connector.connect("name.example", client), self.acceptor.accept(server))
    }

    async fn asked(&mut self) -> (String, Question<Option<SslContext>>) {
        self.lookups.recv().await.unwrap()
    }
}

fn context(identity: &Identity) -> SslContext {
    let mut builder = SslContext::builder(SslMethod::tls()).unwrap();
    builder.set_certificate(&identity.certificate).unwrap();
    builder.set_private_key(&identity.key).unwrap();
    builder.build()
}

#[tokio::test]
async fn a_context_is_looked_up_while_the_handshake_is_paused() {
    let mut server = Server::new();
    let other = Identity::p256();
    let (connect, accept) = server.begin().await;
    let (name, question) = server.asked().await;
    assert_eq!(name, "name.example");
    assert!(question.connection().is_some());
    let chosen = context(&other);
    assert!(std::thread::spawn(move || question.answer(Ok(Some(chosen)))).join().unwrap());
    let (client, accepted) = tokio::join!(connect, accept);
    accepted.unwrap();
    let shown = client.unwrap().ssl().peer_certificate().unwrap();
    assert_eq!(shown.to_der().unwrap(), other.certificate.to_der().unwrap());
    let metrics = server.workers.metrics();
    let once = u64::from(is_capable());
    assert_eq!((metrics.pauses, metrics.callbacks, metrics.resumes), (once, once, once));
}

#[tokio::test]
async fn one_worker_asks_for_many_at_once() {
    let mut server = Server::new();
    let mut pairs = Vec::new();
    for _ in 0..20 {
        pairs.push(server.begin().await);
    }
    let mut questions = Vec::new();
    while questions.len() < pairs.len() {
        questions.push(server.asked().await.1);
    }
    if is_capable() {
        until(&server.workers, |metrics| metrics.paused == 20).await;
    }
    for question in questions.into_iter().rev() {
        assert!(question.answer(Ok(None)));
    }
    for (connect, accept) in pairs {
        let (client, server) = tokio::join!(connect, accept);
        client.unwrap();
        server.unwrap();
    }
}

#[tokio::test]
async fn a_failed_answer_is_the_error_of_the_handshake() {
    let mut server = Server::new();
    let (connect, accept) = server.begin().await;
    let asked = server.asked().await.1;
    assert!(asked.answer(Err(io::Error::other("no such tenant").into())));
    let (client, accepted) = tokio::join!(connect, accept);
    let Err(Error::Callback(AskError::Failed(cause))) = accepted else { panic!("{accepted:?}") };
    assert_eq!(cause.to_string(), "no such tenant");
    assert!(client.is_err());
}

#[tokio::test]
async fn a_question_that_is_dropped_fails_its_handshake_only() {
    let mut server = Server::new();
    let (connect, accept) = server.begin().await;
    drop(server.asked().await);
    let (_, accepted) = tokio::join!(connect, accept);
    assert!(matches!(accepted, Err(Error::Callback(AskError::Dropped))), "{accepted:?}");
    let (connect, accept) = server.begin().await;
    assert!(server.asked().await.1.answer(Ok(None)));
    let (client, accepted) = tokio::join!(connect, accept);
    client.unwrap();
    accepted.unwrap();
}

#[tokio::test]
async fn a_client_that_goes_away_cancels_the_question() {
    let mut server = Server::new();
    let (connect, accept) = server.begin().await;
    let question = server.asked().await.1;
    drop(connect);
    question.cancellation().cancelled().await;
    assert!(!question.answer(Ok(None)));
    let error = accept.await.err().unwrap();
    assert!(matches!(error, Error::Truncated | Error::Io(_)), "{error:?}");
}

#[tokio::test]
async fn a_handshake_that_is_given_up_cancels_the_question() {
    let mut server = Server::new();
    server.acceptor.set_handshake_timeout(Duration::from_millis(50));
    let (connect, accept) = server.begin().await;
    let question = server.asked().await.1;
    let (_, accepted) = tokio::join!(connect, accept);
    assert!(matches!(accepted, Err(Error::HandshakeTimeout)), "{accepted:?}");
    question.cancellation().cancelled().await;
    assert!(!question.answer(Ok(None)));
    until(&server.workers, |metrics| metrics.paused == 0 && metrics.in_flight == 0).await;
}

#[tokio::test]
async fn a_thread_that_may_block_asks_where_jobs_cannot_pause() {
    let mut server = Server::with(Workers::builder().threads(1).without_jobs().build().unwrap());
    let (connect, accept) = server.begin().await;
    let question = server.asked().await.1;
    assert!(question.connection().is_some());
    assert!(question.answer(Ok(None)));
    let (client, accepted) = tokio::join!(connect, accept);
    client.unwrap();
    accepted.unwrap();
    assert_eq!(server.workers.metrics().pauses, 0);
}

#[test]
fn a_panic_of_whoever_asks_ends_there() {
    let asked = ask::<()>(|_question| panic!("as the test wants"));
    assert!(matches!(asked, Err(AskError::Dropped)), "{asked:?}");
}

#[test]
fn threads_that_must_not_wait_do_not() {
    let asked = Arc::new(Mutex::new(false));
    let told = Arc::clone(&asked);
    let result = std::thread::spawn(move || {
        keys::forbid_blocking();
        ask::<()>(|_question| *told.lock().unwrap() = true)
    });
    assert!(matches!(result.join().unwrap(), Err(AskError::WouldBlock)));
    assert!(!*asked.lock().unwrap());
}

#[tokio::test]
async fn a_server_asks_about_the_certificate_of_its_client() {
    let (own, client_identity) = (Identity::p256(), Identity::p256());
    let (sender, mut questions) = mpsc::unbounded_channel();
    let mut builder = own.acceptor();
    builder.set_verify_callback(SslVerifyMode::PEER | SslVerifyMode::FAIL_IF_NO_PEER_CERT, move |_, store| {
        let subject = store.current_cert().unwrap().to_der().unwrap();
        ask(|question: Question<bool>| drop(sender.send((subject, question)))).unwrap_or(false)
    });
    let workers = Workers::builder().threads(1).build().unwrap();
    let acceptor = TlsAcceptor::new(builder.build(), &workers);
    for trusted in [true, false] {
        let mut connector = own.connector();
        connector.set_certificate(&client_identity.certificate).unwrap();
        connector.set_private_key(&client_identity.key).unwrap();
        let connector = TlsConnector::new(connector.build(), &workers);
        let (client, accepted) = sockets().await;
        let connect = connector.connect("localhost", client);
        let accept = acceptor.accept(accepted);
        let mut handshakes = std::pin::pin!(async { tokio::join!(connect, accept) });
        let mut asked = 0;
        let (_client, accepted) = loop {
            tokio::select! {
                both = &mut handshakes => break both,
                // OpenSSL asks about each thing that is wrong, and about the certificate at last.
                Some((subject, question)) = questions.recv() => {
                    assert_eq!(subject, client_identity.certificate.to_der().unwrap());
                    question.answer(Ok(trusted));
                    asked += 1;
                }
            }
        };
        assert!(asked > 0);
        assert_eq!(accepted.is_ok(), trusted, "{accepted:?}");
    }
    eventually(|| workers.metrics().in_flight == 0, || format!("{:?}", workers.metrics())).await;
}
