//! Options of a connection's socket.

use std::time::Duration;

use napi_derive::napi;
use socket2::TcpKeepalive;

use super::NativeConnection;

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

    /// The peer is told of the end by a reset. Corresponds to `SO_LINGER`.
    #[napi]
    pub fn reset_on_close(&self) -> bool {
        self.entry().with_socket(|socket| drop(socket.set_linger(Some(Duration::ZERO)))).is_some()
    }
}
