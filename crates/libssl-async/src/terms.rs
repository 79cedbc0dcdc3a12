//! What handshakes have to keep to, and what became of them.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;

use crate::completion::Callback;
use crate::metrics::Counter;
use crate::worker::{Admission, Shutdown};

/// What handshakes have to keep to that are run by [`Workers::handshake`](crate::Workers::handshake); acceptors and
/// connectors have terms of their own. Clones have the limits in common.
#[derive(Clone, Default)]
pub struct Terms {
    pub(crate) callback: Option<Callback>,
    pub(crate) timeout: Option<Duration>,
    pub(crate) admission: Option<Arc<Admission>>,
    pub(crate) tally: Arc<Tally>,
}

impl Terms {
    /// Gives each handshake from now on so much time, the wait for its turn included; then it fails with
    /// [`Error::HandshakeTimeout`](crate::Error::HandshakeTimeout). No limit by default.
    pub fn set_timeout(&mut self, timeout: Duration) {
        self.timeout = Some(timeout);
    }

    /// Runs at most `running` of the handshakes that begin from now on at once, and keeps `waiting` more, which are let
    /// in as they came. Beyond that they fail with [`Error::TooManyHandshakes`](crate::Error::TooManyHandshakes), and
    /// are counted as [`refused`](crate::Metrics::refused). No limits by default, but those of the pool; at least one
    /// runs.
    pub fn set_max_handshakes(&mut self, running: usize, waiting: usize) {
        self.admission = Some(Arc::new(Admission::new(running, waiting)));
    }

    /// Waits until none of the handshakes with these terms runs, and no job that one of them has left behind, and says
    /// what became of those jobs.
    ///
    /// The drain waits at most [`drain_timeout`](crate::WorkersBuilder::drain_timeout) for third-party sources; requests
    /// to remote keys are cancelled at once.
    pub async fn ended(&self) -> Shutdown {
        let mut left = self.tally.left.subscribe();
        // It cannot fail: the sender is here.
        let _ended = left.wait_for(|left| *left == 0).await;
        Shutdown { drained: self.tally.drained.get(), leaked: self.tally.leaked.get() }
    }
}

/// The handshakes of some terms.
#[derive(Default)]
pub(crate) struct Tally {
    /// Handshakes that run, and jobs that are in the drain.
    left: watch::Sender<usize>,
    drained: Counter,
    leaked: Counter,
}

impl Tally {
    /// Counts a handshake, or a job that was given up.
    pub(crate) fn begin(&self) {
        self.left.send_modify(|left| *left += 1);
    }

    /// Counts the end of a handshake.
    pub(crate) fn end(&self) {
        self.left.send_modify(|left| *left -= 1);
    }

    /// Counts the end of a job that was given up.
    pub(crate) fn drained(&self) {
        self.drained.add(1);
        self.end();
    }

    /// Counts a job that was given up and never ends.
    pub(crate) fn leaked(&self) {
        self.leaked.add(1);
        self.end();
    }
}

impl fmt::Debug for Terms {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Terms").field("timeout", &self.timeout).finish_non_exhaustive()
    }
}
