//! What an environment knows of one connection.

use std::cell::{Cell, RefCell};
use std::net::SocketAddr;
use std::os::fd::{AsFd, OwnedFd};
use std::sync::Arc;

use libssl_async::{AsyncStatus, Error};
use openssl::ssl::SslRef;
use socket2::SockRef;
use tokio_util::sync::DropGuard;

use super::{Moved, Route};
use crate::driver::remote::Remote;
use crate::driver::{Open, Progress};
use crate::environment::WeakEnvironment;
use crate::socket::Family;

/// One connection, from its first attempt to its end.
pub(crate) struct Entry {
    pub(crate) id: u32,
    environment: WeakEnvironment,
    state: RefCell<State>,
    /// Why the last operation failed, and the system call that it is made of, until JavaScript has taken it.
    failure: RefCell<Option<(Error, &'static str)>>,
    status: Cell<Option<AsyncStatus>>,
    /// Once it is established.
    route: RefCell<Option<Arc<Route>>>,
    pub(crate) addresses: Cell<Addresses>,
}

/// Both ends of a TCP connection.
#[derive(Clone, Copy, Default)]
pub(crate) struct Addresses {
    pub(crate) local: Option<SocketAddr>,
    pub(crate) remote: Option<SocketAddr>,
}

/// Where a connection stands.
pub(crate) enum State {
    /// It connects or shakes hands on a worker; dropping the guard ends that.
    Busy(#[expect(dead_code, reason = "dropped to cancel")] DropGuard),
    /// Connected, before the handshake.
    Idle {
        socket: OwnedFd,
        family: Family,
    },
    /// Established, driven by the event loop.
    Open(Box<Open>),
    /// Established, driven by a worker.
    Remote(Remote),
    Closed,
}

impl Entry {
    pub(crate) fn new(id: u32, environment: WeakEnvironment, state: State) -> Self {
        Self {
            id,
            environment,
            state: RefCell::new(state),
            failure: RefCell::default(),
            status: Cell::default(),
            route: RefCell::default(),
            addresses: Cell::default(),
        }
    }

    /// Replaces the state; a connection that JavaScript has destroyed stays closed, and drops the new one.
    pub(crate) fn advance(&self, next: State) -> bool {
        let mut state = self.state.borrow_mut();
        if matches!(*state, State::Closed) {
            drop(state);
            return false;
        }
        let _old = std::mem::replace(&mut *state, next);
        true
    }

    /// Takes the socket of a connection before its handshake.
    pub(crate) fn take_idle(&self, next: State) -> Option<(OwnedFd, Family)> {
        let mut state = self.state.borrow_mut();
        if !matches!(*state, State::Idle { .. }) {
            return None;
        }
        match std::mem::replace(&mut *state, next) {
            State::Idle { socket, family } => Some((socket, family)),
            _ => None,
        }
    }

    /// Takes an established connection from its environment.
    pub(super) fn leave(&self) -> Option<Moved> {
        let environment = self.environment.upgrade()?;
        if !matches!(*self.state.borrow(), State::Open(_) | State::Remote(_)) {
            return None;
        }
        let mut state = self.state.replace(State::Closed);
        if let State::Open(open) = &mut state {
            environment.forget(open);
        }
        environment.remove(self.id);
        Some(Moved {
            id: self.id,
            state,
            route: self.route.take(),
            addresses: self.addresses.get(),
            status: self.status.get(),
        })
    }

    /// Ends the connection, whatever it does.
    pub(crate) fn close(&self) {
        let old = self.state.replace(State::Closed);
        drop(old);
        if let Some(environment) = self.environment.upgrade() {
            environment.remove(self.id);
        }
    }

    pub(crate) fn with_open<T>(&self, action: impl FnOnce(&mut Open) -> T) -> Option<T> {
        match &mut *self.state.borrow_mut() {
            State::Open(open) => Some(action(open)),
            _ => None,
        }
    }

    /// Asks the SSL of an established connection.
    pub(crate) fn with_ssl<T>(&self, question: impl FnOnce(&SslRef) -> T) -> Option<T> {
        match &*self.state.borrow() {
            State::Open(open) => Some(question(open.connection().ssl())),
            State::Remote(remote) => Some(remote.with_ssl(question)),
            _ => None,
        }
    }

    /// Does something to the socket, unless a worker has it: while it connects or shakes hands.
    pub(crate) fn with_socket<T>(&self, action: impl FnOnce(SockRef<'_>) -> T) -> Option<T> {
        match &mut *self.state.borrow_mut() {
            State::Idle { socket, .. } => Some(action(SockRef::from(&*socket))),
            State::Open(open) => open.socket().map(|socket| action(SockRef::from(&socket))),
            State::Remote(remote) => Some(remote.with_socket(|socket| action(SockRef::from(&socket.as_fd())))),
            State::Busy(_) | State::Closed => None,
        }
    }

    pub(crate) fn read(&self, target: &mut [u8]) -> Result<Progress<usize>, Error> {
        match &mut *self.state.borrow_mut() {
            State::Open(open) => match self.environment.upgrade().as_ref().and_then(|here| here.event_loop()) {
                Some(event_loop) => event_loop.read(self.id, open, target),
                None => Err(Error::Closed),
            },
            State::Remote(remote) => remote.read(target),
            _ => Err(Error::Closed),
        }
    }

    /// Whether there is no more to read before the driver tells so.
    pub(crate) fn tells_input(&self) -> bool {
        matches!(&*self.state.borrow(), State::Open(open) if open.tells_input())
    }

    pub(crate) fn write(&self, bytes: &[u8]) -> Result<Progress<()>, Error> {
        match &mut *self.state.borrow_mut() {
            State::Open(open) => open.write(bytes),
            State::Remote(remote) => remote.write(bytes),
            _ => Err(Error::Closed),
        }
    }

    pub(crate) fn send(&self) -> Result<Progress<()>, Error> {
        match &mut *self.state.borrow_mut() {
            State::Open(open) => open.send(),
            State::Remote(remote) => remote.send(),
            _ => Err(Error::Closed),
        }
    }

    pub(crate) fn shutdown(&self) -> Result<Progress<()>, Error> {
        match &mut *self.state.borrow_mut() {
            State::Open(open) => open.shutdown(),
            State::Remote(remote) => remote.shutdown(),
            _ => Err(Error::Closed),
        }
    }

    pub(crate) fn unsent(&self) -> usize {
        match &mut *self.state.borrow_mut() {
            State::Open(open) => open.unsent(),
            State::Remote(remote) => remote.unsent(),
            _ => 0,
        }
    }

    pub(crate) fn fail(&self, error: Error, call: &'static str) {
        *self.failure.borrow_mut() = Some((error, call));
    }

    pub(crate) fn take_failure(&self) -> Option<(Error, &'static str)> {
        self.failure.borrow_mut().take()
    }

    pub(crate) fn status(&self) -> Option<AsyncStatus> {
        self.status.get()
    }

    pub(crate) fn set_route(&self, route: Option<Arc<Route>>) {
        self.route.replace(route);
    }

    pub(crate) fn set_status(&self, status: Option<AsyncStatus>) {
        self.status.set(status);
    }
}
