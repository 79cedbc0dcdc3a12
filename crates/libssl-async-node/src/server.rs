//! Listening sockets, accepted on a worker.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::os::fd::OwnedFd;
use std::pin::pin;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use napi::bindgen_prelude::Reference;
use napi_derive::napi;
use socket2::{Domain, SockAddr, SockRef, Socket, Type};
use tokio::io::unix::AsyncFd;
use tokio::sync::oneshot;
use tokio::time::sleep;

use crate::connection::{Handshake, NativeAddress, Side};
use crate::context::{ContextHandle, NativeContext};
use crate::environment::{NativeEnvironment, next_id};
use crate::error::NativeError;
use crate::messages::{Begun, Failure, Message, Place, Queue};
use crate::socket::Family;
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
    /// Dropped to stop accepting.
    _stop: oneshot::Sender<()>,
}

/// How a server treats its connections.
#[napi(object)]
pub struct NativeServerOptions {
    /// Whether handshakes begin by themselves.
    pub handshake: bool,
    /// Milliseconds that a handshake may take; 0 for no limit.
    pub handshake_timeout: u32,
    /// Whether secrets are wanted as events.
    pub secrets: bool,
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
    context: ContextHandle,
    options: NativeServerOptions,
    queue: Arc<Queue>,
}

#[napi]
impl NativeServer {
    #[napi(constructor)]
    pub fn new(
        environment: &NativeEnvironment,
        context: Reference<NativeContext>,
        options: NativeServerOptions,
    ) -> Self {
        let queue = Arc::clone(&environment.inner().queue);
        let settings = Settings { id: next_id(), context: context.handle(), options, queue };
        Self { settings: Arc::new(settings), listener: None }
    }

    /// The number by which events know the server.
    #[napi(getter)]
    pub fn id(&self) -> u32 {
        self.settings.id
    }

    /// Begins to listen; returns why it cannot.
    #[napi]
    pub fn listen(&mut self, options: NativeListenOptions) -> Option<NativeError> {
        match bind(&options) {
            Ok(socket) => {
                let local = socket.local_addr().ok();
                let (stop, stopped) = oneshot::channel();
                let family = if options.path.is_some() { Family::Unix } else { Family::Tcp };
                let settings = Arc::clone(&self.settings);
                let _detached = workers().spawn_pinned(move || accept_until(stopped, socket.into(), family, settings));
                let address = local.and_then(|local| local.as_socket());
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

    /// Stops listening; the event `listenerClosed` tells when the address is free.
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

async fn accept_until(stopped: oneshot::Receiver<()>, listener: OwnedFd, family: Family, settings: Arc<Settings>) {
    let server = settings.id;
    let ended = {
        let mut accepting = pin!(accept_all(listener, family, &settings));
        let mut stopped = pin!(stopped);
        std::future::poll_fn(|context| match stopped.as_mut().poll(context) {
            // The sender is never used, only dropped.
            Poll::Ready(_) => Poll::Ready(None),
            Poll::Pending => accepting.as_mut().poll(context).map(Some),
        })
        .await
    };
    if let Some(error) = ended {
        let failure = Failure::System { error, call: "accept", place: None };
        settings.queue.send(Message::ListenerFailed { server, failure });
    }
    settings.queue.send(Message::ListenerClosed { server });
}

/// Accepts until the listening socket fails.
async fn accept_all(listener: OwnedFd, family: Family, settings: &Arc<Settings>) -> io::Error {
    // SAFETY: the descriptor is owned by what registers it, and so open for as long.
    let listener = match unsafe { AsyncFd::register(listener) } {
        Ok(listener) => listener,
        Err(error) => return error.into(),
    };
    loop {
        let mut ready = match listener.readable().await {
            Ok(ready) => ready,
            Err(error) => return error,
        };
        match ready.try_io(|listener| SockRef::from(listener.get_ref()).accept()) {
            Err(_would_block) => {}
            Ok(Ok((socket, _))) => begin(socket, family, settings),
            Ok(Err(error)) => match error.raw_os_error() {
                Some(libc::EMFILE | libc::ENFILE | libc::ENOBUFS | libc::ENOMEM) => sleep(EXHAUSTED).await,
                Some(libc::ECONNABORTED | libc::EINTR | libc::EPROTO) => {}
                _ => return error,
            },
        }
    }
}

/// Begins with a connection that was accepted.
fn begin(socket: Socket, family: Family, settings: &Arc<Settings>) {
    let connection = next_id();
    if socket.set_nonblocking(true).is_err() {
        return;
    }
    if family == Family::Tcp && settings.options.no_delay {
        // A peer that has gone already is found by the handshake.
        let _ = socket.set_tcp_nodelay(true);
    }
    let server = settings.id;
    if !settings.options.handshake {
        let begun = Begun::Waiting(socket.into(), family);
        return settings.queue.send(Message::Accepted { server, connection, begun });
    }
    let (cancel, cancelled) = oneshot::channel();
    settings.queue.send(Message::Accepted { server, connection, begun: Begun::Running(cancel) });
    let handshake = Handshake {
        connection,
        server: Some(server),
        context: settings.context.clone(),
        side: Side::Server,
        timeout: settings.options.handshake_timeout,
        tells: false,
        secrets: settings.options.secrets,
        remote: settings.options.remote,
        queue: Arc::clone(&settings.queue),
    };
    handshake.start(socket.into(), family, cancelled);
}
