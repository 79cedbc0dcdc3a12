//! Results on their way to other threads.

use std::cell::{Cell, RefCell};
use std::time::{Duration, Instant};

/// Keeps results back for a moment, so that the thread they are for is woken once for several.
///
/// A wake-up costs both threads more than the rest of a hand-over, and a busy worker ends handshakes in quick
/// succession. An idle one gives its results out at once: before it waits.
#[derive(Default)]
pub(super) struct Outbox {
    deliveries: RefCell<Vec<Box<dyn FnOnce()>>>,
    /// When the first of them came.
    since: Cell<Option<Instant>>,
}

/// How long a result may wait for others while the worker is busy.
const PATIENCE: Duration = Duration::from_millis(1);

impl Outbox {
    /// Takes what is to be called to give a result out.
    pub(super) fn put(&self, delivery: impl FnOnce() + 'static) {
        self.deliveries.borrow_mut().push(Box::new(delivery));
        if self.since.get().is_none() {
            self.since.set(Some(Instant::now()));
        }
    }

    /// Gives everything out, if the first has waited long enough.
    pub(super) fn give_out_late(&self) {
        if self.since.get().is_some_and(|since| since.elapsed() >= PATIENCE) {
            self.give_out();
        }
    }

    /// Gives everything out.
    pub(super) fn give_out(&self) {
        self.since.set(None);
        for delivery in self.deliveries.take() {
            delivery();
        }
    }
}

#[cfg(test)]
mod tests {
    use std::rc::Rc;

    use super::*;

    #[test]
    fn results_wait_for_each_other_but_not_for_long() {
        let outbox = Outbox::default();
        let given = Rc::<Cell<u32>>::default();
        let put = || {
            let given = Rc::clone(&given);
            outbox.put(move || given.set(given.get() + 1));
        };
        put();
        outbox.since.set(Instant::now().checked_add(Duration::from_secs(60)));
        put();
        outbox.give_out_late();
        assert_eq!(given.get(), 0);
        outbox.since.set(Instant::now().checked_sub(PATIENCE));
        put();
        outbox.give_out_late();
        assert_eq!(given.get(), 3);
        put();
        outbox.give_out();
        outbox.give_out();
        assert_eq!(given.get(), 4);
    }
}
