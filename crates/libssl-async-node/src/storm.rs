//! Storms of handshakes, and the memory that they leave behind.

use std::future::Future;
use std::pin::pin;
use std::time::Duration;

use tokio::time::timeout;

use crate::workers::workers;

/// Gives the memory back that a storm of handshakes has needed, when it is over.
///
/// A handshake takes more than twice the memory of the connection that it makes, and glibc keeps what was freed between
/// what is in use.
#[derive(Default)]
pub(crate) struct Storm {
    connections: u32,
}

/// So many connections make a storm,
const STORM: u32 = 256;
/// and so long a time without any ends it, once fewer than that are shaking hands.
const LULL: Duration = Duration::from_millis(100);

impl Storm {
    /// Counts a connection that was accepted.
    pub(crate) fn count(&mut self) {
        self.connections = self.connections.saturating_add(1);
    }

    /// Waits for the next connection, and cleans up if a storm has ended meanwhile.
    pub(crate) async fn until<T>(&mut self, next: impl Future<Output = T>) -> T {
        let mut next = pin!(next);
        while self.connections >= STORM {
            if let Ok(next) = timeout(LULL, next.as_mut()).await {
                return next;
            }
            if workers().metrics().in_flight < u64::from(STORM) {
                self.connections = 0;
                give_back();
            }
        }
        next.await
    }
}

#[cfg(all(target_os = "linux", target_env = "gnu"))]
fn give_back() {
    // SAFETY: any thread may call it at any time.
    unsafe { libc::malloc_trim(0) };
}

/// Other allocators give back by themselves.
#[cfg(not(all(target_os = "linux", target_env = "gnu")))]
fn give_back() {}
