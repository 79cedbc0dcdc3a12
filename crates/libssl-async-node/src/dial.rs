//! Outgoing connections.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::os::fd::OwnedFd;
use std::pin::pin;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use napi::bindgen_prelude::Reference;
use napi_derive::napi;
use tokio::net::{TcpSocket, TcpStream, UnixStream};
use tokio::task::JoinSet;
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;

use crate::connection::{Addresses, Handshake, NativeConnection, NativeHandshakeOptions, Side, State, terms};
use crate::context::{NativeContext, ServerOptions};
use crate::environment::{NativeEnvironment, next_id};
use crate::messages::{Failure, Message, Place, Queue};
use crate::socket::Family;
use crate::workers::workers;

/// Where to connect to: one of several addresses, or a path.
#[napi(object)]
pub struct NativeDialOptions {
    /// IP addresses, in the order in which they are tried.
    pub addresses: Vec<String>,
    pub port: u32,
    pub path: Option<String>,
    /// Milliseconds after which the next address is tried too (RFC 8305).
    pub attempt_delay: u32,
    /// The IP address to connect from; any, if none is given.
    pub local_address: Option<String>,
    /// The port to connect from; 0 for any.
    pub local_port: u32,
    /// Whether small writes are sent at once.
    pub no_delay: bool,
}

struct Target {
    addresses: Vec<SocketAddr>,
    path: Option<String>,
    attempt_delay: Duration,
    local_ip: Option<IpAddr>,
    local_port: u16,
    no_delay: bool,
}

#[napi]
impl NativeEnvironment {
    /// Connects, and begins the handshake if `handshake` says how.
    ///
    /// The event `established` or `failed` tells the end; without a handshake, `connected`.
    #[napi]
    pub fn dial(
        &self,
        options: NativeDialOptions,
        context: Option<Reference<NativeContext>>,
        handshake: Option<NativeHandshakeOptions>,
    ) -> NativeConnection {
        let connection = next_id();
        let queue = Arc::clone(&self.inner().queue);
        let cancelled = CancellationToken::new();
        let entry = self.inner().add(connection, State::Busy(cancelled.clone().drop_guard()));
        let handshake = context.zip(handshake).map(|(context, options)| Handshake {
            connection,
            server: None,
            known: true,
            context: context.handle(),
            side: options
                .client
                .map_or_else(|| Side::Server(ServerOptions::default()), |client| Side::Client(client.into())),
            terms: terms(options.timeout),
            tells: options.tells,
            secrets: options.secrets,
            remote: options.remote,
            queue: Arc::clone(&queue),
        });
        let target = Target::from(options);
        let _detached = workers().spawn_pinned(move || async move {
            let connected = cancelled.run_until_cancelled(target.connect()).await;
            let (socket, family) = match connected {
                None => return,
                Some(Err(failure)) => return fail(&queue, connection, failure),
                Some(Ok(connected)) => connected,
            };
            let addresses = Addresses::of(&socket, family);
            match handshake {
                None => queue.send(Message::Connected { connection, socket, family, addresses }),
                Some(handshake) => handshake.run(socket, addresses, family, cancelled).await,
            }
        });
        NativeConnection::of(self.inner(), entry)
    }
}

fn fail(queue: &Queue, connection: u32, failure: Failure) {
    queue.send(Message::Failed { server: None, connection, failure, peer: None });
}

impl From<NativeDialOptions> for Target {
    fn from(options: NativeDialOptions) -> Self {
        let port = options.port.try_into().unwrap_or_default();
        let ips = options.addresses.iter().filter_map(|address| address.parse::<IpAddr>().ok());
        Self {
            addresses: ips.map(|ip| SocketAddr::new(ip, port)).collect(),
            path: options.path,
            attempt_delay: Duration::from_millis(options.attempt_delay.into()),
            local_ip: options.local_address.and_then(|address| address.parse().ok()),
            local_port: options.local_port.try_into().unwrap_or_default(),
            no_delay: options.no_delay,
        }
    }
}

impl Target {
    async fn connect(&self) -> Result<(OwnedFd, Family), Failure> {
        if let Some(path) = &self.path {
            let place = || Some(Place::Path(path.clone()));
            let failed = |error| Failure::System { error, call: "connect", place: place() };
            let socket = UnixStream::connect(path).await.and_then(UnixStream::into_std).map_err(failed)?;
            return Ok((socket.into(), Family::Unix));
        }
        let socket = self.race().await?;
        Ok((socket, Family::Tcp))
    }

    /// Where to connect from, if that is not left to the system.
    fn local(&self, remote: SocketAddr) -> Option<SocketAddr> {
        let any: IpAddr = if remote.is_ipv4() { Ipv4Addr::UNSPECIFIED.into() } else { Ipv6Addr::UNSPECIFIED.into() };
        let given = self.local_ip.is_some() || self.local_port != 0;
        given.then(|| SocketAddr::new(self.local_ip.unwrap_or(any), self.local_port))
    }

    /// Tries one address after the other, each begun when the one before has failed or has had its delay; the first
    /// that connects wins.
    async fn race(&self) -> Result<OwnedFd, Failure> {
        let mut attempts = JoinSet::new();
        let mut failures = Vec::new();
        let mut addresses = self.addresses.iter().copied();
        let mut next = addresses.next();
        loop {
            if let Some(address) = next.take() {
                let (local, no_delay) = (self.local(address), self.no_delay);
                attempts.spawn_local(async move { (address, attempt(address, local, no_delay).await) });
            }
            let mut delay = pin!(sleep(self.attempt_delay));
            let ended = std::future::poll_fn(|context| match attempts.poll_join_next(context) {
                Poll::Ready(ended) => Poll::Ready(ended),
                Poll::Pending if addresses.len() > 0 => delay.as_mut().poll(context).map(|()| None),
                Poll::Pending => Poll::Pending,
            })
            .await;
            match ended {
                Some(Ok((_, Ok(socket)))) => return Ok(socket),
                Some(Ok((address, Err(error)))) => failures.push((address, error)),
                Some(Err(_)) | None => {}
            }
            next = addresses.next();
            if next.is_none() && attempts.is_empty() {
                return Err(Failure::Attempts(failures));
            }
        }
    }
}

async fn attempt(address: SocketAddr, local: Option<SocketAddr>, no_delay: bool) -> io::Result<OwnedFd> {
    let socket = if address.is_ipv4() { TcpSocket::new_v4() } else { TcpSocket::new_v6() }?;
    if let Some(local) = local {
        socket.bind(local)?;
    }
    let stream: TcpStream = socket.connect(address).await?;
    stream.set_nodelay(no_delay)?;
    Ok(stream.into_std()?.into())
}
