//! A source on the interface that engines use: a wait context's callback and status, and `ASYNC_pause_job`.
//!
//! It runs where the `openssl` crate lets user's code run on the fibre: a server chooses the protocol of ALPN.

#![allow(dead_code, reason = "each test program uses a part")]

use std::ffi::{c_int, c_void};
use std::process::abort;
use std::ptr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use libssl_async::{Handshake, Metrics, TlsAcceptor, TlsConnector, Workers};
use libssl_async_sys as sys;
use openssl::ssl::AlpnError;
use tokio::net::TcpStream;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

use crate::support::{Identity, sockets, until};

/// What a source holds of the operation that it has taken.
pub(crate) struct Operation {
    callback: unsafe extern "C" fn(*mut c_void) -> c_int,
    argument: *mut c_void,
    called: Arc<AtomicBool>,
}

// SAFETY: sources complete from any thread.
unsafe impl Send for Operation {}

impl Operation {
    /// Takes an operation of the current job, and sets a status unless it is `None`.
    pub(crate) fn submit(status: Option<c_int>) -> Self {
        let mut callback = None;
        let mut argument = ptr::null_mut();
        // SAFETY: called on the fibre of a connection, which has a wait context with a callback.
        unsafe {
            let context = sys::ASYNC_get_wait_ctx(sys::ASYNC_get_current_job());
            assert_eq!(sys::ASYNC_WAIT_CTX_get_callback(context, &mut callback, &mut argument), 1);
            if let Some(status) = status {
                assert_eq!(sys::ASYNC_WAIT_CTX_set_status(context, status), 1);
            }
        }
        Self { callback: callback.unwrap(), argument, called: Arc::default() }
    }

    /// Whether it has called back.
    pub(crate) fn called(&self) -> Arc<AtomicBool> {
        Arc::clone(&self.called)
    }

    /// Tells the connection that the operation is complete, or that it has to be tried again.
    pub(crate) fn call_back(&self) {
        self.called.store(true, Ordering::SeqCst);
        // SAFETY: the connection is not freed while the job of this operation is not over (rule 11).
        unsafe { (self.callback)(self.argument) };
    }
}

/// Leaves the fibre until the connection resumes it.
pub(crate) fn pause() {
    // SAFETY: called on the fibre of a connection.
    unsafe { sys::ASYNC_pause_job() };
}

/// What a server does when it chooses the protocol.
pub(crate) type Choose = dyn Fn(&Sources) -> Result<(), AlpnError> + Send + Sync;

/// What the source on the fibre shares with its test.
pub(crate) struct Sources {
    operations: UnboundedSender<Operation>,
    /// How often fibres went on.
    pub(crate) resumed: AtomicU64,
}

impl Sources {
    /// Hands the operation to the test, which completes it or not, and pauses. Ends the process if the job is resumed
    /// before: an accelerator would use what is not computed yet, and later write to a stack that is gone.
    pub(crate) fn hand_over(&self, operation: Operation) {
        let called = operation.called();
        if self.operations.send(operation).is_err() {
            // The test is over.
            return;
        }
        pause();
        if !called.load(Ordering::SeqCst) {
            eprintln!("a job was resumed before its completion");
            abort();
        }
        self.resumed.fetch_add(1, Ordering::SeqCst);
    }
}

/// A server whose handshakes run into a source, and a client.
pub(crate) struct Scene {
    pub(crate) workers: Workers,
    pub(crate) acceptor: TlsAcceptor,
    clients: TlsConnector,
    pub(crate) sources: Arc<Sources>,
    pub(crate) operations: UnboundedReceiver<Operation>,
}

impl Scene {
    pub(crate) fn new(choose: impl Fn(&Sources) -> Result<(), AlpnError> + Send + Sync + 'static) -> Self {
        Self::with(Workers::builder().threads(1).build().unwrap(), Box::new(choose))
    }

    pub(crate) fn with(workers: Workers, choose: Box<Choose>) -> Self {
        Self::of(&Identity::p256(), workers, choose)
    }

    pub(crate) fn of(identity: &Identity, workers: Workers, choose: Box<Choose>) -> Self {
        let (sender, operations) = unbounded_channel();
        let sources = Arc::new(Sources { operations: sender, resumed: AtomicU64::new(0) });
        let mut server = identity.acceptor();
        let shared = Arc::clone(&sources);
        server.set_alpn_select_callback(move |_, offered| {
            choose(&shared)?;
            Ok(&offered[1..])
        });
        let mut client = identity.connector();
        client.set_alpn_protos(b"\x04echo").unwrap();
        Self {
            acceptor: TlsAcceptor::new(server.build(), &workers),
            clients: TlsConnector::new(client.build(), &Workers::builder().threads(1).build().unwrap()),
            workers,
            sources,
            operations,
        }
    }

    /// Begins a handshake; the client's is first.
    pub(crate) async fn begin(&self) -> (Handshake<TcpStream>, Handshake<TcpStream>) {
        let (client, server) = sockets().await;
        (self.connect(client), self.acceptor.accept(server))
    }

    pub(crate) fn connect(&self, client: TcpStream) -> Handshake<TcpStream> {
        self.clients.connect("localhost", client)
    }

    pub(crate) async fn operation(&mut self) -> Operation {
        self.operations.recv().await.unwrap()
    }

    pub(crate) fn resumed(&self) -> u64 {
        self.sources.resumed.load(Ordering::SeqCst)
    }

    /// Waits until the metrics of the servers are as wanted.
    pub(crate) async fn until(&self, wanted: impl Fn(&Metrics) -> bool) {
        until(&self.workers, wanted).await;
    }
}
