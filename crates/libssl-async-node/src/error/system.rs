//! Errors of the operating system.

use std::io::{self, ErrorKind};
use std::net::SocketAddr;
use std::path::Path;

use super::NativeError;

impl NativeError {
    /// The error of a system call; JavaScript, which knows the names of the numbers, fills in code and message.
    pub(crate) fn system(error: &io::Error) -> Self {
        match error.raw_os_error() {
            Some(errno) => Self { errno: Some(-errno), ..Self::new("", error.to_string()) },
            None => Self::new(code(error.kind()), error.to_string()),
        }
    }

    /// Names the system call, if it is one that failed.
    pub(crate) fn of_call(self, call: &str) -> Self {
        Self { syscall: self.errno.map(|_| call.to_owned()), ..self }
    }

    /// Names the file.
    pub(crate) fn at_path(self, path: &Path) -> Self {
        Self { address: Some(path.display().to_string()), ..self }
    }

    pub(super) fn at(self, address: SocketAddr) -> Self {
        Self { address: Some(address.ip().to_string()), port: Some(address.port()), ..self }
    }

    /// The error of a connection of which every attempt failed, as Node tells it: one is an error of its own.
    pub(super) fn attempts(attempts: &[(SocketAddr, io::Error)]) -> Self {
        let attempt = |(address, error): &(SocketAddr, io::Error)| Self::system(error).of_call("connect").at(*address);
        match attempts {
            [only] => attempt(only),
            _ => Self { errors: Some(attempts.iter().map(attempt).collect()), ..Self::default() },
        }
    }
}

/// The code of an error that the standard library or tokio made.
fn code(kind: ErrorKind) -> &'static str {
    match kind {
        ErrorKind::AddrInUse => "EADDRINUSE",
        ErrorKind::BrokenPipe => "EPIPE",
        ErrorKind::ConnectionAborted => "ECONNABORTED",
        ErrorKind::ConnectionRefused => "ECONNREFUSED",
        ErrorKind::ConnectionReset => "ECONNRESET",
        ErrorKind::NotConnected => "ENOTCONN",
        ErrorKind::TimedOut => "ETIMEDOUT",
        _ => "ERR_LIBSSL_ASYNC_IO",
    }
}
