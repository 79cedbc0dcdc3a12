//! What other threads tell an environment.

use std::collections::VecDeque;
use std::mem;
use std::net::SocketAddr;
use std::os::fd::OwnedFd;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use libssl_async::keys::Answer;
use libssl_async::{AsyncStatus, Error, Question, Shutdown, Workers};
use napi::threadsafe_function::{ThreadsafeFunction, ThreadsafeFunctionCallMode};
use tokio_util::sync::DropGuard;

use crate::connection::{Addresses, Asked, Established};
use crate::context::Choice;
use crate::driver::Alarm;
use crate::error::Checked;
use crate::loading::{Loaded, PinAnswer};
use crate::socket::Family;

/// Something that happened on another thread.
pub(crate) enum Message {
    /// A source has called the asynchronous callback of a connection.
    Async { server: Option<u32>, connection: u32, status: Option<AsyncStatus> },
    /// A server has a new connection that JavaScript has to know of before its handshake is done.
    Accepted { server: u32, connection: u32, begun: Begun, addresses: Addresses },
    /// The signer's answer to a request is not wanted any more.
    Cancelled { request: u32 },
    /// The socket of a connection is connected.
    Connected { connection: u32, socket: OwnedFd, family: Family, addresses: Addresses },
    /// A connection could not be made, or its handshake failed; a server's with its peer, if it is still known.
    Failed { server: Option<u32>, connection: u32, failure: Failure, peer: Option<SocketAddr> },
    /// A handshake is done, of a connection that JavaScript knows already or not.
    Established { server: Option<u32>, connection: u32, known: bool, established: Established },
    /// A secret of a connection, as a line of the key log format.
    Secret { server: Option<u32>, connection: u32, line: String },
    /// A client's connection has a session that can be resumed, in DER.
    Session { connection: u32, session: Vec<u8> },
    /// A server's socket is closed, and nothing is left of its handshakes.
    ListenerClosed { server: u32, left: Shutdown },
    /// A server's socket failed.
    ListenerFailed { server: u32, failure: Failure },
    /// An engine, provider or key is loaded, or cannot be.
    Loaded { request: u32, result: Checked<Loaded> },
    /// A handshake waits for an answer.
    Asked { server: Option<u32>, connection: u32, request: u32, asked: Asked, question: Question<Choice> },
    /// The answer to such a question is not wanted any more.
    Unasked { server: Option<u32>, connection: u32, request: u32 },
    /// What protects a key that is being loaded is asked for.
    Pin { request: u32, question: String, answer: PinAnswer },
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
    Running(DropGuard),
}

/// What a remote key is asked to do.
pub(crate) enum KeyTask {
    Sign { scheme: &'static str, digest: Option<Vec<u8>>, message: Vec<u8> },
    Decrypt { ciphertext: Vec<u8> },
}

/// Why something failed.
pub(crate) enum Failure {
    Tls(Error),
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

/// The messages for one environment: sent by any thread, taken by JavaScript's, which is woken only if it need not come
/// anyway.
pub(crate) struct Queue {
    state: Mutex<State>,
    /// Where there is an event loop of ours. Node's own function wakes its thread while it holds a lock that this thread then
    /// waits for: on a busy core, until it is the other thread's turn again.
    alarm: OnceLock<Arc<Alarm>>,
    wake: ThreadsafeFunction<(), (), (), napi::Status, false, true>,
}

/// Messages that JavaScript takes in one turn of its loop, so that the loop turns in a storm of handshakes: to tell a server
/// of one connection takes it about a tenth of a millisecond.
const TURN: usize = 8;

#[derive(Default)]
struct State {
    messages: VecDeque<Message>,
    /// JavaScript has been woken, and has not come yet.
    woken: bool,
    /// The worker that sent one of them will wake JavaScript when it has nothing else to do.
    waking: bool,
    closed: bool,
}

impl Queue {
    pub(crate) fn new(wake: ThreadsafeFunction<(), (), (), napi::Status, false, true>) -> Arc<Self> {
        Arc::new(Self { state: Mutex::default(), alarm: OnceLock::new(), wake })
    }

    /// Has JavaScript woken by its event loop.
    pub(crate) fn wake_by(&self, alarm: &Arc<Alarm>) {
        let _set_once = self.alarm.set(Arc::clone(alarm));
    }

    /// Sends a message; it is dropped, and what it carries with it, if the environment is gone.
    pub(crate) fn send(&self, message: Message) {
        if self.push(message, |state| !mem::replace(&mut state.woken, true)) {
            self.wake();
        }
    }

    /// Sends a message that may wait for others of the same worker for a millisecond: waking JavaScript costs both
    /// threads more than all else.
    pub(crate) fn send_soon(self: &Arc<Self>, message: Message) {
        if self.push(message, |state| !state.woken && !mem::replace(&mut state.waking, true)) {
            let this = Arc::clone(self);
            Workers::give_out(move || this.wake_late());
        }
    }

    /// Returns what `then` says, unless the environment is gone.
    fn push(&self, message: Message, then: impl FnOnce(&mut State) -> bool) -> bool {
        let mut state = self.state();
        if state.closed {
            drop(state);
            drop(message);
            return false;
        }
        state.messages.push_back(message);
        then(&mut state)
    }

    fn wake_late(&self) {
        let mut state = self.state();
        state.waking = false;
        if state.messages.is_empty() || mem::replace(&mut state.woken, true) {
            return;
        }
        drop(state);
        self.wake();
    }

    /// Without the lock, which JavaScript takes as soon as it is awake. At the environment's end napi-rs makes this do
    /// nothing, under a lock of its own.
    fn wake(&self) {
        match self.alarm.get() {
            Some(alarm) => alarm.ring(),
            None => drop(self.wake.call((), ThreadsafeFunctionCallMode::NonBlocking)),
        }
    }

    /// Whether JavaScript was woken, and has not come yet.
    pub(crate) fn is_waiting(&self) -> bool {
        self.state().woken
    }

    /// The oldest messages, as many as are taken in one turn of the loop; if there are more, JavaScript is woken again.
    pub(crate) fn take(&self) -> Vec<Message> {
        let mut state = self.state();
        let count = state.messages.len().min(TURN);
        let messages = state.messages.drain(..count).collect();
        state.woken = !state.messages.is_empty();
        if state.woken {
            drop(state);
            self.wake();
        }
        messages
    }

    /// Refuses all further messages, and returns the ones that nobody took.
    pub(crate) fn close(&self) -> VecDeque<Message> {
        let mut state = self.state();
        state.closed = true;
        mem::take(&mut state.messages)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
