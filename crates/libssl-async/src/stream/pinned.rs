//! A TLS stream that stays in asynchronous mode, on its worker.

use std::fmt;
use std::io;
use std::mem::MaybeUninit;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker, ready};

use libssl_async_sys::thin::AsyncStatus;
use openssl::ssl::SslRef;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Sleep, sleep};

use super::halves::Halves;
use super::transfer::{poll_receive, poll_send, received_after};
use crate::completion::{AsyncEvent, ConnectionId};
use crate::connection::{JobConnection, Step, Want};
use crate::error::Error;

/// A TLS connection over `S` whose reads and writes may pause too: for sources that also accelerate records.
///
/// It is not `Send`: jobs belong to the worker that started them. It is made inside
/// [`Workers::spawn_pinned`](crate::Workers::spawn_pinned) by
/// [`TlsAcceptor::accept_local`](crate::TlsAcceptor::accept_local) or
/// [`TlsConnector::connect_local`](crate::TlsConnector::connect_local).
///
/// One operation is under way at a time: whichever half is polled finishes it, and wakes the other. Bytes that
/// `poll_write` has taken are encrypted and sent even if no further write follows, once the stream is polled again.
///
/// All its methods are cancel safe: what a future that is dropped has begun goes on in memory of the connection's own,
/// and the next call on the stream ends it first; the stream stays usable. A stream that is dropped while its job is
/// paused ends in the drain of its worker.
pub struct PinnedStream<S> {
    connection: JobConnection,
    io: S,
    delay: Option<Pin<Box<Sleep>>>,
    halves: Arc<Halves>,
    /// What both halves wait with: it wakes both.
    waker: Waker,
}

impl<S> PinnedStream<S> {
    pub(crate) fn new(connection: JobConnection, io: S) -> Self {
        let halves = Arc::<Halves>::default();
        Self { connection, io, delay: None, waker: Waker::from(Arc::clone(&halves)), halves }
    }

    /// The SSL, to be asked about the connection.
    pub fn ssl(&self) -> &SslRef {
        self.connection.ssl()
    }

    /// The transport.
    pub fn get_ref(&self) -> &S {
        &self.io
    }

    /// The number by which callbacks and requests know the connection.
    pub fn id(&self) -> ConnectionId {
        self.connection.signal().id()
    }

    /// The status of the last asynchronous operation. Corresponds to `SSL_get_async_status`.
    pub fn async_status(&self) -> Option<AsyncStatus> {
        self.connection.signal().status()
    }

    /// Replaces the callback that is told of completions, on the thread that completes. Corresponds to
    /// `SSL_set_async_callback`.
    pub fn set_async_callback(&self, callback: impl Fn(AsyncEvent) + Send + Sync + 'static) {
        self.connection.signal().set_callback(Some(Arc::new(callback)));
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> PinnedStream<S> {
    /// Calls `operation` until it is done, doing meanwhile whatever the connection waits for.
    fn poll<T>(
        &mut self,
        mut operation: impl FnMut(&mut JobConnection) -> Result<Step<T>, Error>,
    ) -> Poll<io::Result<T>> {
        let waker = self.waker.clone();
        let context = &mut Context::from_waker(&waker);
        loop {
            let step = operation(&mut self.connection);
            let sent = poll_send(self.connection.wire(), &mut self.io, context);
            match step? {
                Step::Done(value) => return Poll::Ready(Ok(value)),
                Step::Wait(Want::Input) => {
                    let received = poll_receive(self.connection.wire(), &mut self.io, context);
                    ready!(received_after(self.connection.wire(), sent, received))?;
                }
                Step::Wait(Want::Output) => ready!(sent)?,
                Step::Wait(Want::Completion) => ready!(self.connection.poll_completed(context)),
                Step::Wait(Want::Retry(time)) => {
                    let delay = self.delay.get_or_insert_with(|| Box::pin(sleep(time)));
                    ready!(delay.as_mut().poll(context));
                    self.delay = None;
                }
                Step::Wait(Want::Job) => ready!(self.connection.poll_job(context)),
            }
        }
    }

    fn poll_send(&mut self) -> Poll<io::Result<()>> {
        let waker = self.waker.clone();
        poll_send(self.connection.wire(), &mut self.io, &mut Context::from_waker(&waker))
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> AsyncRead for PinnedStream<S> {
    fn poll_read(self: Pin<&mut Self>, context: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        if buffer.remaining() == 0 {
            return Poll::Ready(Ok(()));
        }
        let this = self.get_mut();
        this.halves.reader.register(context);
        // SAFETY: `JobConnection::read` writes nothing uninitialised there.
        let target: &mut [MaybeUninit<u8>] = unsafe { buffer.unfilled_mut() };
        let read = ready!(this.poll(|connection| connection.read(target)))?;
        this.halves.writer.wake();
        // SAFETY: `JobConnection::read` wrote `read` bytes at the start of the unfilled part.
        unsafe { buffer.assume_init(read) };
        buffer.advance(read);
        Poll::Ready(Ok(()))
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> AsyncWrite for PinnedStream<S> {
    fn poll_write(self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        if bytes.is_empty() {
            return Poll::Ready(Ok(0));
        }
        let this = self.get_mut();
        this.halves.writer.register(context);
        if this.connection.wire().output_full() {
            ready!(this.poll_send())?;
        }
        let taken = ready!(this.poll(|connection| connection.write(bytes)))?;
        let _ = this.poll_send()?;
        this.halves.reader.wake();
        Poll::Ready(Ok(taken))
    }

    fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        this.halves.writer.register(context);
        ready!(this.poll(JobConnection::finish))?;
        ready!(this.poll_send())?;
        this.halves.reader.wake();
        Pin::new(&mut this.io).poll_flush(context)
    }

    /// Sends `close_notify` and shuts the transport down for writing; reading goes on until the peer's comes.
    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        this.halves.writer.register(context);
        ready!(this.poll(JobConnection::shutdown))?;
        ready!(this.poll_send())?;
        this.halves.reader.wake();
        Pin::new(&mut this.io).poll_shutdown(context)
    }
}

impl<S: fmt::Debug> fmt::Debug for PinnedStream<S> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("PinnedStream").field("connection", &self.connection).field("io", &self.io).finish()
    }
}
