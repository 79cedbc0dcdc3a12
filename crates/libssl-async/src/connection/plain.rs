//! A connection that has no job.

use std::mem::MaybeUninit;
use std::os::fd::{BorrowedFd, OwnedFd};
use std::sync::Arc;
use std::{fmt, io};

use foreign_types::{ForeignType, ForeignTypeRef};
use libssl_async_sys as sys;
use libssl_async_sys::thin::AsyncStatus;
use openssl::ssl::{Ssl, SslRef};
use openssl_sys as ffi;

use super::session::{Outcome, Session};
use super::wire::Wire;
use super::{Step, Want};
use crate::completion::{AsyncEvent, ConnectionId, Signal};
use crate::error::Error;

/// An established connection outside asynchronous mode: it never pauses, so it may move between threads.
///
/// Made by a handshake ([`JobConnection::into_connection`](super::JobConnection::into_connection)).
pub struct Connection {
    session: Session,
}

/// Receive buffer of libssl when it reads the socket itself, in bytes: four records at once.
const READ_BUFFER: usize = 64 * 1024;

impl Connection {
    pub(super) fn new(session: Session) -> Self {
        Self { session }
    }

    /// Takes an SSL that is set to its side and has made no call yet, where jobs cannot pause.
    pub(crate) fn without_jobs(ssl: Ssl, signal: Arc<Signal>) -> Result<Self, Error> {
        // SAFETY: the SSL is valid and has no job. As after a handshake in jobs, nothing asks for the key later (rule 34).
        unsafe {
            sys::SSL_clear_mode(ssl.as_ptr(), sys::SSL_MODE_ASYNC);
            sys::SSL_set_options(ssl.as_ptr(), ffi::SSL_OP_NO_RENEGOTIATION);
            sys::SSL_set_post_handshake_auth(ssl.as_ptr(), 0);
        }
        Ok(Self::new(Session::new(ssl, signal)?))
    }

    /// Goes on with the handshake, on a thread that may block. Corresponds to `SSL_do_handshake`.
    pub(crate) fn handshake(&mut self) -> Result<Step<()>, Error> {
        // SAFETY: the SSL is valid.
        let outcome = self.session.call(|ssl| unsafe { ffi::SSL_do_handshake(ssl) })?;
        done(outcome, (), ())
    }

    pub(crate) fn signal(&self) -> &Arc<Signal> {
        self.session.signal()
    }

    pub(super) fn into_session(self) -> Session {
        self.session
    }

    /// Reads decrypted bytes into `target`; `Done(0)` is the end that the peer told with `close_notify`.
    ///
    /// Fails with [`Error::Truncated`] if the transport ended without one. Corresponds to `SSL_read_ex`.
    pub fn read(&mut self, target: &mut [MaybeUninit<u8>]) -> Result<Step<usize>, Error> {
        let mut read = 0;
        let outcome = self.session.call(|ssl| {
            // SAFETY: the SSL is valid, the memory writable; with no job the call ends before it returns (rule 3).
            unsafe { ffi::SSL_read_ex(ssl, target.as_mut_ptr().cast(), target.len(), &mut read) }
        })?;
        done(outcome, read, 0)
    }

    /// As [`Connection::read`], but the bytes stay where they are. Corresponds to `SSL_peek_ex`.
    pub fn peek(&mut self, target: &mut [MaybeUninit<u8>]) -> Result<Step<usize>, Error> {
        let mut read = 0;
        let outcome = self.session.call(|ssl| {
            // SAFETY: as in `read`.
            unsafe { ffi::SSL_peek_ex(ssl, target.as_mut_ptr().cast(), target.len(), &mut read) }
        })?;
        done(outcome, read, 0)
    }

    /// Encrypts bytes into the output buffer until all are taken or it is full, and tells how many were taken.
    ///
    /// Corresponds to `SSL_write_ex`, called once for each record.
    pub fn write(&mut self, bytes: &[u8]) -> Result<Step<usize>, Error> {
        let mut taken = 0;
        while taken < bytes.len() {
            // Asked before and not by libssl, which would keep an encrypted record that nobody was told of.
            if self.wire().output_full() {
                return Ok(if taken > 0 { Step::Done(taken) } else { Step::Wait(Want::Output) });
            }
            let rest = &bytes[taken..];
            let mut written = 0;
            let outcome = self.session.call(|ssl| {
                // SAFETY: the SSL is valid, the memory readable; with no job the call ends before it returns (rule 3).
                unsafe { ffi::SSL_write_ex(ssl, rest.as_ptr().cast(), rest.len(), &mut written) }
            })?;
            match outcome {
                Outcome::Done => taken += written,
                Outcome::WantOutput | Outcome::WantInput if taken > 0 => break,
                other => return done(other, 0, 0),
            }
        }
        Ok(Step::Done(taken))
    }

    /// Sends `close_notify`, once. `Done(true)` if the peer's has come too; `Done(false)` if not: read until it has.
    ///
    /// Corresponds to `SSL_shutdown`.
    pub fn shutdown(&mut self) -> Result<Step<bool>, Error> {
        let mut result = 0;
        let outcome = self.session.call(|ssl| {
            // SAFETY: the SSL is valid and past its handshake, with no job (rule 14).
            result = unsafe { ffi::SSL_shutdown(ssl) };
            // 0 says that the peer's `close_notify` is missing, which is no failure.
            if result == 0 { 1 } else { result }
        })?;
        if matches!(outcome, Outcome::Done) {
            self.wire().end_output();
        }
        done(outcome, result == 1, true)
    }

    /// Bytes that [`Connection::read`] would return without more input. Corresponds to `SSL_pending`.
    pub fn pending(&self) -> usize {
        self.ssl().pending()
    }

    /// Whether libssl holds bytes it has not processed or not handed out. Corresponds to `SSL_has_pending`.
    pub fn has_pending(&self) -> bool {
        // SAFETY: the SSL is valid.
        unsafe { sys::SSL_has_pending(self.ssl().as_ptr()) == 1 }
    }

    /// The SSL, to be asked about the connection.
    pub fn ssl(&self) -> &SslRef {
        self.session.ssl()
    }

    /// The number by which callbacks and requests know the connection.
    pub fn id(&self) -> ConnectionId {
        self.session.signal().id()
    }

    /// The status of the last asynchronous operation. Corresponds to `SSL_get_async_status`.
    pub fn async_status(&self) -> Option<AsyncStatus> {
        self.session.signal().status()
    }

    /// Replaces the callback that is told of completions; kept, but of no use, on a connection that never pauses again.
    ///
    /// Corresponds to `SSL_set_async_callback`.
    pub fn set_async_callback(&self, callback: impl Fn(AsyncEvent) + Send + Sync + 'static) {
        self.session.signal().set_callback(Some(Arc::new(callback)));
    }

    /// Appends ciphertext that was received from the peer.
    pub fn feed(&mut self, ciphertext: &[u8]) {
        self.wire().feed(ciphertext);
    }

    /// Tells that the transport has no more input.
    pub fn end_input(&mut self) {
        self.wire().end_input();
    }

    /// Ciphertext that waits to be sent.
    pub fn output(&mut self) -> &[u8] {
        self.wire().output()
    }

    /// Tells that the first `count` bytes of [`Connection::output`] were sent.
    pub fn sent(&mut self, count: usize) {
        self.wire().sent(count);
    }

    /// Frees the memory of buffers that are empty.
    pub fn release(&mut self) {
        self.wire().release();
    }

    /// Gives the connection a connected non-blocking socket of its own, from which it then receives by itself.
    ///
    /// Input that was fed before is read first. The socket is asked only after [`Connection::input_ready`] has been
    /// called: its watching tells at once what it has. [`Want::Input`] means from now on that it has none, and output is
    /// sent by [`Connection::flush`].
    pub fn attach(&mut self, socket: OwnedFd) {
        let ssl = self.ssl().as_ptr();
        // SAFETY: the SSL is valid; both only change how much libssl receives at once.
        unsafe {
            sys::SSL_set_read_ahead(ssl, 1);
            sys::SSL_set_default_read_buffer_len(ssl, READ_BUFFER);
        }
        self.wire().attach(socket);
    }

    /// Tells that the attached socket may have input, or that the peer has `ended` its direction, as an edge-triggered
    /// event says.
    ///
    /// Without it a socket that was found empty is not asked again.
    pub fn input_ready(&mut self, ended: bool) {
        self.wire().input_ready(ended);
    }

    /// Whether [`Connection::read`] would find nothing: the attached socket was found empty, and libssl holds nothing.
    pub fn is_drained(&mut self) -> bool {
        self.wire().is_drained() && self.wire().unread() == 0 && !self.has_pending()
    }

    /// The attached socket, for its options.
    pub fn socket(&mut self) -> Option<BorrowedFd<'_>> {
        self.wire().socket()
    }

    /// Takes the socket back. What libssl has read ahead stays in the connection.
    pub fn detach(&mut self) -> Option<OwnedFd> {
        self.wire().detach()
    }

    /// Sends output to the attached socket; `false` if it does not take all of it now.
    pub fn flush(&mut self) -> io::Result<bool> {
        self.wire().flush()
    }

    pub(crate) fn wire(&mut self) -> &mut Wire {
        self.session.wire()
    }
}

/// Maps what an SSL call said to a step of a connection without jobs.
fn done<T>(outcome: Outcome, value: T, closed: T) -> Result<Step<T>, Error> {
    match outcome {
        Outcome::Done => Ok(Step::Done(value)),
        Outcome::Closed => Ok(Step::Done(closed)),
        Outcome::WantInput => Ok(Step::Wait(Want::Input)),
        Outcome::WantOutput => Ok(Step::Wait(Want::Output)),
        Outcome::Paused | Outcome::NoJob => unreachable!("asynchronous mode is off"),
    }
}

impl fmt::Debug for Connection {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Connection").field("id", &self.id()).field("ssl", self.ssl()).finish()
    }
}
