//! A TLS stream for tokio.

use std::io::{self, IoSlice};
use std::mem::MaybeUninit;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker, ready};
use std::{fmt, slice};

use libssl_async_sys::thin::AsyncStatus;
use openssl::ssl::SslRef;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use super::halves::Halves;
use super::transfer::{poll_receive, poll_send, received_after};
use crate::completion::{AsyncEvent, ConnectionId};
use crate::connection::{Connection, Step, Want};
use crate::error::Error;

/// A TLS connection over `S`, made by [`TlsAcceptor`](crate::TlsAcceptor) or [`TlsConnector`](crate::TlsConnector).
///
/// Its handshake is done and it has no job any more, so it is `Send` and works on any tokio runtime. Reads and writes
/// fail with an [`io::Error`] whose source is an [`Error`](enum@Error).
///
/// All its methods are cancel safe: nothing is lost if a future that reads, writes or shuts down is dropped, no record is
/// left half sent once the stream is polled again, and it stays usable.
pub struct TlsStream<S> {
    connection: Connection,
    io: S,
    halves: Arc<Halves>,
    /// What both halves wait with: it wakes both.
    waker: Waker,
    /// `close_notify` has been made.
    shut_down: bool,
}

/// What vectored writes are gathered into, in bytes: one record.
const GATHERED: usize = 16 * 1024;

impl<S> TlsStream<S> {
    pub(crate) fn new(connection: Connection, io: S) -> Self {
        let halves = Arc::<Halves>::default();
        Self { connection, io, waker: Waker::from(Arc::clone(&halves)), halves, shut_down: false }
    }

    /// The same connection over what `change` makes of its transport.
    pub(crate) fn try_map_io(self, change: impl FnOnce(S) -> io::Result<S>) -> io::Result<Self> {
        Ok(Self { io: change(self.io)?, ..self })
    }

    /// The SSL, to be asked about the connection.
    pub fn ssl(&self) -> &SslRef {
        self.connection.ssl()
    }

    /// The transport.
    pub fn get_ref(&self) -> &S {
        &self.io
    }

    /// The transport. Reading from it or writing to it breaks the connection.
    pub fn get_mut(&mut self) -> &mut S {
        &mut self.io
    }

    /// The connection and the transport, apart; the connection may hold bytes of either direction.
    pub fn into_parts(self) -> (Connection, S) {
        (self.connection, self.io)
    }

    /// The number by which callbacks and requests know the connection.
    pub fn id(&self) -> ConnectionId {
        self.connection.id()
    }

    /// The status of the last asynchronous operation; `None` before the first job.
    ///
    /// Corresponds to `SSL_get_async_status`.
    pub fn async_status(&self) -> Option<AsyncStatus> {
        self.connection.async_status()
    }

    /// Replaces the callback that is told of completions. Corresponds to `SSL_set_async_callback`.
    pub fn set_async_callback(&self, callback: impl Fn(AsyncEvent) + Send + Sync + 'static) {
        self.connection.set_async_callback(callback);
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> TlsStream<S> {
    /// Reads without taking: the bytes will be read again. Returns how many there are, 0 at the end.
    ///
    /// Corresponds to `SSL_peek_ex`.
    pub async fn peek(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        std::future::poll_fn(|context| self.poll_peek(context, buffer)).await
    }

    /// The poll form of [`TlsStream::peek`].
    pub fn poll_peek(&mut self, context: &mut Context<'_>, buffer: &mut [u8]) -> Poll<io::Result<usize>> {
        // SAFETY: memory that is initialised may be seen as memory that need not be; only initialised bytes are written.
        let target = unsafe { slice::from_raw_parts_mut(buffer.as_mut_ptr().cast(), buffer.len()) };
        self.halves.reader.register(context);
        self.poll_input(|connection| connection.peek(target))
    }

    /// Calls `read` until it has what it wants, moving ciphertext meanwhile.
    fn poll_input(
        &mut self,
        mut read: impl FnMut(&mut Connection) -> Result<Step<usize>, Error>,
    ) -> Poll<io::Result<usize>> {
        loop {
            match read(&mut self.connection)? {
                Step::Done(count) => return Poll::Ready(Ok(count)),
                Step::Wait(want) => ready!(self.poll_wait(want))?,
            }
        }
    }

    fn poll_wait(&mut self, want: Want) -> Poll<Result<(), Error>> {
        // Code that never flushes must not wait for an answer to what was never sent.
        let sent = self.poll_send();
        let result = match want {
            Want::Output => sent,
            _ => {
                let context = &mut Context::from_waker(&self.waker);
                let received = poll_receive(self.connection.wire(), &mut self.io, context);
                received_after(self.connection.wire(), sent, received)
            }
        };
        result.map_err(Error::from)
    }

    fn poll_send(&mut self) -> Poll<io::Result<()>> {
        poll_send(self.connection.wire(), &mut self.io, &mut Context::from_waker(&self.waker))
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> AsyncRead for TlsStream<S> {
    fn poll_read(self: Pin<&mut Self>, context: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        if buffer.remaining() == 0 {
            return Poll::Ready(Ok(()));
        }
        // SAFETY: `Connection::read` writes nothing uninitialised there.
        let target: &mut [MaybeUninit<u8>] = unsafe { buffer.unfilled_mut() };
        let this = self.get_mut();
        this.halves.reader.register(context);
        let read = ready!(this.poll_input(|connection| connection.read(target)))?;
        // SAFETY: `Connection::read` wrote `read` bytes at the start of the unfilled part.
        unsafe { buffer.assume_init(read) };
        buffer.advance(read);
        Poll::Ready(Ok(()))
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> AsyncWrite for TlsStream<S> {
    fn poll_write(self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        this.halves.writer.register(context);
        loop {
            match this.connection.write(bytes)? {
                Step::Done(taken) => {
                    // The socket is tried at once; what it does not take goes with the next call.
                    let _ = this.poll_send()?;
                    return Poll::Ready(Ok(taken));
                }
                Step::Wait(want) => ready!(this.poll_wait(want))?,
            }
        }
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffers: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let mut parts = buffers.iter().filter(|part| !part.is_empty());
        let Some(first) = parts.next() else { return Poll::Ready(Ok(0)) };
        if first.len() >= GATHERED {
            return self.poll_write(context, first);
        }
        let mut gathered = Vec::with_capacity(GATHERED);
        for part in std::iter::once(first).chain(parts) {
            let room = GATHERED - gathered.len();
            gathered.extend_from_slice(&part[..part.len().min(room)]);
        }
        self.poll_write(context, &gathered)
    }

    fn is_write_vectored(&self) -> bool {
        true
    }

    fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        this.halves.writer.register(context);
        ready!(this.poll_send())?;
        Pin::new(&mut this.io).poll_flush(&mut Context::from_waker(&this.waker))
    }

    /// Sends `close_notify` and shuts the transport down for writing; reading goes on until the peer's comes.
    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        this.halves.writer.register(context);
        while !this.shut_down {
            match this.connection.shutdown() {
                // A connection that has failed has nothing to say goodbye to.
                Ok(Step::Done(_)) | Err(Error::Closed) => this.shut_down = true,
                Ok(Step::Wait(want)) => ready!(this.poll_wait(want))?,
                Err(error) => return Poll::Ready(Err(error.into())),
            }
        }
        ready!(this.poll_send())?;
        Pin::new(&mut this.io).poll_shutdown(&mut Context::from_waker(&this.waker))
    }
}

impl<S: fmt::Debug> fmt::Debug for TlsStream<S> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("TlsStream").field("connection", &self.connection).field("io", &self.io).finish()
    }
}
