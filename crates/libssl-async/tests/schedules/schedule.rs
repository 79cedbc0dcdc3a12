//! What is to disturb a connection, as bytes.

use std::future::{Future, poll_fn};
use std::pin::pin;
use std::task::Poll;

/// Decisions, one a byte. After the last byte nothing is disturbed any more, which is what 0 means everywhere, so
/// everything ends.
#[derive(Clone, Debug)]
pub(crate) struct Schedule {
    bytes: Vec<u8>,
    next: usize,
}

impl Schedule {
    /// Deals the bytes out to those who decide independently of each other.
    pub(crate) fn deal<const N: usize>(bytes: &[u8]) -> [Self; N] {
        std::array::from_fn(|lane| Self { bytes: bytes.iter().skip(lane).step_by(N).copied().collect(), next: 0 })
    }

    /// Deals half of what is left to someone else.
    pub(crate) fn fork(&mut self) -> Self {
        let [mine, other] = Self::deal(self.rest());
        *self = mine;
        other
    }

    pub(crate) fn draw(&mut self) -> usize {
        self.next += 1;
        self.bytes.get(self.next - 1).copied().unwrap_or(0).into()
    }

    /// What is left, as it is.
    pub(crate) fn rest(&self) -> &[u8] {
        &self.bytes[self.next.min(self.bytes.len())..]
    }

    pub(crate) fn is_over(&self) -> bool {
        self.next >= self.bytes.len()
    }

    /// A number of bytes, from 0 to 65,025, with the small ones more likely.
    pub(crate) fn size(&mut self) -> usize {
        let byte = self.draw();
        byte * byte
    }

    /// Waits for a future, or drops it after a few polls: `None`.
    pub(crate) async fn disturb<T>(&mut self, future: impl Future<Output = T>) -> Option<T> {
        match self.draw() {
            byte @ 1..=64 => polled(future, byte % 4 + 1).await,
            _ => Some(future.await),
        }
    }
}

/// Waits for a future, or drops it after so many polls: `None`.
pub(crate) async fn polled<T>(future: impl Future<Output = T>, mut polls: usize) -> Option<T> {
    let mut future = pin!(future);
    poll_fn(|context| match future.as_mut().poll(context) {
        Poll::Ready(output) => Poll::Ready(Some(output)),
        Poll::Pending => {
            polls -= 1;
            if polls == 0 { Poll::Ready(None) } else { Poll::Pending }
        }
    })
    .await
}
