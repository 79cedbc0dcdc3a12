//! Options of a connection's socket.

use std::time::Duration;

use napi_derive::napi;
use socket2::{Domain, SockRef, TcpKeepalive};

use super::NativeConnection;
use crate::error::NativeError;

/// Each returns `false` where it has to be said again after the handshake: a worker has the socket until then. What the
/// system refuses, of a Unix socket for instance, is left as it is.
#[napi]
impl NativeConnection {
    /// Corresponds to `TCP_NODELAY`.
    #[napi]
    pub fn set_no_delay(&self, no_delay: bool) -> bool {
        self.entry().with_socket(|socket| drop(socket.set_tcp_nodelay(no_delay))).is_some()
    }

    /// The system probes a silent peer, first after so many milliseconds; 0 for the system's. Corresponds to `SO_KEEPALIVE`.
    #[napi]
    pub fn set_keep_alive(&self, keep_alive: bool, delay: u32) -> bool {
        let set = self.entry().with_socket(|socket| {
            let first = Duration::from_millis(delay.into());
            match socket.set_keepalive(keep_alive) {
                Ok(()) if keep_alive && first.as_secs() > 0 => {
                    socket.set_tcp_keepalive(&TcpKeepalive::new().with_time(first))
                }
                set => set,
            }
        });
        set.is_some()
    }

    /// Marks what is sent, with a byte; returns what failed. Corresponds to `IP_TOS` and `IPV6_TCLASS`.
    #[napi]
    pub fn set_type_of_service(&self, marks: u32) -> Option<NativeError> {
        let set = self.entry().with_socket(|socket| match is_v6(&socket) {
            true => socket.set_tclass_v6(marks),
            false => socket.set_tos_v4(marks),
        });
        set?.err().map(|error| NativeError::system(&error).of_call("setsockopt"))
    }

    /// What marks what is sent; nothing where a worker has the socket, or it is not of TCP.
    #[napi(getter)]
    pub fn type_of_service(&self) -> Option<u32> {
        let marks = |socket: SockRef<'_>| if is_v6(&socket) { socket.tclass_v6() } else { socket.tos_v4() };
        self.entry().with_socket(marks)?.ok()
    }

    /// The peer is told of the end by a reset. Corresponds to `SO_LINGER`.
    #[napi]
    pub fn reset_on_close(&self) -> bool {
        self.entry().with_socket(|socket| drop(socket.set_linger(Some(Duration::ZERO)))).is_some()
    }
}

fn is_v6(socket: &SockRef<'_>) -> bool {
    socket.local_addr().is_ok_and(|address| address.domain() == Domain::IPV6)
}
