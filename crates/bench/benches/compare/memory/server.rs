//! The process that is measured. It says its port, that the first connection is idle, and what the others take.

use std::cell::Cell;
use std::error::Error;
use std::io;
use std::net::Ipv4Addr;
use std::rc::Rc;
use std::sync::atomic::{AtomicBool, Ordering};

use libssl_async::Workers;
use libssl_async::keys::{BoxError, RemoteKey};
use openssl::pkey::{PKey, Private};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio::runtime::Builder;
use tokio::sync::Notify;
use tokio::task::{LocalSet, spawn_local, yield_now};

use super::{GREETING, Subject};
use crate::contender::{LibsslAsync, Provider, Tls, TokioOpenssl, TokioRustls, sign};
use crate::identity::{Identity, KeyType};
use crate::measure::{Memory, raise_descriptor_limit};

/// Runs a server of the subject and with the number of connections that the arguments name.
pub(crate) fn serve(mut args: impl Iterator<Item = String>) -> Result<(), Box<dyn Error>> {
    raise_descriptor_limit()?;
    let name = args.next().ok_or("a subject is missing")?;
    let subject = Subject::ALL.into_iter().find(|subject| subject.name() == name).ok_or("no such subject")?;
    let count = args.next().ok_or("a number is missing")?.parse()?;
    let identity = Identity::new(KeyType::P256)?;
    match subject {
        Subject::TokioOpenssl => watch(TokioOpenssl::new(&identity)?, count, None),
        Subject::RustlsAwsLc => watch(TokioRustls::new(&identity, Provider::AwsLc)?, count, None),
        Subject::RustlsRing => watch(TokioRustls::new(&identity, Provider::Ring)?, count, None),
        Subject::LibsslAsync => watch(LibsslAsync::new(&identity, &identity.key)?, count, None),
        Subject::Paused => {
            let tls = LibsslAsync::new(&identity, &answers_once(&identity)?)?;
            let workers = tls.workers().clone();
            watch(tls, count, Some(workers))
        }
    }
}

/// Serves one connection, then `count` more, and measures when all are idle or, with `paused`, when all have paused.
fn watch<T: Tls>(tls: T, count: usize, paused: Option<Workers>) -> Result<(), Box<dyn Error>> {
    let runtime = Builder::new_current_thread().enable_all().build()?;
    LocalSet::new().block_on(&runtime, async {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        println!("{}", listener.local_addr()?.port());
        let idle = Rc::new(Idle::default());
        spawn_local(accept(listener, tls, Rc::clone(&idle)));
        idle.reach(1).await;
        let before = Memory::now()?;
        println!("ready");
        match paused {
            None => idle.reach(count + 1).await,
            Some(workers) => {
                while workers.metrics().paused < count as u64 {
                    yield_now().await;
                }
            }
        }
        let after = Memory::now()?;
        println!("{} {}", after.allocated - before.allocated, after.resident - before.resident);
        Ok(())
    })
}

async fn accept<T: Tls>(listener: TcpListener, tls: T, idle: Rc<Idle>) -> io::Result<()> {
    let tls = Rc::new(tls);
    loop {
        let (socket, _) = listener.accept().await?;
        let (tls, idle) = (Rc::clone(&tls), Rc::clone(&idle));
        spawn_local(async move {
            let mut stream = tls.accept(socket).await?;
            let mut greeting = [0; GREETING.len()];
            loop {
                stream.read_exact(&mut greeting).await?;
                stream.write_all(&greeting).await?;
                idle.add_one();
            }
            #[allow(unreachable_code, reason = "names the type of the error")]
            Ok::<(), io::Error>(())
        });
    }
}

/// How many connections have answered and wait for more.
#[derive(Default)]
struct Idle {
    count: Cell<usize>,
    changed: Notify,
}

impl Idle {
    fn add_one(&self) {
        self.count.set(self.count.get() + 1);
        self.changed.notify_one();
    }

    async fn reach(&self, count: usize) {
        while self.count.get() < count {
            self.changed.notified().await;
        }
    }
}

/// A key that answers its first request and no other.
fn answers_once(identity: &Identity) -> Result<PKey<Private>, Box<dyn Error>> {
    let key = identity.key.clone();
    let answered = AtomicBool::new(false);
    let remote = RemoteKey::builder(&identity.key).sign_fn(move |request| {
        let signature = (!answered.swap(true, Ordering::Relaxed)).then(|| sign(&key, &request));
        async move {
            match signature {
                Some(signature) => signature.map_err(BoxError::from),
                None => std::future::pending().await,
            }
        }
    });
    Ok(remote.build()?)
}
