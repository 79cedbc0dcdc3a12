//! Requests that take too long.

use std::collections::VecDeque;
use std::sync::{Arc, Weak};
use std::time::Duration;

use tokio::runtime::Handle;
use tokio::time::{Instant, sleep_until};

use super::KeyError;
use super::call::Call;
use crate::sync::{Mutex, lock};

/// Fails the requests of a key that are older than its timeout, whatever its signer's runtime does.
pub(super) struct Deadlines {
    timeout: Duration,
    runtime: Handle,
    state: Arc<Mutex<State>>,
}

#[derive(Default)]
struct State {
    /// Oldest first: one timeout for all keeps them in order.
    calls: VecDeque<(Instant, Weak<Call>)>,
    /// A task waits for the first deadline.
    watched: bool,
}

impl Deadlines {
    /// `runtime` keeps the time.
    pub(super) fn new(timeout: Duration, runtime: Handle) -> Self {
        Self { timeout, runtime, state: Arc::default() }
    }

    pub(super) fn add(&self, call: &Arc<Call>) {
        let Some(deadline) = Instant::now().checked_add(self.timeout) else { return };
        let mut state = lock(&self.state);
        while state.calls.front().is_some_and(|(_, call)| call.strong_count() == 0) {
            state.calls.pop_front();
        }
        state.calls.push_back((deadline, Arc::downgrade(call)));
        if !std::mem::replace(&mut state.watched, true) {
            drop(state);
            self.runtime.spawn(watch(Arc::clone(&self.state)));
        }
    }
}

/// Runs until no call is left.
async fn watch(state: Arc<Mutex<State>>) {
    while let Some(deadline) = expire(&state) {
        sleep_until(deadline).await;
    }
}

/// Aborts what is too old, and tells when to look again.
fn expire(state: &Mutex<State>) -> Option<Instant> {
    let now = Instant::now();
    // Dropped outside the lock: what hangs on a call is the user's.
    let mut seen = Vec::new();
    let next = {
        let mut state = lock(state);
        let next = loop {
            let Some((deadline, call)) = state.calls.front() else { break None };
            let call = call.upgrade();
            if call.as_ref().is_some_and(|call| call.is_pending()) && *deadline > now {
                let deadline = *deadline;
                seen.extend(call);
                break Some(deadline);
            }
            seen.extend(call);
            state.calls.pop_front();
        };
        state.watched = next.is_some();
        next
    };
    for call in seen.iter().take(seen.len() - usize::from(next.is_some())) {
        call.abort(KeyError::TimedOut);
    }
    next
}
