//! TLS over tokio's TCP sockets: both ends on one current-thread runtime.

use std::io;
use std::net::Ipv4Addr;
use std::rc::Rc;
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::{Builder, Runtime};
use tokio::task::{LocalSet, spawn_local};

use super::Contender;
use crate::measure::cpu_time;

/// A TLS implementation for tokio, with its settings.
pub(crate) trait Tls: 'static {
    type Client: AsyncRead + AsyncWrite + Unpin;
    type Server: AsyncRead + AsyncWrite + Unpin;

    fn connect(&self, socket: TcpStream) -> impl Future<Output = io::Result<Self::Client>>;

    fn accept(&self, socket: TcpStream) -> impl Future<Output = io::Result<Self::Server>>;
}

pub(super) struct OverTokio<T> {
    name: &'static str,
    pauses: bool,
    tls: Rc<T>,
    runtime: Runtime,
}

impl<T: Tls> OverTokio<T> {
    pub(super) fn new(name: &'static str, tls: T) -> io::Result<Self> {
        let runtime = Builder::new_current_thread().enable_all().build()?;
        Ok(Self { name, pauses: false, tls: Rc::new(tls), runtime })
    }

    pub(super) fn pausing(name: &'static str, tls: T) -> io::Result<Self> {
        Ok(Self { pauses: true, ..Self::new(name, tls)? })
    }
}

impl<T: Tls> Contender for OverTokio<T> {
    fn name(&self) -> &'static str {
        self.name
    }

    fn pauses(&self) -> bool {
        self.pauses
    }

    fn handshakes(&self, count: usize, at_once: usize) -> io::Result<Duration> {
        let tasks = LocalSet::new();
        tasks.block_on(&self.runtime, async {
            let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
            let mut time = Duration::ZERO;
            for _ in 0..count / at_once {
                let mut sockets = Vec::with_capacity(at_once);
                for _ in 0..at_once {
                    sockets.push(connected(&listener).await?);
                }
                let start = cpu_time();
                crowd(&self.tls, sockets).await?;
                time += cpu_time() - start;
            }
            Ok(time)
        })
    }

    fn bulk(&self, mebibytes: usize) -> io::Result<Duration> {
        let tasks = LocalSet::new();
        tasks.block_on(&self.runtime, async {
            let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
            let (client, server) = connected(&listener).await?;
            let (mut client, mut server) = tokio::try_join!(self.tls.connect(client), self.tls.accept(server))?;
            let start = cpu_time();
            let sending = spawn_local(async move {
                let data = vec![0; 1 << 20];
                for _ in 0..mebibytes {
                    client.write_all(&data).await?;
                }
                client.flush().await?;
                Ok::<_, io::Error>(client)
            });
            let mut target = vec![0; 64 << 10];
            let mut missing = mebibytes << 20;
            while missing > 0 {
                missing -= server.read(&mut target).await?;
            }
            let _open = sending.await??;
            Ok(cpu_time() - start)
        })
    }
}

/// Shakes hands on all sockets at once, then closes them.
async fn crowd<T: Tls>(tls: &Rc<T>, sockets: Vec<(TcpStream, TcpStream)>) -> io::Result<()> {
    let mut clients = Vec::with_capacity(sockets.len());
    let mut servers = Vec::with_capacity(sockets.len());
    for (client, server) in sockets {
        let (connecting, accepting) = (Rc::clone(tls), Rc::clone(tls));
        clients.push(spawn_local(async move { connecting.connect(client).await }));
        servers.push(spawn_local(async move { accepting.accept(server).await }));
    }
    for (client, server) in clients.into_iter().zip(servers) {
        let _open = (client.await??, server.await??);
    }
    Ok(())
}

async fn connected(listener: &TcpListener) -> io::Result<(TcpStream, TcpStream)> {
    let (client, (server, _)) = tokio::try_join!(TcpStream::connect(listener.local_addr()?), listener.accept())?;
    client.set_nodelay(true)?;
    server.set_nodelay(true)?;
    Ok((client, server))
}
