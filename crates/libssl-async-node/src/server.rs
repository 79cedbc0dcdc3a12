//! Listening sockets, accepted on a worker.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::os::fd::{AsRawFd, OwnedFd};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use libssl_async::Terms;
use napi::bindgen_prelude::Reference;
use napi_derive::napi;
use socket2::{Domain, SockAddr, Socket, Type};
use tokio::io::unix::AsyncFd;
use tokio::time::sleep;
use tokio_util::sync::{CancellationToken, DropGuard};

use crate::connection::{Addresses, Handshake, NativeAddress, Side, terms};
use crate::context::{ContextHandle, NativeContext, NativeServerSide, ServerOptions};
use crate::environment::{NativeEnvironment, next_id};
use crate::error::NativeError;
use crate::messages::{Begun, Failure, Message, Place, Queue};
use crate::socket::{Family, accept};
use crate::storm::Storm;
use crate::workers::workers;

/// A server: its connections and failures are events of its environment.
#[napi]
pub struct NativeServer {
    settings: Arc<Settings>,
    listener: Option<Listener>,
}

struct Listener {
    address: Option<SocketAddr>,
    path: Option<String>,
    /// Dropped to stop accepting, and to end the handshakes that run.
    _stop: DropGuard,
}

/// How a server treats its connections.
#[napi(object)]
pub struct NativeServerOptions {
    /// Whether handshakes begin by themselves.
    pub handshake: bool,
    /// Milliseconds that a handshake may take; 0 for no limit.
    pub handshake_timeout: u32,
    /// How many handshakes run at once; more wait.
    pub max_handshakes: Option<u32>,
    /// How many of them wait; more are refused.
    pub max_waiting_handshakes: u32,
    /// Whether record I/O stays on workers.
    pub remote: bool,
    /// Whether small writes are sent at once.
    pub no_delay: bool,
}

/// Where to listen: at an address or on a path.
#[napi(object)]
pub struct NativeListenOptions {
    /// IP addresses, of which the first is taken that this machine has.
    pub addresses: Vec<String>,
    pub port: u32,
    pub path: Option<String>,
    pub backlog: u32,
    pub ipv6_only: bool,
    pub reuse_port: bool,
}

struct Settings {
    id: u32,
    /// For connections that are accepted from now on.
    offer: RwLock<Offer>,
    options: NativeServerOptions,
    terms: Terms,
    queue: Arc<Queue>,
}

/// What a server shows to its clients.
#[derive(Clone)]
struct Offer {
    context: ContextHandle,
    side: ServerOptions,
}

impl Settings {
    fn offer(&self) -> Offer {
        self.offer.read().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

#[napi]
impl NativeServer {
    #[napi(constructor)]
    pub fn new(
        environment: &NativeEnvironment,
        context: Reference<NativeContext>,
        options: NativeServerOptions,
        side: NativeServerSide,
    ) -> Self {
        let queue = Arc::clone(&environment.inner().queue);
        let mut terms = terms(options.handshake_timeout);
        if let Some(running) = options.max_handshakes {
            terms.set_max_handshakes(running as usize, options.max_waiting_handshakes as usize);
        }
        let offer = RwLock::new(Offer { context: context.handle(), side: side.into() });
        let settings = Settings { id: next_id(), offer, options, terms, queue };
        Self { settings: Arc::new(settings), listener: None }
    }

    /// The number by which events know the server.
    #[napi(getter)]
    pub fn id(&self) -> u32 {
        self.settings.id
    }

    /// Has connections that are accepted from now on use another context.
    #[napi]
    pub fn set_context(&self, context: Reference<NativeContext>, side: NativeServerSide) {
        let offer = Offer { context: context.handle(), side: side.into() };
        *self.settings.offer.write().unwrap_or_else(PoisonError::into_inner) = offer;
    }

    pub(crate) fn terms(&self) -> Terms {
        self.settings.terms.clone()
    }

    pub(crate) fn side(&self) -> ServerOptions {
        self.settings.offer().side
    }

    /// Begins to listen; returns why it cannot.
    #[napi]
    pub fn listen(&mut self, options: NativeListenOptions) -> Option<NativeError> {
        match bind(&options) {
            Ok(socket) => {
                let address = socket.local_addr().ok().and_then(|local| local.as_socket());
                let stopped = CancellationToken::new();
                let stop = stopped.clone().drop_guard();
                let family = if options.path.is_some() { Family::Unix } else { Family::Tcp };
                if family == Family::Tcp && self.settings.options.no_delay {
                    // Its connections inherit it. A system that cannot serves as well.
                    let _ = socket.set_tcp_nodelay(true);
                }
                let settings = Arc::clone(&self.settings);
                let local = address.filter(|address| !address.ip().is_unspecified());
                let accepting = Accepting { listener: socket.into(), family, local, stopped, settings };
                let _detached = workers().spawn_pinned(move || accepting.run());
                self.listener = Some(Listener { address, path: options.path, _stop: stop });
                None
            }
            Err((error, place)) => Some(NativeError::from(&Failure::System { error, call: "listen", place })),
        }
    }

    /// Where it listens, if it does so at an address.
    #[napi(getter)]
    pub fn address(&self) -> Option<NativeAddress> {
        self.listener.as_ref()?.address.map(NativeAddress::from)
    }

    /// Stops listening; the event `listenerClosed` tells when the address is free and nothing is left of handshakes.
    #[napi]
    pub fn close(&mut self) {
        if let Some(Listener { path: Some(path), .. }) = self.listener.take() {
            // Made by `listen`; gone already if somebody else was quicker.
            let _ = std::fs::remove_file(path);
        }
    }
}

/// Makes a listening socket; fails with the address that could not be had.
fn bind(options: &NativeListenOptions) -> Result<Socket, (io::Error, Option<Place>)> {
    let backlog = options.backlog.try_into().unwrap_or(i32::MAX);
    if let Some(path) = &options.path {
        let bind = || {
            let socket = Socket::new(Domain::UNIX, Type::STREAM, None)?;
            socket.bind(&SockAddr::unix(path)?)?;
            start(socket, backlog)
        };
        return bind().map_err(|error| (error, Some(Place::Path(path.clone()))));
    }
    let mut failure = (io::ErrorKind::InvalidInput.into(), None);
    for address in &options.addresses {
        let (Ok(ip), Ok(port)) = (address.parse::<IpAddr>(), options.port.try_into()) else { continue };
        let address = SocketAddr::new(ip, port);
        let bind = || {
            let socket = Socket::new(Domain::for_address(address), Type::STREAM, None)?;
            if address.is_ipv6() {
                socket.set_only_v6(options.ipv6_only)?;
            }
            socket.set_reuse_address(true)?;
            #[cfg(all(unix, not(any(target_os = "solaris", target_os = "illumos"))))]
            socket.set_reuse_port(options.reuse_port)?;
            socket.bind(&address.into())?;
            start(socket, backlog)
        };
        match bind() {
            Ok(socket) => return Ok(socket),
            Err(error) => {
                let absent = is_absent(&error);
                failure = (error, Some(Place::Address(address)));
                if !absent {
                    break;
                }
            }
        }
    }
    Err(failure)
}

/// Whether an address, or its family, is not one of this machine's.
fn is_absent(error: &io::Error) -> bool {
    matches!(error.raw_os_error(), Some(libc::EAFNOSUPPORT | libc::EADDRNOTAVAIL))
}

fn start(socket: Socket, backlog: i32) -> io::Result<Socket> {
    socket.listen(backlog)?;
    socket.set_nonblocking(true)?;
    Ok(socket)
}

/// How long no connection is accepted when the process or the system has no descriptors left.
const EXHAUSTED: Duration = Duration::from_millis(50);

/// A listening socket, and what becomes of its connections.
struct Accepting {
    listener: OwnedFd,
    family: Family,
    /// This end of all connections, if they have it in common.
    local: Option<SocketAddr>,
    stopped: CancellationToken,
    settings: Arc<Settings>,
}

impl Accepting {
    async fn run(self) {
        let server = self.settings.id;
        let queue = Arc::clone(&self.settings.queue);
        let terms = self.settings.terms.clone();
        let stopped = self.stopped.clone();
        if let Some(error) = stopped.run_until_cancelled(self.accept_all()).await {
            let failure = Failure::System { error, call: "accept", place: None };
            queue.send(Message::ListenerFailed { server, failure });
        }
        let left = terms.ended().await;
        queue.send(Message::ListenerClosed { server, left });
    }

    /// Accepts until the listening socket fails.
    async fn accept_all(self) -> io::Error {
        // SAFETY: the descriptor is owned by this value, which outlives what waits for it.
        let watch = match unsafe { AsyncFd::register(self.listener.as_raw_fd()) } {
            Ok(watch) => watch,
            Err(error) => return error.into(),
        };
        let mut storm = Storm::default();
        loop {
            let mut ready = match storm.until(watch.readable()).await {
                Ok(ready) => ready,
                Err(error) => return error,
            };
            match ready.try_io(|_| accept(&self.listener)) {
                Err(_would_block) => {}
                Ok(Ok((socket, peer))) => {
                    storm.count();
                    self.begin(socket, peer);
                }
                Ok(Err(error)) => match error.raw_os_error() {
                    Some(libc::EMFILE | libc::ENFILE | libc::ENOBUFS | libc::ENOMEM) => sleep(EXHAUSTED).await,
                    Some(libc::ECONNABORTED | libc::EINTR | libc::EPROTO) => {}
                    _ => return error,
                },
            }
        }
    }

    /// Begins with a connection that was accepted.
    fn begin(&self, socket: OwnedFd, remote: Option<SocketAddr>) {
        let Settings { id: server, options, terms, queue, .. } = &*self.settings;
        let Offer { context, side } = self.settings.offer();
        let (server, family, connection) = (*server, self.family, next_id());
        let addresses = match self.local {
            Some(local) => Addresses { local: Some(local), remote },
            None => Addresses::of(&socket, family),
        };
        if !options.handshake {
            let begun = Begun::Waiting(socket, family);
            return queue.send_soon(Message::Accepted { server, connection, begun, addresses });
        }
        let known = side.secrets || side.asks() || context.tells();
        let cancelled = if known {
            let cancelled = self.stopped.child_token();
            let begun = Begun::Running(cancelled.clone().drop_guard());
            queue.send(Message::Accepted { server, connection, begun, addresses });
            cancelled
        } else {
            self.stopped.clone()
        };
        let handshake = Handshake {
            connection,
            server: Some(server),
            known,
            context,
            secrets: side.secrets,
            side: Side::Server(side),
            terms: terms.clone(),
            tells: false,
            remote: options.remote,
            queue: Arc::clone(queue),
        };
        handshake.start(socket, addresses, family, cancelled);
    }
}
