//! Connections over sockets that come from elsewhere.

use std::io;
use std::os::fd::{AsFd, BorrowedFd, IntoRawFd, OwnedFd};
use std::os::unix::net::UnixStream;

use napi::Env;
use napi_derive::napi;
use socket2::{Domain, SockRef};

use super::{Addresses, NativeConnection, State};
use crate::environment::{NativeEnvironment, next_id};
use crate::error::NativeError;
use crate::socket::Family;

/// A connection whose ciphertext somebody else moves.
#[napi]
pub struct NativePipe {
    connection: NativeConnection,
    end: Option<OwnedFd>,
}

#[napi]
impl NativeEnvironment {
    /// A connection over a duplicate of a connected socket, whose owner does not use it any more.
    #[napi]
    pub fn adopt(&self, env: &Env, descriptor: i32) -> napi::Result<NativeConnection> {
        let adopted = adopt(descriptor).map_err(|error| NativeError::system(&error).throw(env))?;
        let (socket, family) = adopted;
        let addresses = Addresses::of(&socket, family);
        let entry = self.inner().add(next_id(), State::Idle { socket, family });
        entry.addresses.set(addresses);
        Ok(NativeConnection::of(self.inner(), entry))
    }

    /// A connection over one end of a pair of sockets.
    #[napi]
    pub fn pipe(&self, env: &Env) -> napi::Result<NativePipe> {
        let pair = pair().map_err(|error| NativeError::system(&error).throw(env))?;
        let entry = self.inner().add(next_id(), State::Idle { socket: pair.0, family: Family::Unix });
        Ok(NativePipe { connection: NativeConnection::of(self.inner(), entry), end: Some(pair.1) })
    }
}

#[napi]
impl NativePipe {
    #[napi(getter)]
    pub fn connection(&self) -> NativeConnection {
        self.connection.clone()
    }

    /// The other end of the pair, which belongs to the caller from then on; -1 if it was taken before.
    #[napi]
    pub fn take_end(&mut self) -> i32 {
        self.end.take().map_or(-1, OwnedFd::into_raw_fd)
    }
}

fn adopt(descriptor: i32) -> io::Result<(OwnedFd, Family)> {
    if descriptor < 0 {
        return Err(io::Error::from_raw_os_error(libc::EBADF));
    }
    // SAFETY: borrowed for the duplication only, which fails if it is not open.
    let socket = unsafe { BorrowedFd::borrow_raw(descriptor) }.try_clone_to_owned()?;
    let reference = SockRef::from(&socket);
    reference.set_nonblocking(true)?;
    let family = if reference.local_addr()?.domain() == Domain::UNIX { Family::Unix } else { Family::Tcp };
    Ok((socket, family))
}

fn pair() -> io::Result<(OwnedFd, OwnedFd)> {
    let (ours, theirs) = UnixStream::pair()?;
    for end in [&ours, &theirs] {
        SockRef::from(&end.as_fd()).set_nonblocking(true)?;
    }
    Ok((ours.into(), theirs.into()))
}
