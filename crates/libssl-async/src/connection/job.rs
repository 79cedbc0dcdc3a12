//! A connection whose SSL calls run inside jobs.

use std::fmt;
use std::mem::{ManuallyDrop, MaybeUninit};
use std::os::raw::c_int;
use std::rc::Rc;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use foreign_types::{ForeignType, ForeignTypeRef};
use libssl_async_sys as sys;
use libssl_async_sys::thin::AsyncStatus;
use openssl::ssl::{Ssl, SslRef};
use openssl_sys as ffi;

use super::awaiting::Awaiting;
use super::buffer::Buffer;
use super::delay::Delays;
use super::session::{Outcome, Session};
use super::wire::Wire;
use super::{Connection, Step, Want};
use crate::completion::Signal;
use crate::error::Error;
use crate::job::{self, Waiting};
use crate::trace::event;
use crate::worker::Local;

/// A connection in asynchronous mode: its calls may pause, and so it belongs to the worker thread that made it.
///
/// Dropped while its job is paused, it goes to the worker's drain, where the job ends (rule 11).
pub struct JobConnection {
    job: ManuallyDrop<Box<Job>>,
}

/// How long a connection is to stay in asynchronous mode.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Stay {
    /// Until the handshake is done.
    Handshake,
    /// For ever.
    Pinned,
}

/// The most that one call reads or writes, in bytes: one record.
const RECORD: usize = 16 * 1024;

/// How long to wait before a request that found the source busy is submitted again (rule 8).
const RETRIES: Delays = Delays { first: Duration::from_millis(1), longest: Duration::from_millis(64) };

impl JobConnection {
    /// Takes an SSL that is set to its side (`set_accept_state` or `set_connect_state`) and has made no call yet.
    ///
    /// Unless it stays, it will leave asynchronous mode after the handshake, and then nothing may ask for the key any
    /// more: renegotiation and post-handshake authentication are off (rule 34). Corresponds to `SSL_set_mode` with
    /// `SSL_MODE_ASYNC`.
    pub(crate) fn new(ssl: Ssl, signal: Arc<Signal>, local: &Rc<Local>, stay: Stay) -> Result<Self, Error> {
        // SAFETY: the SSL is valid and has no job.
        unsafe {
            sys::SSL_set_mode(ssl.as_ptr(), sys::SSL_MODE_ASYNC);
            if stay == Stay::Handshake {
                sys::SSL_set_options(ssl.as_ptr(), ffi::SSL_OP_NO_RENEGOTIATION);
                sys::SSL_set_post_handshake_auth(ssl.as_ptr(), 0);
            }
        }
        Ok(Self::over(Session::new(ssl, signal)?, local))
    }

    /// Takes a connection whose handshake is done, where jobs cannot pause: its calls begin and end as others do.
    pub(crate) fn without_jobs(connection: Connection, local: &Rc<Local>) -> Self {
        Self::over(connection.into_session(), local)
    }

    fn over(session: Session, local: &Rc<Local>) -> Self {
        let job = Job {
            awaiting: Awaiting::default(),
            session,
            local: Rc::clone(local),
            paused: None,
            retries: 0,
            waiting: Waiting::default(),
            decrypted: Buffer::default(),
            read_buffer: Vec::new(),
            write_buffer: Vec::new(),
            closed: false,
            shut_down: false,
        };
        Self { job: ManuallyDrop::new(Box::new(job)) }
    }

    /// Goes on with the handshake.
    ///
    /// Corresponds to `SSL_do_handshake`.
    pub fn handshake(&mut self) -> Result<Step<()>, Error> {
        self.job.advance(Operation::Handshake)
    }

    /// Reads decrypted bytes into `target`; `Done(0)` is the end that the peer told with `close_notify`.
    ///
    /// The job decrypts into memory of the connection, so `target` is free again when this returns (rule 3).
    /// Corresponds to `SSL_read_ex`.
    pub fn read(&mut self, target: &mut [MaybeUninit<u8>]) -> Result<Step<usize>, Error> {
        let job = &mut **self.job;
        while job.decrypted.len() == 0 && !job.closed {
            if let Step::Wait(want) = job.advance(Operation::Read)? {
                return Ok(Step::Wait(want));
            }
        }
        let count = job.decrypted.read(target);
        job.decrypted.release();
        Ok(Step::Done(count))
    }

    /// Takes bytes to be encrypted, at most 16 KiB, and tells how many; [`JobConnection::finish`] waits for their end.
    ///
    /// They are copied first, so `bytes` is free again when this returns (rule 3). Corresponds to `SSL_write_ex`.
    pub fn write(&mut self, bytes: &[u8]) -> Result<Step<usize>, Error> {
        if let Step::Wait(want) = self.finish()? {
            return Ok(Step::Wait(want));
        }
        if self.wire().output_full() {
            return Ok(Step::Wait(Want::Output));
        }
        let bytes = &bytes[..bytes.len().min(RECORD)];
        self.job.write_buffer.extend_from_slice(bytes);
        let _ = self.finish()?;
        Ok(Step::Done(bytes.len()))
    }

    /// Ends the operation that is paused, and the encryption of all bytes taken so far.
    pub fn finish(&mut self) -> Result<Step<()>, Error> {
        while !self.job.write_buffer.is_empty() {
            if let Step::Wait(want) = self.job.advance(Operation::Write)? {
                return Ok(Step::Wait(want));
            }
        }
        match self.job.settle()? {
            Step::Wait(want) if self.job.is_paused() => Ok(Step::Wait(want)),
            _ => Ok(Step::Done(())),
        }
    }

    /// Sends `close_notify`, once, after all bytes taken so far. `Done(true)` if the peer's has come too.
    ///
    /// Corresponds to `SSL_shutdown`, which is called only when no job is paused (rule 14).
    pub fn shutdown(&mut self) -> Result<Step<bool>, Error> {
        if let Step::Wait(want) = self.finish()? {
            return Ok(Step::Wait(want));
        }
        if !self.job.shut_down
            && let Step::Wait(want) = self.job.advance(Operation::Shutdown)?
        {
            return Ok(Step::Wait(want));
        }
        Ok(Step::Done(self.job.closed))
    }

    /// Leaves asynchronous mode; fails if a job is paused. What was decrypted and not read is lost: read it first.
    ///
    /// Corresponds to `SSL_clear_mode`.
    pub fn into_connection(self) -> Result<Connection, Self> {
        if self.job.paused.is_some() {
            return Err(self);
        }
        let mut this = ManuallyDrop::new(self);
        // SAFETY: `this` is not used again, and its `drop` does not run.
        let job = unsafe { ManuallyDrop::take(&mut this.job) };
        // SAFETY: the SSL is valid and no job of it is paused.
        unsafe { sys::SSL_clear_mode(job.session.ssl().as_ptr(), sys::SSL_MODE_ASYNC) };
        Ok(Connection::new(job.session))
    }

    /// The SSL, to be asked about the connection.
    pub fn ssl(&self) -> &SslRef {
        self.job.session.ssl()
    }

    /// Cancels the request that the job is paused for, if it is one of our own sources'; tells whether it is.
    pub fn cancel_request(&self) -> bool {
        self.job.session.signal().cancel_request()
    }

    /// Waits for what [`Want::Completion`] asks for.
    pub fn poll_completed(&mut self, context: &mut Context<'_>) -> Poll<()> {
        self.job.poll_completed(context)
    }

    /// Waits for what [`Want::Job`] asks for.
    pub fn poll_job(&mut self, context: &mut Context<'_>) -> Poll<()> {
        let Job { waiting, local, .. } = &mut **self.job;
        waiting.poll(&local.jobs, context)
    }

    pub(crate) fn wire(&mut self) -> &mut Wire {
        self.job.session.wire()
    }

    pub(crate) fn signal(&self) -> &Arc<Signal> {
        self.job.session.signal()
    }
}

impl Drop for JobConnection {
    fn drop(&mut self) {
        if !self.job.local.process.is_current() {
            // It stays allocated: a forked child must not touch what it inherits (rule 27).
            return;
        }
        // SAFETY: the field is not used again.
        let mut job = unsafe { ManuallyDrop::take(&mut self.job) };
        job.waiting.leave(&job.local.jobs);
        if job.paused.is_some() {
            let local = Rc::clone(&job.local);
            local.drain.take(*job);
        }
    }
}

impl fmt::Debug for JobConnection {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let paused = self.job.paused.as_ref().map(|paused| paused.operation);
        formatter.debug_struct("JobConnection").field("id", &self.signal().id()).field("paused", &paused).finish()
    }
}

/// The connection itself: what stays alive until its job has ended.
pub(crate) struct Job {
    /// Before `session`: descriptors are let go of before the SSL is freed (rule 23).
    awaiting: Awaiting,
    session: Session,
    local: Rc<Local>,
    paused: Option<Paused>,
    /// Times in a row that the source was busy.
    retries: u32,
    waiting: Waiting,
    /// What a read has brought and nobody has taken.
    decrypted: Buffer,
    /// Where the fibre decrypts to (rule 3).
    read_buffer: Vec<u8>,
    /// What the fibre encrypts (rule 3).
    write_buffer: Vec<u8>,
    /// The peer has sent `close_notify`.
    closed: bool,
    /// `close_notify` has been sent.
    shut_down: bool,
}

/// Whether an SSL call starts an operation or resumes the job of one.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Call {
    Start,
    Resume,
}

/// The SSL calls that may pause.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Operation {
    Handshake,
    Read,
    Write,
    Shutdown,
}

struct Paused {
    operation: Operation,
    since: Instant,
    until: Until,
}

/// What a paused job waits for.
#[derive(Clone, Copy)]
enum Until {
    /// The permit (rule 7).
    Completed,
    /// A time: the source was busy (rule 8).
    Time(Instant),
    /// Nothing: the source failed, and the call is to fail in its turn (rule 9).
    Now,
}

impl Job {
    /// Ends the operation that is paused, if it is another one (rule 2), and then does one step of `operation`.
    fn advance(&mut self, operation: Operation) -> Result<Step<()>, Error> {
        if self.paused.as_ref().is_some_and(|paused| paused.operation != operation)
            && let Step::Wait(want) = self.settle()?
        {
            // A job that has ended and left its operation waiting for the peer holds up nobody else's.
            if self.paused.is_some() {
                return Ok(Step::Wait(want));
            }
        }
        self.step(operation)
    }

    /// Ends the operation that is paused.
    pub(crate) fn settle(&mut self) -> Result<Step<()>, Error> {
        match self.paused.as_ref().map(|paused| paused.operation) {
            Some(operation) => self.step(operation),
            None => Ok(Step::Done(())),
        }
    }

    /// Makes the SSL call of `operation`: a first time, or again if its job may go on.
    fn step(&mut self, operation: Operation) -> Result<Step<()>, Error> {
        self.local.process.check()?;
        let call = match self.take_turn() {
            Ok(call) => call,
            Err(want) => return Ok(Step::Wait(want)),
        };
        let mut count = 0;
        let outcome = {
            let Self { session, read_buffer, write_buffer, .. } = self;
            if operation == Operation::Read && call == Call::Start {
                read_buffer.reserve_exact(RECORD);
            }
            let signal = Arc::clone(session.signal());
            job::drive(&signal, || {
                session.call(|ssl| {
                    // SAFETY: the SSL is valid, the thread is the one that started the job (rule 1: this type is not
                    // `Send`), the call is the one that paused (rule 2), and the buffers do not move or change until
                    // it has ended (rule 3); `count` is used only on success (rule 4).
                    unsafe { call_ssl(operation, ssl, read_buffer, write_buffer, &mut count) }
                })
            })
        };
        self.note_status();
        match outcome {
            Ok(Outcome::Paused) => return self.pause(operation),
            Ok(Outcome::NoJob) => {
                if !self.local.jobs.any_paused() {
                    return Err(Error::JobsExhausted);
                }
                self.session.signal().counters().job_waits.add(1);
                return Ok(Step::Wait(Want::Job));
            }
            _ => {}
        }
        self.retries = 0;
        self.awaiting.end();
        self.local.jobs.job_ended();
        match outcome? {
            Outcome::Done => self.succeed(operation, count),
            Outcome::Closed => self.closed = true,
            Outcome::WantInput => return Ok(Step::Wait(Want::Input)),
            Outcome::WantOutput => return Ok(Step::Wait(Want::Output)),
            Outcome::Paused | Outcome::NoJob => unreachable!("handled above"),
        }
        Ok(Step::Done(()))
    }

    /// Decides whether the call may be made now: a paused job only goes on for its reason, a new one in its turn.
    fn take_turn(&mut self) -> Result<Call, Want> {
        let signal = self.session.signal();
        let Some(paused) = &self.paused else {
            // With no job paused there is no request, and so no completion: what is stored is left over.
            signal.take_permit();
            return if self.waiting.take_turn(&self.local.jobs) { Ok(Call::Start) } else { Err(Want::Job) };
        };
        match paused.until {
            Until::Completed if !signal.take_permit() => return Err(Want::Completion),
            Until::Time(time) => {
                let left = time.saturating_duration_since(Instant::now());
                if !left.is_zero() {
                    return Err(Want::Retry(left));
                }
                // A source may have called back to tell that it was busy: that permit is used up by this retry.
                signal.take_permit();
                signal.counters().again_retries.add(1);
            }
            Until::Now => {
                signal.take_permit();
            }
            Until::Completed => {}
        }
        signal.count_resume(paused.since);
        event!(trace, connection = signal.id().get(), "resumed");
        self.local.jobs.resume();
        self.paused = None;
        Ok(Call::Resume)
    }

    /// Decides what a job that has just paused waits for.
    fn pause(&mut self, operation: Operation) -> Result<Step<()>, Error> {
        let signal = self.session.signal();
        signal.counters().pauses.add(1);
        signal.counters().paused.add(1);
        self.local.jobs.pause();
        event!(trace, connection = signal.id().get(), "paused");
        let now = Instant::now();
        let status = signal.status();
        signal.counters().paused_with(status);
        self.awaiting.pause(self.session.ssl(), signal, status);
        let (until, result) = match status {
            Some(AsyncStatus::Again) => {
                let delay = RETRIES.after(self.retries);
                (Until::Time(now + delay), Ok(Step::Wait(Want::Retry(delay))))
            }
            // The call is resumed once, to fail; if it pauses again, only a completion may resume it (rules 7 and 9).
            Some(AsyncStatus::Error) if self.retries == 0 => (Until::Now, Ok(Step::Wait(Want::Retry(Duration::ZERO)))),
            Some(AsyncStatus::Error) => (Until::Completed, Err(Error::Source)),
            _ => (Until::Completed, Ok(Step::Wait(Want::Completion))),
        };
        self.retries = if matches!(until, Until::Completed) { 0 } else { self.retries + 1 };
        self.paused = Some(Paused { operation, since: now, until });
        result
    }

    /// Keeps what `SSL_get_async_status` says for those who ask from other threads.
    fn note_status(&mut self) {
        // SAFETY: the call has returned, and a source that completes meanwhile does not change the status.
        let status = unsafe { sys::thin::get_async_status(self.session.ssl()) };
        self.session.signal().set_status(status);
    }

    fn succeed(&mut self, operation: Operation, count: usize) {
        match operation {
            Operation::Handshake => {}
            Operation::Read => {
                // SAFETY: libssl wrote `count` bytes there.
                unsafe { self.read_buffer.set_len(count) };
                self.decrypted.write(&self.read_buffer);
                self.read_buffer = Vec::new();
            }
            Operation::Write => {
                self.write_buffer.drain(..count);
            }
            // Here, as a read may have ended the call that paused: a second one would read, and lose what it reads.
            Operation::Shutdown => {
                self.shut_down = true;
                self.session.wire().end_output();
                self.closed |= count == 1;
            }
        }
    }

    /// Stops counting on the end of the job: it is left paused for ever (rule 13).
    pub(crate) fn give_up(&mut self) {
        self.awaiting.stop();
        self.local.jobs.resume();
    }

    /// Waits for what [`Want::Completion`] asks for.
    pub(crate) fn poll_completed(&mut self, context: &mut Context<'_>) -> Poll<()> {
        self.awaiting.poll(self.session.signal(), context)
    }

    pub(crate) fn is_paused(&self) -> bool {
        self.paused.is_some()
    }

    pub(crate) fn signal(&self) -> &Arc<Signal> {
        self.session.signal()
    }

    /// Lets all I/O of the job fail, and cancels its request if it is our own: it was given up.
    pub(crate) fn abandon(&mut self) {
        self.session.wire().sever();
        self.session.signal().set_callback(None);
        self.session.signal().cancel_request();
    }
}

/// # Safety
/// `ssl` is valid; `read_buffer` has room for [`RECORD`] bytes, which stay valid, like those of `write_buffer`, until
/// the operation has ended.
unsafe fn call_ssl(
    operation: Operation,
    ssl: *mut ffi::SSL,
    read_buffer: &mut Vec<u8>,
    write_buffer: &[u8],
    count: &mut usize,
) -> c_int {
    // SAFETY: the caller's.
    unsafe {
        match operation {
            Operation::Handshake => ffi::SSL_do_handshake(ssl),
            Operation::Read => ffi::SSL_read_ex(ssl, read_buffer.as_mut_ptr().cast(), RECORD, count),
            Operation::Write => ffi::SSL_write_ex(ssl, write_buffer.as_ptr().cast(), write_buffer.len(), count),
            Operation::Shutdown => {
                let result = ffi::SSL_shutdown(ssl);
                *count = usize::from(result == 1);
                // 0 says that the peer's `close_notify` is missing, which is no failure.
                if result == 0 { 1 } else { result }
            }
        }
    }
}
