//! What other threads tell an environment.

use std::mem;
use std::net::SocketAddr;
use std::os::fd::OwnedFd;
use std::sync::{Arc, Mutex, PoisonError};

use libssl_async::keys::Answer;
use libssl_async::{AsyncStatus, Error};
use napi::threadsafe_function::{ThreadsafeFunction, ThreadsafeFunctionCallMode};

use tokio::sync::oneshot;

use crate::connection::Established;
use crate::socket::Family;

/// Something that happened on another thread.
pub(crate) enum Message {
    /// A source has called the asynchronous callback of a connection.
    Async { server: Option<u32>, connection: u32, status: Option<AsyncStatus> },
    /// A server has a new connection, and begins its handshake unless JavaScript is to do so.
    Accepted { server: u32, connection: u32, begun: Begun },
    /// The signer's answer to a request is not wanted any more.
    Cancelled { request: u32 },
    /// The socket of a connection is connected.
    Connected { connection: u32, socket: OwnedFd, family: Family },
    /// A connection could not be made, or its handshake failed; a server's with its peer, if it is still known.
    Failed { server: Option<u32>, connection: u32, failure: Failure, peer: Option<SocketAddr> },
    /// A handshake is done.
    Established { server: Option<u32>, connection: u32, established: Established },
    /// A secret of a connection, as a line of the key log format.
    Secret { server: Option<u32>, connection: u32, line: String },
    /// A client's connection has a session that can be resumed, in DER.
    Session { connection: u32, session: Vec<u8> },
    /// A server's socket is closed.
    ListenerClosed { server: u32 },
    /// A server's socket failed.
    ListenerFailed { server: u32, failure: Failure },
    /// A worker has news of a connection that it drives.
    News { id: u32, news: i32 },
    /// A remote key is asked to do something.
    Request { request: u32, key: u32, task: KeyTask, answer: Answer },
}

/// How far a server's new connection is.
pub(crate) enum Begun {
    /// JavaScript is to begin the handshake.
    Waiting(OwnedFd, Family),
    /// Its handshake runs, and ends when this is dropped.
    Running(oneshot::Sender<()>),
}

/// What a remote key is asked to do.
pub(crate) enum KeyTask {
    Sign { scheme: &'static str, digest: Option<Vec<u8>>, message: Vec<u8> },
    Decrypt { ciphertext: Vec<u8> },
}

/// Why something failed.
pub(crate) enum Failure {
    Tls(Error),
    /// The handshake took too long, in milliseconds.
    HandshakeTimeout(u32),
    /// A system call on a socket failed.
    System {
        error: std::io::Error,
        call: &'static str,
        place: Option<Place>,
    },
    /// All attempts to connect failed, in this order.
    Attempts(Vec<(SocketAddr, std::io::Error)>),
}

/// What a socket is at.
pub(crate) enum Place {
    Address(SocketAddr),
    Path(String),
}

/// The messages for one environment: sent by any thread, taken by JavaScript's, which is woken only if there were none.
pub(crate) struct Queue {
    state: Mutex<State>,
    wake: ThreadsafeFunction<(), (), (), napi::Status, false, true>,
}

#[derive(Default)]
struct State {
    messages: Vec<Message>,
    closed: bool,
}

impl Queue {
    pub(crate) fn new(wake: ThreadsafeFunction<(), (), (), napi::Status, false, true>) -> Arc<Self> {
        Arc::new(Self { state: Mutex::default(), wake })
    }

    /// Sends a message; it is dropped, and what it carries with it, if the environment is gone.
    pub(crate) fn send(&self, message: Message) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        if state.closed {
            drop(state);
            return drop(message);
        }
        state.messages.push(message);
        if state.messages.len() == 1 {
            // Under the lock: the environment's end takes it before the function is released.
            self.wake.call((), ThreadsafeFunctionCallMode::NonBlocking);
        }
    }

    pub(crate) fn take(&self) -> Vec<Message> {
        mem::take(&mut self.state.lock().unwrap_or_else(PoisonError::into_inner).messages)
    }

    /// Refuses all further messages, and returns the ones that nobody took.
    pub(crate) fn close(&self) -> Vec<Message> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.closed = true;
        mem::take(&mut state.messages)
    }
}
