//! An open connection whose record I/O runs on the JavaScript thread.

use std::mem::MaybeUninit;
use std::os::fd::BorrowedFd;
use std::slice;

use libssl_async::Error;
use libssl_async::connection::{Connection, Step, Want};

/// A connection that receives from its socket and sends to it whenever it is asked to, and never waits.
pub(crate) struct Open {
    connection: Connection,
    /// Plain bytes that were taken and wait for room, and how many of them are encrypted.
    waiting: Vec<u8>,
    /// What a read has found behind the bytes that it returned, for the next read.
    read_failure: Option<Error>,
    /// What stopped the sending while nobody called, for the next operation that sends.
    send_failure: Option<Error>,
    /// `close_notify` has been made.
    shut_down: bool,
    /// Writes wait for the rest of a message of the peer's.
    pub(super) writes_want_input: bool,
    /// Somebody waits for input, or knows that there is no more.
    wants_input: bool,
    /// Reading goes on when libssl has sent something of its own, the answer to a key update for instance.
    pub(super) answers: bool,
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
        Self {
            connection,
            waiting: Vec::new(),
            read_failure: None,
            send_failure: None,
            shut_down: false,
            writes_want_input: false,
            wants_input: false,
            answers: false,
            wants_sent: false,
        }
    }

    pub(crate) fn connection(&self) -> &Connection {
        &self.connection
    }

    pub(crate) fn socket(&mut self) -> Option<BorrowedFd<'_>> {
        self.connection.socket()
    }

    /// Fills `target` as far as there is input; 0 at the end.
    pub(crate) fn read(&mut self, target: &mut [u8]) -> Result<Progress<usize>, Error> {
        // SAFETY: initialised memory may be seen as memory that need not be; only initialised bytes are written there.
        let target: &mut [MaybeUninit<u8>] =
            unsafe { slice::from_raw_parts_mut(target.as_mut_ptr().cast(), target.len()) };
        let mut filled = 0;
        if let Some(failure) = self.read_failure.take() {
            return Err(failure);
        }
        self.answers = false;
        self.wants_input = false;
        // The next read has an end or a failure to tell, of which no event will.
        let mut ends = false;
        while filled < target.len() && !(filled > 0 && self.connection.is_drained()) {
            match self.read_once(&mut target[filled..]) {
                Ok(Step::Done(0)) if filled > 0 => {
                    ends = true;
                    break;
                }
                Ok(Step::Done(0)) => return Ok(Progress::Done(0)),
                Ok(Step::Done(count)) => filled += count,
                Ok(Step::Wait(want)) => {
                    if want == Want::Output && filled == 0 {
                        self.answers = true;
                        self.wants_sent = true;
                    }
                    break;
                }
                Err(error) if filled == 0 => return Err(error),
                // Told again by the next read, and no concern of writes.
                Err(Error::Truncated) => {
                    ends = true;
                    break;
                }
                // What came before the failure is good; the next read tells it.
                Err(error) => {
                    self.read_failure = Some(error);
                    ends = true;
                    break;
                }
            }
        }
        self.wants_input = filled == 0 || (!ends && self.connection.is_drained());
        Ok(if filled > 0 { Progress::Done(filled) } else { Progress::Wait })
    }

    /// Reads once, and sends what libssl answers by itself.
    fn read_once(&mut self, target: &mut [MaybeUninit<u8>]) -> Result<Step<usize>, Error> {
        loop {
            let step = self.connection.read(target)?;
            let Step::Wait(want) = step else { return Ok(step) };
            let is_sent = self.flush()?;
            if want != Want::Output || !is_sent {
                return Ok(step);
            }
        }
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
        if let Some(failure) = self.send_failure.take() {
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
                self.send_failure = Some(error);
                true
            }
        }
    }

    /// Sends what libssl has made by itself.
    pub(super) fn send_answers(&mut self) {
        if let Err(error) = self.flush() {
            self.send_failure = Some(error);
        }
    }

    /// Notes that there may be input. Returns whether somebody has to be told.
    pub(super) fn input_ready(&mut self, ended: bool) -> bool {
        self.connection.input_ready(ended);
        std::mem::take(&mut self.wants_input)
    }

    /// Has the next input told.
    pub(super) fn want_input(&mut self) {
        self.wants_input = true;
    }

    /// Whether the driver will tell when there is more to read.
    pub(crate) fn tells_input(&self) -> bool {
        self.wants_input
    }

    /// Bytes that were written and not sent.
    pub(crate) fn unsent(&mut self) -> usize {
        self.waiting.len() + self.connection.output().len()
    }

    /// Encrypts and sends until the socket takes no more; returns how many bytes were encrypted.
    fn push(&mut self, bytes: &[u8]) -> Result<usize, Error> {
        let mut taken = 0;
        loop {
            let step = self.connection.write(&bytes[taken..])?;
            if let Step::Done(count) = step {
                taken += count;
            }
            // In the midst of a message of the peer's, libssl writes nothing before the rest of it is there.
            self.writes_want_input = step == Step::Wait(Want::Input);
            if !self.flush()? || self.writes_want_input || taken == bytes.len() {
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
