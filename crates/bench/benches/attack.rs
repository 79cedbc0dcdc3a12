//! What a peer that means harm costs a server before it is authenticated: `cargo xtask bench -p bench --bench
//! attack`. SECURITY.md has the figures.

use std::error::Error;
use std::hint::black_box;
use std::io::{self, Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::thread::sleep;
use std::time::{Duration, Instant};

use libssl_async::keys::{KeyError, RemoteKey};
use libssl_async::{TlsAcceptor, Workers};
use openssl::pkey::{PKey, Private};
use openssl::ssl::{SslAcceptor, SslConnector, SslMethod, SslVerifyMode};
use tokio::runtime::Runtime;

#[path = "compare/identity.rs"]
#[allow(dead_code, reason = "this program uses a part")]
mod identity;
#[path = "compare/measure.rs"]
#[allow(dead_code, reason = "this program uses a part")]
mod measure;

use identity::{Identity, KeyType};
use measure::{Memory, cpu_time, raise_descriptor_limit};

/// What a peer does, and holds.
const HELD: [(&str, Peer); 4] = [
    ("says nothing", |_, _| Ok(())),
    ("the first bytes of the longest ClientHello", |peer, _| peer.write_all(&[22, 3, 1, 0x40, 0, 1, 2, 0, 0])),
    ("a ClientHello, and the key does not answer", |peer, hello| peer.write_all(hello)),
    ("the same, and as much as is taken", |peer, hello| {
        peer.write_all(hello)?;
        stuff(peer)
    }),
];

/// What a peer does again and again, on a new connection each time; it waits for the server's answer, and goes.
const SPENT: [(&str, Peer); 4] = [
    ("goes at once", |_, _| Ok(())),
    ("speaks no TLS", |peer, _| {
        peer.write_all(b"GET / HTTP/1.1\r\n\r\n")?;
        peer.read(&mut [0; 64]).map(drop)
    }),
    ("a ClientHello, its answer", |peer, hello| {
        peer.write_all(hello)?;
        peer.read(&mut [0; 16_384]).map(drop)
    }),
    ("records of one byte, 1000 of them", |peer, _| {
        let mut records = vec![22, 3, 1, 0, 4, 1, 1, 0, 0];
        records.extend([22, 3, 1, 0, 1, 0].repeat(1000));
        peer.write_all(&records)
    }),
];

type Peer = fn(&mut TcpStream, &[u8]) -> io::Result<()>;

fn main() -> Result<(), Box<dyn Error>> {
    raise_descriptor_limit()?;
    let hello = client_hello()?;
    println!("Memory of a server, KiB for each of {} connections whose peer", HOLDERS);
    println!("{:<46}{:>10}{:>10}", "", "allocated", "resident");
    for (name, peer) in HELD {
        let [allocated, resident] = hold(peer, &hello)?;
        println!("{name:<46}{allocated:>10.1}{resident:>10.1}");
    }
    println!("\nCPU time of a server, µs for each of {SPENDERS} connections whose peer");
    println!("{:<46}{:>10}{:>10}", "", "P-256", "RSA-2048");
    for (name, peer) in SPENT {
        let [small, large] = [KeyType::P256, KeyType::Rsa2048].map(|key| spend(key, peer, &hello));
        println!("{name:<46}{:>10.0}{:>10.0}", small?, large?);
    }
    Ok(())
}

/// How many hold something at once, and how many come one after the other.
const HOLDERS: usize = 500;
const SPENDERS: u32 = 2000;

/// The server under attack, and its address.
struct Victim {
    workers: Workers,
    _runtime: Runtime,
    address: SocketAddr,
}

impl Victim {
    fn new(identity: &Identity, key: &PKey<Private>) -> Result<Self, Box<dyn Error>> {
        let workers = Workers::builder().threads(1).build()?;
        let mut settings = SslAcceptor::mozilla_intermediate_v5(SslMethod::tls())?;
        settings.set_certificate(&identity.certificate)?;
        settings.set_private_key(key)?;
        let acceptor = TlsAcceptor::new(settings.build(), &workers);
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build()?;
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        let address = listener.local_addr()?;
        listener.set_nonblocking(true)?;
        runtime.spawn(async move {
            let listener = tokio::net::TcpListener::from_std(listener)?;
            loop {
                let handshake = acceptor.accept(listener.accept().await?.0);
                tokio::spawn(async { drop(handshake.await) });
            }
            #[allow(unreachable_code, reason = "names the type of the error")]
            Ok::<(), io::Error>(())
        });
        Ok(Self { workers, _runtime: runtime, address })
    }

    /// Waits until it has done what there is to do: it uses no time any more.
    fn rest(&self) {
        let deadline = Instant::now() + Duration::from_secs(60);
        loop {
            let before = (cpu_time(), self.workers.metrics());
            sleep(Duration::from_millis(200));
            let after = (cpu_time(), self.workers.metrics());
            if after.0 - before.0 < Duration::from_millis(2) && after.1 == before.1 || Instant::now() > deadline {
                return;
            }
        }
    }
}

/// KiB that a connection takes for as long as its peer stays.
fn hold(peer: Peer, hello: &[u8]) -> Result<[f64; 2], Box<dyn Error>> {
    let identity = Identity::new(KeyType::P256)?;
    let silent =
        RemoteKey::builder(&identity.key).sign_fn(|_| std::future::pending::<Result<Vec<u8>, KeyError>>()).build()?;
    let victim = Victim::new(&identity, &silent)?;
    // What only the first makes does not count.
    let mut first = TcpStream::connect(victim.address)?;
    peer(&mut first, hello)?;
    victim.rest();
    let before = Memory::now()?;
    let mut peers = Vec::with_capacity(HOLDERS);
    for _ in 0..HOLDERS {
        let mut socket = TcpStream::connect(victim.address)?;
        peer(&mut socket, hello)?;
        peers.push(socket);
    }
    victim.rest();
    let after = Memory::now()?;
    black_box(peers);
    let each = |of: fn(&Memory) -> u64| (of(&after) - of(&before)) as f64 / 1024.0 / HOLDERS as f64;
    Ok([each(|memory| memory.allocated), each(|memory| memory.resident)])
}

/// Microseconds that a connection costs the threads of the server.
fn spend(key: KeyType, peer: Peer, hello: &[u8]) -> Result<f64, Box<dyn Error>> {
    let identity = Identity::new(key)?;
    let victim = Victim::new(&identity, &identity.key)?;
    let attack = |count| -> io::Result<()> {
        for _ in 0..count {
            let mut socket = TcpStream::connect(victim.address)?;
            peer(&mut socket, hello)?;
        }
        victim.rest();
        Ok(())
    };
    attack(100)?;
    let (before, own) = (cpu_time(), thread_time());
    attack(SPENDERS)?;
    let spent = (cpu_time() - before) - (thread_time() - own);
    Ok(spent.as_secs_f64() * 1e6 / f64::from(SPENDERS))
}

/// Sends until nothing is taken any more.
fn stuff(peer: &mut TcpStream) -> io::Result<()> {
    // A record that begins and does not end.
    peer.write_all(&[23, 3, 3, 0x40, 0])?;
    peer.set_nonblocking(true)?;
    for _ in 0..64 {
        match peer.write(&[0; 65_536]) {
            Ok(_) => {}
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => sleep(Duration::from_millis(1)),
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

/// The CPU time that this thread has taken so far.
fn thread_time() -> Duration {
    let mut time = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: the clock exists on Linux, and the time is writable.
    let result = unsafe { libc::clock_gettime(libc::CLOCK_THREAD_CPUTIME_ID, &mut time) };
    assert_eq!(result, 0, "{}", io::Error::last_os_error());
    Duration::new(time.tv_sec as u64, time.tv_nsec as u32)
}

/// The first message of OpenSSL's own client.
fn client_hello() -> Result<Vec<u8>, Box<dyn Error>> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
    let address = listener.local_addr()?;
    let client = std::thread::spawn(move || {
        let mut settings = SslConnector::builder(SslMethod::tls()).expect("a context");
        settings.set_verify(SslVerifyMode::NONE);
        // It fails, as nobody answers.
        drop(settings.build().connect("localhost", TcpStream::connect(address).expect("somebody listens")));
    });
    let mut socket = listener.accept()?.0;
    let mut hello = vec![0; 5];
    socket.read_exact(&mut hello)?;
    hello.resize(5 + usize::from(u16::from_be_bytes([hello[3], hello[4]])), 0);
    socket.read_exact(&mut hello[5..])?;
    drop((socket, listener));
    drop(client.join());
    Ok(hello)
}
