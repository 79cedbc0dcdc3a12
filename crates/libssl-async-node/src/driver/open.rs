//! An open connection whose record I/O runs on the JavaScript thread.

use std::mem::MaybeUninit;
use std::slice;

use libssl_async::Error;
use libssl_async::connection::{Connection, Step, Want};

/// A connection that receives from its socket and sends to it whenever it is asked to, and never waits.
pub(crate) struct Open {
    connection: Connection,
    /// The peer has ended its direction, so that the end of the input is there to be read.
    ended: bool,
    /// Plain bytes that were taken and wait for room, and how many of them are encrypted.
    waiting: Vec<u8>,
    /// What a read has found behind the bytes that it returned.
    failure: Option<Error>,
    /// `close_notify` has been made.
    shut_down: bool,
    /// Somebody waits for input.
    pub(super) wants_input: bool,
    /// Somebody waits for all output to be sent.
    pub(super) wants_sent: bool,
}

/// How far an operation came.
pub(crate) enum Progress<T> {
    Done(T),
    /// To be called again when the driver says so.
    Wait,
}

impl Open {
    pub(crate) fn new(connection: Connection) -> Self {
        Self { connection, ended: false, waiting: Vec::new(), failure: None, shut_down: false, wants_input: false, wants_sent: false }
    }

    pub(crate) fn connection(&self) -> &Connection {
        &self.connection
    }

    /// Fills `target` as far as there is input; 0 at the end.
    pub(crate) fn read(&mut self, target: &mut [u8]) -> Result<Progress<usize>, Error> {
        // SAFETY: initialised memory may be seen as memory that need not be; only initialised bytes are written there.
        let target: &mut [MaybeUninit<u8>] =
            unsafe { slice::from_raw_parts_mut(target.as_mut_ptr().cast(), target.len()) };
        let mut filled = 0;
        if let Some(failure) = self.failure.take() {
            return Err(failure);
        }
        if self.ended {
            self.connection.input_ready();
        }
        while filled < target.len() && !(filled > 0 && self.connection.is_drained()) {
            match self.connection.read(&mut target[filled..]) {
                Ok(Step::Done(0)) if filled > 0 => break,
                Ok(Step::Done(0)) => return Ok(Progress::Done(0)),
                Ok(Step::Done(count)) => filled += count,
                Ok(Step::Wait(want)) => {
                    // Answers of libssl's own, to a key update for instance.
                    self.connection.flush().map_err(Error::from)?;
                    if want == Want::Output && filled == 0 {
                        self.wants_sent = true;
                    }
                    break;
                }
                Err(error) if filled == 0 => return Err(error),
                // What came before the failure is good; the next read tells it.
                Err(error) => {
                    self.failure = Some(error);
                    break;
                }
            }
        }
        self.wants_input = filled == 0;
        Ok(if filled > 0 { Progress::Done(filled) } else { Progress::Wait })
    }

    /// Encrypts and sends as much as the socket takes, and keeps a copy of the rest.
    pub(crate) fn write(&mut self, bytes: &[u8]) -> Result<Progress<()>, Error> {
        if !self.waiting.is_empty() {
            self.waiting.extend_from_slice(bytes);
            return Ok(Progress::Wait);
        }
        let taken = self.push(bytes)?;
        self.waiting.extend_from_slice(&bytes[taken..]);
        self.settle()
    }

    /// Goes on with what waits to be sent.
    pub(crate) fn send(&mut self) -> Result<Progress<()>, Error> {
        if let Some(failure) = self.failure.take() {
            return Err(failure);
        }
        let waiting = std::mem::take(&mut self.waiting);
        let taken = self.push(&waiting)?;
        if taken < waiting.len() {
            self.waiting = waiting;
            self.waiting.drain(..taken);
        }
        self.settle()
    }

    /// Sends `close_notify` behind all that was written.
    pub(crate) fn shutdown(&mut self) -> Result<Progress<()>, Error> {
        if let Progress::Wait = self.send()? {
            return Ok(Progress::Wait);
        }
        if !self.shut_down {
            self.shut_down = true;
            let _peer_too = self.connection.shutdown()?;
            self.flush()?;
        }
        self.settle()
    }

    /// Goes on sending for somebody who waits. Returns whether the wait is over, whatever its result.
    pub(super) fn output_ready(&mut self) -> bool {
        match self.send() {
            Ok(Progress::Done(())) => true,
            Ok(Progress::Wait) => false,
            Err(error) => {
                self.failure = Some(error);
                true
            }
        }
    }

    pub(super) fn input_ready(&mut self, ended: bool) {
        self.ended |= ended;
        self.connection.input_ready();
    }

    /// Bytes that were written and not sent.
    pub(crate) fn unsent(&mut self) -> usize {
        self.waiting.len() + self.connection.output().len()
    }

    /// Encrypts and sends until the socket takes no more; returns how many bytes were encrypted.
    fn push(&mut self, bytes: &[u8]) -> Result<usize, Error> {
        let mut taken = 0;
        loop {
            if taken < bytes.len()
                && let Step::Done(count) = self.connection.write(&bytes[taken..])?
            {
                taken += count;
            }
            if !self.flush()? || taken == bytes.len() {
                return Ok(taken);
            }
        }
    }

    fn flush(&mut self) -> Result<bool, Error> {
        self.connection.flush().map_err(Error::from)
    }

    fn settle(&mut self) -> Result<Progress<()>, Error> {
        self.wants_sent = !self.waiting.is_empty() || !self.connection.output().is_empty();
        Ok(if self.wants_sent { Progress::Wait } else { Progress::Done(()) })
    }
}

