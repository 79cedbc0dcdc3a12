//! The handle that JavaScript has of a connection.

use std::rc::Rc;

use libssl_async::Error;
use napi::bindgen_prelude::{Reference, Uint8ArraySlice};
use napi_derive::napi;
use tokio_util::sync::CancellationToken;

use super::{Entry, Handshake, Side, State, terms};
use crate::context::{NativeClientOptions, NativeContext, NativeServerSide};
use crate::driver::Progress;
use crate::environment::Environment;
use crate::error::NativeError;
use crate::server::NativeServer;

/// A connection. Its operations never wait: they return a number below 0 instead, and the environment tells when to call
/// again.
#[napi]
#[derive(Clone)]
pub struct NativeConnection {
    environment: Rc<Environment>,
    entry: Rc<Entry>,
}

/// A flag of what a read returns.
const DRAINED: i32 = 1 << 30;
/// The operation has to wait.
const WAIT: i32 = -1;
/// The operation has failed; [`NativeConnection::take_failure`] says why.
const FAILED: i32 = -2;

/// What a handshake needs beside its context.
#[napi(object)]
pub struct NativeHandshakeOptions {
    pub client: Option<NativeClientOptions>,
    /// What a server's connection has of its own; by default what its server has.
    pub side: Option<NativeServerSide>,
    /// Milliseconds, 0 for no limit; servers have their own.
    pub timeout: u32,
    /// Whether the asynchronous callback is wanted as events, even if the context has none.
    pub tells: bool,
    /// Whether secrets are wanted as events.
    pub secrets: bool,
    /// Whether record I/O stays on a worker.
    pub remote: bool,
}

#[napi]
impl NativeConnection {
    /// The number by which events know the connection.
    #[napi(getter)]
    pub fn id(&self) -> u32 {
        self.entry.id
    }

    /// Reads into `target`, which is not empty; returns the number of bytes, 0 at the end, or a number below 0.
    ///
    /// [`DRAINED`] is added to a number of bytes behind which there is nothing before the environment tells so.
    #[napi]
    pub fn read(&self, mut target: Uint8ArraySlice<'_>) -> i32 {
        // SAFETY: no JavaScript runs during this call, so nobody else sees the memory.
        let target = unsafe { target.as_mut() };
        let room = target.len().min(DRAINED as usize - 1);
        let count = self.entry.read(&mut target[..room]);
        self.tell("read", count, |count| if self.entry.tells_input() { count as i32 | DRAINED } else { count as i32 })
    }

    /// Takes all of `bytes`. Returns 0 if they are sent, or a number below 0.
    #[napi]
    pub fn write(&self, bytes: &[u8]) -> i32 {
        self.tell("write", self.entry.write(bytes), |()| 0)
    }

    /// Goes on with what was written. Returns as [`NativeConnection::write`] does.
    #[napi]
    pub fn send(&self) -> i32 {
        self.tell("write", self.entry.send(), |()| 0)
    }

    /// Sends `close_notify` behind what was written. Returns as [`NativeConnection::write`] does.
    #[napi]
    pub fn shutdown(&self) -> i32 {
        self.tell("write", self.entry.shutdown(), |()| 0)
    }

    /// Closes the connection at once, whatever it does.
    #[napi]
    pub fn destroy(&self) {
        self.entry.close();
    }

    /// Bytes that were written and not sent.
    #[napi(getter)]
    pub fn unsent(&self) -> u32 {
        self.entry.unsent().try_into().unwrap_or(u32::MAX)
    }

    /// Why the last operation failed.
    #[napi]
    pub fn take_failure(&self) -> Option<NativeError> {
        let (error, call) = self.entry.take_failure()?;
        Some(NativeError::from(&error).of_call(call))
    }

    /// Begins the handshake of a connection that a server handed out before it, or that was connected without one.
    ///
    /// Returns `false` if the connection is not in that state.
    #[napi]
    pub fn handshake(
        &self,
        context: Reference<NativeContext>,
        options: NativeHandshakeOptions,
        server: Option<&NativeServer>,
    ) -> bool {
        let cancelled = CancellationToken::new();
        let busy = State::Busy(cancelled.clone().drop_guard());
        let Some((socket, family)) = self.entry.take_idle(busy) else { return false };
        let handshake = Handshake {
            connection: self.entry.id,
            server: server.map(NativeServer::id),
            known: true,
            context: context.handle(),
            side: side(options.client, options.side, server),
            terms: server.map_or_else(|| terms(options.timeout), NativeServer::terms),
            tells: options.tells,
            secrets: options.secrets || server.is_some_and(|server| server.side().secrets),
            remote: options.remote,
            queue: self.environment.queue.clone(),
        };
        handshake.start(socket, self.entry.addresses.get(), family, cancelled);
        true
    }

    pub(super) fn entry(&self) -> &Entry {
        &self.entry
    }

    pub(crate) fn of(environment: &Rc<Environment>, entry: Rc<Entry>) -> Self {
        Self { environment: Rc::clone(environment), entry }
    }

    fn tell<T>(&self, call: &'static str, result: Result<Progress<T>, Error>, done: impl FnOnce(T) -> i32) -> i32 {
        match result {
            Ok(Progress::Done(value)) => done(value),
            Ok(Progress::Wait) => WAIT,
            Err(error) => {
                self.entry.fail(error, call);
                FAILED
            }
        }
    }
}

fn side(client: Option<NativeClientOptions>, own: Option<NativeServerSide>, server: Option<&NativeServer>) -> Side {
    match client {
        Some(client) => Side::Client(client.into()),
        None => Side::Server(own.map(Into::into).or_else(|| server.map(NativeServer::side)).unwrap_or_default()),
    }
}
