//! The two ends of a connection's ciphertext.

use std::io;
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};

use super::Alert;
use super::buffer::Buffer;

/// How much output may wait before libssl is told to wait for room: eight full records, in bytes.
const OUTPUT_LIMIT: usize = 128 * 1024;

/// How much input is asked for at once, in bytes.
const INPUT_SIZE: usize = 64 * 1024;

/// What the BIO of a connection reads from and writes to.
///
/// Input comes from a buffer, or straight from a socket once no job can exist any more; output always goes through a
/// buffer, so that many records leave in one write.
#[derive(Default)]
pub(crate) struct Wire {
    input: Buffer,
    output: Buffer,
    /// Input has ended. libssl sees no more than that nothing is there: it would take the end for a failure of both
    /// directions.
    ended: bool,
    /// `close_notify` was the last output: what libssl makes all the same, as answers to key updates, is dropped.
    silent: bool,
    /// All input and output fails at once, so that an operation that was given up ends (rule 11).
    severed: bool,
    socket: Option<OwnedFd>,
    /// The socket had no more input when it was read last.
    drained: bool,
    /// The peer has ended its direction, and no event will tell so again.
    hung_up: bool,
    /// Why the socket failed, for the error of the operation that noticed.
    socket_error: Option<io::Error>,
    /// The last fatal alert.
    alert: Option<Alert>,
}

/// What the wire answers to one read or write of libssl.
pub(super) enum Transfer {
    Bytes(usize),
    Retry,
    Failed,
}

impl Wire {
    /// Room for 64 KiB of ciphertext or more, to be followed by [`Wire::filled`].
    pub(crate) fn input_room(&mut self) -> &mut [MaybeUninit<u8>] {
        self.input.room(INPUT_SIZE)
    }

    /// Tells that the first `count` bytes of [`Wire::input_room`] were written.
    ///
    /// # Safety
    /// They must have been, with no other change of the wire in between.
    pub(crate) unsafe fn filled(&mut self, count: usize) {
        // SAFETY: passed on to the caller.
        unsafe { self.input.filled(count) }
    }

    /// Appends ciphertext that was received.
    pub(crate) fn feed(&mut self, bytes: &[u8]) {
        self.input.write(bytes);
    }

    /// Bytes of input that libssl has not read.
    pub(crate) fn unread(&self) -> usize {
        self.input.len()
    }

    /// Tells that no more input will come.
    pub(crate) fn end_input(&mut self) {
        self.ended = true;
    }

    pub(crate) fn input_ended(&self) -> bool {
        self.ended
    }

    /// Ciphertext to be sent.
    pub(crate) fn output(&self) -> &[u8] {
        self.output.bytes()
    }

    /// Whether output has to be sent before more is made.
    pub(crate) fn output_full(&self) -> bool {
        self.output.len() >= OUTPUT_LIMIT
    }

    /// Tells that the first `count` bytes of [`Wire::output`] were sent.
    pub(crate) fn sent(&mut self, count: usize) {
        self.output.consume(count);
    }

    /// Drops what is made from now on: `close_notify` is the last that a peer is told.
    pub(crate) fn end_output(&mut self) {
        self.silent = true;
    }

    /// Gives back the memory of buffers that are empty.
    pub(crate) fn release(&mut self) {
        self.input.release();
        self.output.release();
    }

    /// Makes everything fail from now on.
    pub(crate) fn sever(&mut self) {
        *self = Self { severed: true, ..Self::default() };
    }

    /// From now on, input that the buffer does not have is received from a non-blocking socket, whenever
    /// [`Wire::input_ready`] says that it may have some.
    pub(crate) fn attach(&mut self, socket: OwnedFd) {
        self.socket = Some(socket);
        self.drained = true;
        self.input.retire();
    }

    /// Whether the socket has nothing to receive before [`Wire::input_ready`] says so.
    pub(crate) fn is_drained(&self) -> bool {
        self.drained
    }

    /// Tells that the socket may have input, or its end.
    pub(crate) fn input_ready(&mut self, ended: bool) {
        self.drained = false;
        self.hung_up |= ended;
    }

    pub(crate) fn socket(&self) -> Option<BorrowedFd<'_>> {
        self.socket.as_ref().map(AsFd::as_fd)
    }

    pub(crate) fn detach(&mut self) -> Option<OwnedFd> {
        self.socket.take()
    }

    pub(crate) fn take_socket_error(&mut self) -> Option<io::Error> {
        self.socket_error.take()
    }

    pub(super) fn set_alert(&mut self, alert: Alert) {
        self.alert = Some(alert);
    }

    pub(crate) fn alert(&self) -> Option<Alert> {
        self.alert
    }

    /// Sends output to the attached socket; `false` if it does not take all of it now.
    pub(crate) fn flush(&mut self) -> io::Result<bool> {
        while self.output.len() > 0 {
            let Some(socket) = &self.socket else { return Ok(false) };
            match send(socket, self.output.bytes()) {
                Ok(sent) => self.output.consume(sent),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(false),
                Err(error) => return Err(error),
            }
        }
        self.output.release();
        Ok(true)
    }

    pub(super) fn read(&mut self, target: &mut [MaybeUninit<u8>]) -> Transfer {
        if self.severed {
            return Transfer::Failed;
        }
        if self.input.len() > 0 {
            return Transfer::Bytes(self.input.read(target));
        }
        let Some(socket) = &self.socket else { return Transfer::Retry };
        if self.ended || self.drained {
            return Transfer::Retry;
        }
        match receive(socket, target) {
            Ok(0) => {
                self.ended = true;
                Transfer::Retry
            }
            Ok(count) => {
                // The end of the input comes with an event of its own, at the latest.
                self.drained = !self.hung_up && count < target.len() && count < INPUT_SIZE / 2;
                Transfer::Bytes(count)
            }
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                self.drained = true;
                Transfer::Retry
            }
            Err(error) => {
                self.socket_error = Some(error);
                Transfer::Failed
            }
        }
    }

    pub(super) fn write(&mut self, bytes: &[u8]) -> Transfer {
        if self.severed {
            return Transfer::Failed;
        }
        if self.silent {
            return Transfer::Bytes(bytes.len());
        }
        // Beyond the limit that writers ask for themselves there is room for what libssl answers by itself.
        if self.output.len() >= 2 * OUTPUT_LIMIT {
            return Transfer::Retry;
        }
        self.output.write(bytes);
        Transfer::Bytes(bytes.len())
    }
}

fn receive(socket: &OwnedFd, target: &mut [MaybeUninit<u8>]) -> io::Result<usize> {
    // SAFETY: the socket is open, and the memory may be written for its whole length.
    retry(|| unsafe { libc::recv(socket.as_raw_fd(), target.as_mut_ptr().cast(), target.len(), 0) })
}

fn send(socket: &OwnedFd, bytes: &[u8]) -> io::Result<usize> {
    #[cfg(target_os = "linux")]
    const FLAGS: libc::c_int = libc::MSG_NOSIGNAL;
    #[cfg(not(target_os = "linux"))]
    const FLAGS: libc::c_int = 0;
    // SAFETY: the socket is open, and the memory may be read for its whole length.
    retry(|| unsafe { libc::send(socket.as_raw_fd(), bytes.as_ptr().cast(), bytes.len(), FLAGS) })
}

fn retry(mut call: impl FnMut() -> isize) -> io::Result<usize> {
    loop {
        let result = call();
        if let Ok(count) = usize::try_from(result) {
            return Ok(count);
        }
        let error = io::Error::last_os_error();
        if error.kind() != io::ErrorKind::Interrupted {
            return Err(error);
        }
    }
}
