//! How a paused job learns that its request is done.

use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use libssl_async_sys::thin::AsyncStatus;
use openssl::ssl::SslRef;
use tokio::time::{Sleep, sleep};

use super::delay::Delays;
#[cfg(unix)]
use super::descriptors::Descriptors;
use crate::completion::Signal;

/// What tells a connection that a request is done: the callback, and what there is beside it.
#[derive(Default)]
pub(super) struct Awaiting {
    #[cfg(unix)]
    descriptors: Descriptors,
    beside: Beside,
    /// Times in a row that a job was resumed to see whether its request is done.
    looks: u32,
    sleep: Option<Pin<Box<Sleep>>>,
}

/// What tells, beside the callback.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
enum Beside {
    #[default]
    Nothing,
    /// The first descriptor that can be read.
    Descriptors,
    /// As before, but they give the callback some time: a source that has said that it calls back does it, whatever else
    /// it does first, and its connection must not be gone by then (rules 12 and 32).
    DescriptorsLate,
    /// The end of that time.
    Late,
    /// The source itself, when it is asked again.
    Time(Duration),
}

/// How long a source that is to call back has for it once its descriptor can be read.
const LATE: Duration = Duration::from_secs(1);

/// How often a source is asked that tells in no way.
const LOOKS: Delays = Delays { first: Duration::from_millis(10), longest: Duration::from_millis(640) };

/// How often a descriptor is looked at that no runtime watches.
const UNWATCHED: Duration = Duration::from_millis(10);

impl Awaiting {
    /// Decides, after each pause, what is waited for (rules 10 and 23).
    pub(super) fn pause(&mut self, ssl: &SslRef, signal: &Signal, status: Option<AsyncStatus>) {
        self.sleep = None;
        #[cfg(unix)]
        self.descriptors.follow(ssl);
        let calls_back = signal.was_called_back() || status != Some(AsyncStatus::Unsupported);
        self.beside = match status {
            Some(AsyncStatus::Unsupported) if self.has_descriptors() => Beside::Descriptors,
            _ if self.has_descriptors() => Beside::DescriptorsLate,
            _ if calls_back => Beside::Nothing,
            _ => Beside::Time(LOOKS.after(self.looks)),
        };
        let looks = matches!(self.beside, Beside::Time(_));
        self.looks = if looks { self.looks + 1 } else { 0 };
    }

    /// The operation of the job has ended.
    pub(super) fn end(&mut self) {
        self.looks = 0;
    }

    /// Waits for the permit, and stores it if it is not the callback that tells.
    pub(super) fn poll(&mut self, signal: &Signal, context: &mut Context<'_>) -> Poll<()> {
        if signal.poll_completed(context).is_ready() {
            return Poll::Ready(());
        }
        if self.beside == Beside::DescriptorsLate {
            ready!(self.poll_descriptors(context));
            self.beside = Beside::Late;
        }
        let counted = match self.beside {
            Beside::Nothing => return Poll::Pending,
            Beside::Time(delay) => {
                ready!(self.poll_sleep(delay, context));
                &signal.counters().looks
            }
            Beside::Descriptors => {
                ready!(self.poll_descriptors(context));
                &signal.counters().descriptors
            }
            Beside::DescriptorsLate | Beside::Late => {
                ready!(self.poll_sleep(LATE, context));
                &signal.counters().descriptors
            }
        };
        counted.add(1);
        self.sleep = None;
        signal.store_permit();
        Poll::Ready(())
    }

    /// Lets go of the descriptors: nobody waits any more.
    pub(super) fn stop(&mut self) {
        #[cfg(unix)]
        self.descriptors.clear();
    }

    #[cfg(unix)]
    fn has_descriptors(&self) -> bool {
        !self.descriptors.is_empty()
    }

    #[cfg(unix)]
    fn poll_descriptors(&mut self, context: &mut Context<'_>) -> Poll<()> {
        while self.descriptors.poll_readable(context).is_pending() {
            if !self.descriptors.any_unwatched() {
                return Poll::Pending;
            }
            ready!(self.poll_sleep(UNWATCHED, context));
            self.sleep = None;
        }
        self.sleep = None;
        Poll::Ready(())
    }

    #[cfg(not(unix))]
    fn has_descriptors(&self) -> bool {
        false
    }

    #[cfg(not(unix))]
    fn poll_descriptors(&mut self, _: &mut Context<'_>) -> Poll<()> {
        Poll::Pending
    }

    fn poll_sleep(&mut self, delay: Duration, context: &mut Context<'_>) -> Poll<()> {
        self.sleep.get_or_insert_with(|| Box::pin(sleep(delay))).as_mut().poll(context)
    }
}
