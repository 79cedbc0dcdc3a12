//! A child that was forked has neither the threads nor, to use, the jobs of its parent (rule 27).

use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};

use libssl_async::keys::{KeyError, RemoteKey};
use libssl_async::{Error, Workers};
use openssl::hash::MessageDigest;
use openssl::sign::Signer;
use tokio::io::{AsyncRead, AsyncWrite, DuplexStream, ReadBuf, duplex};
use tokio::sync::Semaphore;

use crate::child::{block_on, in_child};
use crate::exits::signing_when_allowed;
use crate::support::{Identity, sockets, until};

#[test]
fn the_pool_of_the_parent_is_refused_and_one_of_its_own_works() {
    let status = in_child(|| {
        let workers = Workers::builder().threads(1).build().unwrap();
        let identity = Identity::p256();
        let allowed = Arc::new(Semaphore::new(0));
        let key = signing_when_allowed(&identity.key, &allowed);
        let remote = Identity { key, certificate: identity.certificate.clone() };
        let (acceptor, connector) = (remote.pair(&workers).0, identity.pair(&workers).1);
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let (client, server) = runtime.block_on(async {
            let (client, server) = sockets().await;
            let handshakes = (connector.connect("localhost", client), acceptor.accept(server));
            until(&workers, |metrics| metrics.paused == 1).await;
            handshakes
        });
        forked(|| {
            block_on(async {
                let (client, server) = sockets().await;
                for refused in [acceptor.accept(server), connector.connect("localhost", client)] {
                    let error = refused.await.unwrap_err();
                    assert!(matches!(error, Error::Forked), "{error:?}");
                }
                let error = workers.spawn_pinned(|| async {}).await.unwrap_err();
                assert!(matches!(error, Error::Forked), "{error:?}");
                // The thread that would sign is the parent's.
                let signed = Signer::new(MessageDigest::sha256(), &remote.key).unwrap().sign_oneshot_to_vec(b"message");
                signed.unwrap_err();

                let workers = Workers::builder().threads(1).build().unwrap();
                let key =
                    RemoteKey::builder(&identity.key).sign_fn(|_| async { Err::<Vec<u8>, _>(KeyError::Unsupported) });
                let failing = Identity { key: key.build().unwrap(), certificate: identity.certificate.clone() };
                let (acceptor, connector) = (failing.pair(&workers).0, identity.pair(&workers).1);
                let (client, server) = sockets().await;
                let (_, server) = tokio::join!(connector.connect("localhost", client), acceptor.accept(server));
                assert!(matches!(server, Err(Error::Key(KeyError::Unsupported))), "{server:?}");
                let (acceptor, connector) = identity.pair(&workers);
                let (client, server) = sockets().await;
                let (client, server) = tokio::join!(connector.connect("localhost", client), acceptor.accept(server));
                client.unwrap();
                server.unwrap();
            });
            drop((acceptor.clone(), connector.clone()));
        });
        // The parent's handshakes have seen nothing of it.
        allowed.add_permits(1);
        runtime.block_on(async {
            let (client, server) = tokio::join!(client, server);
            client.unwrap();
            server.unwrap();
        });
    });
    assert!(status.success(), "{status}");
}

/// The fork of a worker has a thread that may run jobs, and memory in which one is paused.
#[test]
fn a_paused_job_is_refused_and_left_alone() {
    let status = in_child(|| {
        let workers = Workers::builder().threads(1).build().unwrap();
        let identity = Identity::p256();
        let allowed = Arc::new(Semaphore::new(0));
        let key = signing_when_allowed(&identity.key, &allowed);
        let remote = Identity { key, certificate: identity.certificate.clone() };
        let (acceptor, connector) = (remote.pair(&workers).0, identity.pair(&workers).1);
        block_on(async {
            // No sockets: the fork would take them out of the event queue, which it shares.
            let (client, server) = duplex(64 * 1024);
            let client = connector.connect("localhost", client);
            let metrics = workers.clone();
            let ended = Arc::new(AtomicBool::new(false));
            let server = Watched { io: server, ended: Arc::clone(&ended) };
            let worker = workers.spawn_pinned(move || async move {
                let mut accepting = Box::pin(acceptor.accept_local(server));
                std::future::poll_fn(|context| {
                    let _pending = accepting.as_mut().poll(context);
                    if metrics.metrics().paused == 1 { Poll::Ready(()) } else { Poll::Pending }
                })
                .await;
                let context = &mut Context::from_waker(std::task::Waker::noop());
                forked(|| {
                    let before = metrics.metrics();
                    let polled = accepting.as_mut().poll(context);
                    let Poll::Ready(Err(error)) = polled else { panic!("{polled:?}") };
                    assert!(matches!(error, Error::Forked), "{error:?}");
                    let (io, ended_too) = (duplex(1).0, Arc::clone(&ended));
                    accepting.set(acceptor.accept_local(Watched { io, ended: ended_too }));
                    // Neither was its transport ended, which is the parent's too, nor its request cancelled.
                    assert!(!ended.load(Ordering::SeqCst));
                    let after = metrics.metrics();
                    assert_eq!((after.callbacks, after.drained), (before.callbacks, before.drained));
                });
                allowed.add_permits(1);
                accepting.await.unwrap();
            });
            let (client, server) = tokio::join!(client, worker);
            client.unwrap();
            server.unwrap();
        });
    });
    assert!(status.success(), "{status}");
}

/// A transport that tells whether it was ended.
#[derive(Debug)]
struct Watched {
    io: DuplexStream,
    ended: Arc<AtomicBool>,
}

impl AsyncRead for Watched {
    fn poll_read(mut self: Pin<&mut Self>, context: &mut Context<'_>, to: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_read(context, to)
    }
}

impl AsyncWrite for Watched {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.io).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.ended.store(true, Ordering::SeqCst);
        Pin::new(&mut self.io).poll_shutdown(context)
    }
}

/// Runs `part` in a fork of this thread, and waits for its end.
fn forked(part: impl FnOnce()) {
    // SAFETY: the child uses the memory of the parent, whose other threads hold no lock that it needs: they wait.
    unsafe {
        match libc::fork() {
            0 => {
                libc::alarm(30);
                let passed = catch_unwind(AssertUnwindSafe(part)).is_ok();
                libc::_exit(if passed { 0 } else { 1 });
            }
            child => {
                let mut status = 0;
                assert_eq!(libc::waitpid(child, &mut status, 0), child);
                assert!(libc::WIFEXITED(status) && libc::WEXITSTATUS(status) == 0, "the fork failed: {status:#x}");
            }
        }
    }
}
