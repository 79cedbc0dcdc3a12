//! The worker driver: record I/O stays on the worker that made the handshake.

use std::collections::VecDeque;
use std::io::Read as _;
use std::mem;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker, ready};

use libssl_async::{Error, TlsStream};
use openssl::ssl::SslRef;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use super::{Progress, READABLE, SENT};
use crate::connection::Route;
use crate::messages::Message;
use crate::socket::Socket;

/// The JavaScript thread's end of a connection that a worker drives.
pub(crate) struct Remote {
    shared: Arc<Shared>,
}

struct Shared {
    id: u32,
    route: Arc<Route>,
    state: Mutex<State>,
    /// Locked by the worker while it polls, and by JavaScript's rare questions.
    stream: Mutex<TlsStream<Socket>>,
}

#[derive(Default)]
struct State {
    /// Decrypted bytes that nobody has read.
    input: VecDeque<u8>,
    /// The peer has sent `close_notify`.
    ended: bool,
    /// The peer has ended its direction without one.
    truncated: bool,
    failure: Option<Error>,
    /// Plain bytes that the worker has not taken.
    output: Vec<u8>,
    /// How many it has taken and not sent.
    unsent: usize,
    /// The worker has something to send.
    sending: bool,
    shut_down: bool,
    wants_input: bool,
    wants_sent: bool,
    closed: bool,
    worker: Option<Waker>,
}

/// Decrypted bytes that are kept for a reader; the peer has to wait beyond that.
const INPUT_LIMIT: usize = 256 * 1024;

/// What a worker reads and takes at once.
const PIECE: usize = 64 * 1024;

impl Remote {
    /// Leaves `stream` on this worker, driven by the future that is returned.
    pub(crate) fn new(id: u32, route: Arc<Route>, stream: TlsStream<Socket>) -> (Self, impl Future<Output = ()>) {
        let shared = Arc::new(Shared { id, route, state: Mutex::default(), stream: Mutex::new(stream) });
        let mut pump =
            Pump { shared: Arc::clone(&shared), taken: Vec::new(), sent: 0, piece: Vec::new(), shut_down: false };
        (Self { shared }, std::future::poll_fn(move |context| pump.poll(context)))
    }

    pub(crate) fn read(&self, target: &mut [u8]) -> Result<Progress<usize>, Error> {
        let mut state = self.shared.state();
        if state.input.is_empty() {
            if let Some(failure) = state.failure.clone() {
                return Err(failure);
            }
            if state.ended {
                return Ok(Progress::Done(0));
            }
            if state.truncated {
                return Err(Error::Truncated);
            }
            state.wants_input = true;
            return Ok(Progress::Wait);
        }
        let was_full = state.input.len() >= INPUT_LIMIT;
        let count = state.input.read(target).expect("reading memory does not fail");
        if was_full {
            state.wake();
        }
        Ok(Progress::Done(count))
    }

    /// Copies the bytes; the worker encrypts and sends them.
    pub(crate) fn write(&self, bytes: &[u8]) -> Result<Progress<()>, Error> {
        let mut state = self.shared.state();
        if let Some(failure) = state.failure.clone() {
            return Err(failure);
        }
        state.output.extend_from_slice(bytes);
        state.sending = true;
        state.wants_sent = true;
        state.wake();
        Ok(Progress::Wait)
    }

    /// Whether all that was written is sent.
    pub(crate) fn send(&self) -> Result<Progress<()>, Error> {
        let mut state = self.shared.state();
        match (&state.failure, state.sending) {
            (Some(failure), _) => Err(failure.clone()),
            (None, false) => Ok(Progress::Done(())),
            (None, true) => {
                state.wants_sent = true;
                Ok(Progress::Wait)
            }
        }
    }

    pub(crate) fn shutdown(&self) -> Result<Progress<()>, Error> {
        let mut state = self.shared.state();
        if !state.shut_down {
            state.shut_down = true;
            state.sending = true;
            state.wake();
        }
        drop(state);
        self.send()
    }

    pub(crate) fn unsent(&self) -> usize {
        let state = self.shared.state();
        state.output.len() + state.unsent
    }

    /// Asks the connection's SSL.
    pub(crate) fn with_ssl<T>(&self, question: impl FnOnce(&SslRef) -> T) -> T {
        question(lock(&self.shared.stream).ssl())
    }

    pub(crate) fn with_socket<T>(&self, action: impl FnOnce(&Socket) -> T) -> T {
        action(lock(&self.shared.stream).get_ref())
    }
}

impl Drop for Remote {
    fn drop(&mut self) {
        let mut state = self.shared.state();
        state.closed = true;
        state.wake();
    }
}

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        lock(&self.state)
    }
}

impl State {
    fn wake(&mut self) {
        if let Some(worker) = self.worker.take() {
            worker.wake();
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The worker's end.
struct Pump {
    shared: Arc<Shared>,
    /// What is being written, and how much of it is.
    taken: Vec<u8>,
    sent: usize,
    piece: Vec<u8>,
    shut_down: bool,
}

impl Pump {
    fn poll(&mut self, context: &mut Context<'_>) -> Poll<()> {
        let shared = Arc::clone(&self.shared);
        let mut stream = lock(&shared.stream);
        {
            let mut state = shared.state();
            if state.closed {
                return Poll::Ready(());
            }
            state.worker = Some(context.waker().clone());
        }
        let written = self.poll_output(&mut stream, context);
        let read = self.poll_input(&mut stream, context);
        let mut state = shared.state();
        let mut news = 0;
        let mut over = false;
        state.unsent = self.taken.len() - self.sent;
        match written {
            // JavaScript may have asked for more while the worker was busy.
            Poll::Ready(Ok(())) => state.sending = !state.output.is_empty() || state.shut_down != self.shut_down,
            Poll::Ready(Err(error)) => {
                state.failure.get_or_insert(Error::from(error));
                over = true;
            }
            Poll::Pending => {}
        }
        match read.map_err(Error::from) {
            Poll::Ready(Err(Error::Truncated)) => state.truncated = true,
            Poll::Ready(Err(error)) => {
                state.failure.get_or_insert(error);
                over = true;
            }
            Poll::Ready(Ok(())) | Poll::Pending => {}
        }
        let settled = state.failure.is_some();
        if state.wants_input && (settled || state.ended || state.truncated || !state.input.is_empty()) {
            state.wants_input = false;
            news |= READABLE;
        }
        if state.wants_sent && (settled || !state.sending) {
            state.wants_sent = false;
            news |= SENT;
        }
        drop(state);
        if news != 0 {
            shared.route.home().queue.send(Message::News { id: shared.id, news });
        }
        if over { Poll::Ready(()) } else { Poll::Pending }
    }

    /// Writes all that JavaScript has given, and `close_notify` behind it if it was asked for.
    fn poll_output(&mut self, stream: &mut TlsStream<Socket>, context: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        loop {
            if self.sent == self.taken.len() {
                self.taken.clear();
                self.sent = 0;
                mem::swap(&mut self.taken, &mut self.shared.state().output);
            }
            if self.taken.is_empty() {
                break;
            }
            self.sent += ready!(Pin::new(&mut *stream).poll_write(context, &self.taken[self.sent..]))?;
        }
        if self.shared.state().shut_down && !self.shut_down {
            ready!(Pin::new(&mut *stream).poll_shutdown(context))?;
            self.shut_down = true;
        }
        Pin::new(stream).poll_flush(context)
    }

    fn poll_input(&mut self, stream: &mut TlsStream<Socket>, context: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        loop {
            {
                let state = self.shared.state();
                if state.ended || state.truncated || state.failure.is_some() || state.input.len() >= INPUT_LIMIT {
                    return Poll::Pending;
                }
            }
            self.piece.resize(PIECE, 0);
            let mut buffer = ReadBuf::new(&mut self.piece);
            let result = Pin::new(&mut *stream).poll_read(context, &mut buffer);
            let count = buffer.filled().len();
            if result.is_pending() {
                self.piece = Vec::new();
            }
            ready!(result)?;
            let mut state = self.shared.state();
            state.ended = count == 0;
            state.input.extend(&self.piece[..count]);
        }
    }
}
