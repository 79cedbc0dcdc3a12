//! Memory of servers, each in a process of its own: what an idle connection takes, and a handshake that is paused.

use std::env;
use std::error::Error;
use std::io::{self, BufRead, BufReader, Lines};
use std::net::{Ipv4Addr, SocketAddr};
use std::pin::Pin;
use std::process::{Child, ChildStdout, Command, Stdio};

use openssl::ssl::{SslConnector, SslMethod, SslVerifyMode};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::runtime::Builder;
use tokio::task::LocalSet;
use tokio_openssl::SslStream;

use crate::contender::REFERENCE;
use crate::measure::{Effort, raise_descriptor_limit};
use crate::report::Table;

mod server;

pub(crate) use server::serve;

/// The argument that makes this program a server: followed by a [`Subject`]'s name, and by the number of connections.
pub(crate) const SERVE: &str = "--serve";

/// What a connection sends and gets back before it is idle.
const GREETING: [u8; 16] = *b"sixteen bytes...";

/// A server, and the state that its connections stay in.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Subject {
    TokioOpenssl,
    RustlsAwsLc,
    RustlsRing,
    LibsslAsync,
    /// The handshakes of libssl-async, for as long as its key does not answer.
    Paused,
}

impl Subject {
    const ALL: [Self; 5] = [Self::TokioOpenssl, Self::RustlsAwsLc, Self::RustlsRing, Self::LibsslAsync, Self::Paused];

    fn name(self) -> &'static str {
        match self {
            Self::TokioOpenssl => REFERENCE,
            Self::RustlsAwsLc => "tokio-rustls, aws-lc",
            Self::RustlsRing => "tokio-rustls, ring",
            Self::LibsslAsync => "libssl-async",
            Self::Paused => "libssl-async, paused",
        }
    }
}

pub(crate) fn run(effort: Effort, only: Option<&str>) -> Result<(), Box<dyn Error>> {
    raise_descriptor_limit()?;
    let count = effort.count(2000);
    let mut rows = Vec::new();
    for subject in Subject::ALL.into_iter().filter(|subject| only.is_none_or(|only| subject.name() == only)) {
        let values = measure(subject, count)?;
        rows.push((subject.name().to_owned(), values.map(|value| Some(value / count as f64 / 1024.0)).to_vec()));
    }
    Table {
        title: format!("Memory of a server, for each of {count} idle connections or paused handshakes"),
        file: "memory",
        unit: "KiB",
        columns: vec!["allocated".to_owned(), "resident".to_owned()],
        rows,
        reference: Some(REFERENCE),
    }
    .publish()?;
    Ok(())
}

/// Bytes that the connections take in their server: allocated, and resident.
fn measure(subject: Subject, count: usize) -> Result<[f64; 2], Box<dyn Error>> {
    let mut server = Server::start(subject, count)?;
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, server.line()?.parse()?));
    let mut connector = SslConnector::builder(SslMethod::tls_client())?;
    connector.set_verify(SslVerifyMode::NONE);
    let connector = connector.build();
    let tasks = LocalSet::new();
    let runtime = Builder::new_current_thread().enable_all().build()?;
    tasks.block_on(&runtime, async {
        // What only the first connection allocates does not count.
        let _first = greet(&connector, address).await?;
        server.line()?;
        let mut open = Vec::with_capacity(count);
        for _ in 0..count {
            if subject == Subject::Paused {
                let connector = connector.clone();
                open.push(tokio::task::spawn_local(async move { greet(&connector, address).await }));
                tokio::task::yield_now().await;
            } else {
                let stream = greet(&connector, address).await?;
                open.push(tokio::task::spawn_local(async { Ok(stream) }));
            }
        }
        let line = tokio::task::spawn_blocking(move || server.line()).await??;
        let mut values = line.split(' ').map(str::parse);
        let (Some(allocated), Some(resident)) = (values.next(), values.next()) else {
            return Err(format!("the server said {line}").into());
        };
        Ok([allocated?, resident?])
    })
}

async fn greet(connector: &SslConnector, address: SocketAddr) -> io::Result<SslStream<TcpStream>> {
    let socket = TcpStream::connect(address).await?;
    let mut stream = SslStream::new(connector.configure()?.into_ssl("localhost")?, socket)?;
    Pin::new(&mut stream).connect().await.map_err(io::Error::other)?;
    stream.write_all(&GREETING).await?;
    let mut answer = [0; GREETING.len()];
    stream.read_exact(&mut answer).await?;
    Ok(stream)
}

/// A server process, which ends with this value.
struct Server {
    child: Child,
    lines: Lines<BufReader<ChildStdout>>,
}

impl Server {
    fn start(subject: Subject, count: usize) -> io::Result<Self> {
        let args = [SERVE, subject.name(), &count.to_string()];
        let mut child = Command::new(env::current_exe()?).args(args).stdout(Stdio::piped()).spawn()?;
        let lines = BufReader::new(child.stdout.take().expect("it is piped")).lines();
        Ok(Self { child, lines })
    }

    fn line(&mut self) -> io::Result<String> {
        self.lines.next().unwrap_or(Err(io::ErrorKind::UnexpectedEof.into()))
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _gone = self.child.kill();
        let _status = self.child.wait();
    }
}
