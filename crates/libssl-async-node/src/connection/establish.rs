//! Handshakes, on the workers.

use std::future::Future;
use std::os::fd::OwnedFd;
use std::sync::Arc;
use std::time::{Duration, Instant};

use libssl_async::connection::Connection;
use libssl_async::{AskError, AsyncStatus, Error, Question, Terms, TlsStream, ask};
use openssl::error::ErrorStack;
use openssl::ssl::{Ssl, SslSession, SslVersion};
use socket2::SockRef;
use tokio_util::sync::CancellationToken;

use super::entry::Addresses;
use super::question::Asked;
use super::route::{Home, Route};
use crate::context::{
    Choice, ClientHello, ClientOptions, ContextHandle, Observer, PreSharedKey, ServerOptions, Unverified, observe,
};
use crate::driver::remote::Remote;
use crate::environment::next_id;
use crate::messages::{Failure, Message, Queue};
use crate::socket::{Family, Socket};
use crate::workers::workers;

/// A connection whose handshake is done.
pub(crate) struct Established {
    pub(crate) driven: Driven,
    pub(crate) addresses: Addresses,
    pub(crate) status: Option<AsyncStatus>,
    pub(crate) route: Arc<Route>,
    /// How long the handshake took.
    pub(crate) time: Duration,
    pub(crate) ended: Instant,
}

/// Where its record I/O is to run.
pub(crate) enum Driven {
    Local { connection: Connection, socket: OwnedFd },
    Remote(Remote),
}

/// Which end of the connection this is.
pub(crate) enum Side {
    Client(ClientOptions),
    Server(ServerOptions),
}

/// A handshake that is to run.
pub(crate) struct Handshake {
    pub(crate) connection: u32,
    pub(crate) server: Option<u32>,
    /// JavaScript knows of the connection already.
    pub(crate) known: bool,
    pub(crate) context: ContextHandle,
    pub(crate) side: Side,
    pub(crate) terms: Terms,
    /// Whether JavaScript has an asynchronous callback for this very connection.
    pub(crate) tells: bool,
    /// Whether JavaScript listens to the connection's secrets.
    pub(crate) secrets: bool,
    /// Whether record I/O stays on the worker.
    pub(crate) remote: bool,
    pub(crate) queue: Arc<Queue>,
}

impl Handshake {
    /// Runs the handshake on some worker; its end is told by a message, unless `cancelled` comes first.
    pub(crate) fn start(self, socket: OwnedFd, addresses: Addresses, family: Family, cancelled: CancellationToken) {
        let _detached = workers().spawn_pinned(move || self.run(socket, addresses, family, cancelled));
    }

    /// Runs the handshake on this worker.
    pub(crate) async fn run(self, socket: OwnedFd, addresses: Addresses, family: Family, cancelled: CancellationToken) {
        let (server, connection, known, queue) = (self.server, self.connection, self.known, Arc::clone(&self.queue));
        let failed = |failure| Message::Failed { server, connection, failure, peer: addresses.remote };
        let route = Route::new(Home { queue: Arc::clone(&queue), server });
        let begun = Instant::now();
        match cancelled.run_until_cancelled(self.shake_hands(socket, family, Arc::clone(&route))).await {
            None => {}
            Some(Err(error)) => queue.send_soon(failed(Failure::Tls(error))),
            Some(Ok((stream, remote))) => match settle(connection, stream, remote, addresses, route, begun) {
                Ok((established, pump)) => {
                    queue.send_soon(Message::Established { server, connection, known, established });
                    if let Some(pump) = pump {
                        pump.await;
                    }
                }
                Err(error) => queue.send_soon(failed(Failure::Tls(error.into()))),
            },
        }
    }

    async fn shake_hands(
        self,
        socket: OwnedFd,
        family: Family,
        route: Arc<Route>,
    ) -> Result<(TlsStream<Socket>, bool), Error> {
        let socket = Socket::register(socket, family)?;
        let (connection, remote) = (self.connection, self.remote);
        let tells = self.tells || self.context.tells();
        let terms = self.terms.clone();
        let told = Arc::clone(&route);
        let handshake = workers().handshake(&terms, move || self.ssl(told), socket);
        if tells {
            handshake.set_async_callback(move |event| {
                let Home { queue, server } = route.home();
                queue.send(Message::Async { server, connection, status: event.status });
            });
        }
        Ok((handshake.await?, remote))
    }
}

/// Terms of handshakes that may take so many milliseconds; 0 for no limit.
pub(crate) fn terms(timeout: u32) -> Terms {
    let mut terms = Terms::default();
    if timeout > 0 {
        terms.set_timeout(Duration::from_millis(timeout.into()));
    }
    terms
}

impl Handshake {
    fn ssl(&self, route: Arc<Route>) -> Result<Ssl, ErrorStack> {
        let mut ssl = match &self.side {
            Side::Server(options) => self.context.server_ssl(options),
            Side::Client(options) => self.context.client_ssl(options),
        }?;
        let told = Told {
            route,
            connection: self.connection,
            is_client: false,
            asks_hello: false,
            asks_verify: false,
            tolerates: false,
            tells_sessions: false,
            secrets: self.secrets,
        };
        let told = match &self.side {
            Side::Client(options) => Told {
                is_client: true,
                asks_verify: options.asks_verify,
                tolerates: !options.reject_unauthorized,
                tells_sessions: true,
                ..told
            },
            Side::Server(options) if self.secrets || options.asks() => Told {
                asks_hello: options.asks_hello,
                asks_verify: options.asks_verify,
                tells_sessions: options.keeps_sessions,
                ..told
            },
            Side::Server(_) => return Ok(ssl),
        };
        observe(&mut ssl, Arc::new(told))?;
        Ok(ssl)
    }
}

/// Tells the environment of what libssl tells of a connection.
struct Told {
    route: Arc<Route>,
    connection: u32,
    is_client: bool,
    asks_hello: bool,
    asks_verify: bool,
    tolerates: bool,
    tells_sessions: bool,
    secrets: bool,
}

impl Observer for Told {
    fn hello(&self, hello: &dyn Fn() -> ClientHello) -> Result<Option<Choice>, AskError> {
        if self.asks_hello { self.ask(Asked::Hello(hello())).map(Some) } else { Ok(None) }
    }

    fn verify(&self, peer: &dyn Fn() -> Unverified) -> Result<(), AskError> {
        if self.asks_verify { self.ask(Asked::Verify(peer())).map(drop) } else { Ok(()) }
    }

    fn tolerates(&self) -> bool {
        self.tolerates
    }

    fn psk_of(&self, identity: String) -> Result<Option<PreSharedKey>, AskError> {
        Ok(self.ask(Asked::Psk { name: Some(identity) })?.psk)
    }

    fn own_psk(&self, hint: Option<String>) -> Result<Option<PreSharedKey>, AskError> {
        Ok(self.ask(Asked::Psk { name: hint })?.psk)
    }

    fn session(&self, session: &SslSession) {
        let Ok(der) = session.to_der() else { return };
        if self.is_client {
            self.route.home().queue.send(Message::Session { connection: self.connection, session: der });
        } else if self.tells_sessions && session.protocol_version() != SslVersion::TLS1_3 {
            // Whoever cannot keep it has only lost a resumption.
            let _kept = self.ask(Asked::NewSession { id: session.id().to_vec(), session: der });
        }
    }

    fn secret(&self, line: &str) {
        if self.secrets {
            let line = format!("{line}\n");
            let Home { queue, server } = self.route.home();
            queue.send(Message::Secret { server, connection: self.connection, line });
        }
    }
}

impl Told {
    /// Asks JavaScript, and waits for the answer.
    fn ask(&self, asked: Asked) -> Result<Choice, AskError> {
        let (Home { queue, server }, connection, request) = (self.route.home(), self.connection, next_id());
        ask(|question: Question<Choice>| {
            let asked_of = Arc::clone(&queue);
            question.cancellation().on_cancel(move || asked_of.send(Message::Unasked { server, connection, request }));
            queue.send(Message::Asked { server, connection, request, asked, question });
        })
    }
}

/// Hands the connection to its driver.
fn settle(
    id: u32,
    stream: TlsStream<Socket>,
    remote: bool,
    addresses: Addresses,
    route: Arc<Route>,
    begun: Instant,
) -> std::io::Result<(Established, Option<impl Future<Output = ()> + use<>>)> {
    let ended = Instant::now();
    let (status, time) = (stream.async_status(), ended - begun);
    if remote {
        let (remote, pump) = Remote::new(id, Arc::clone(&route), stream);
        return Ok((Established { driven: Driven::Remote(remote), addresses, status, route, time, ended }, Some(pump)));
    }
    let (connection, socket) = stream.into_parts();
    let driven = Driven::Local { connection, socket: socket.into_fd()? };
    Ok((Established { driven, addresses, status, route, time, ended }, None))
}

impl Addresses {
    /// The addresses of a connected socket.
    pub(crate) fn of(socket: &OwnedFd, family: Family) -> Self {
        if family != Family::Tcp {
            return Self::default();
        }
        let socket = SockRef::from(socket);
        let local = socket.local_addr().ok().and_then(|address| address.as_socket());
        Self { local, remote: socket.peer_addr().ok().and_then(|address| address.as_socket()) }
    }
}
