//! At most so many requests at once; the rest wait, first come, first served.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use super::call::Call;
use crate::sync::{Mutex, lock};

pub(super) struct Queue {
    /// `None` for no limit: then the state is not used.
    limit: Option<usize>,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    running: usize,
    waiting: VecDeque<Arc<Call>>,
    /// Someone starts calls: whoever else adds one or makes room leaves it to them.
    starting: bool,
}

impl Queue {
    pub(super) fn new(limit: Option<usize>) -> Self {
        Self { limit, state: Mutex::default() }
    }

    /// Starts `call`, now or when its turn comes.
    pub(super) fn submit(&self, call: &Arc<Call>) {
        let Some(limit) = self.limit else { return call.start() };
        lock(&self.state).waiting.push_back(Arc::clone(call));
        self.start(limit);
    }

    /// Gives the room of `call`, which is complete, to the next; if it was waiting, it leaves the queue.
    pub(super) fn finished(&self, call: &Call) {
        let Some(limit) = self.limit else { return };
        let left = {
            let mut state = lock(&self.state);
            if call.started.load(Ordering::Relaxed) {
                state.running -= 1;
                None
            } else {
                let place = state.waiting.iter().position(|other| std::ptr::eq(&**other, call));
                place.and_then(|place| state.waiting.remove(place))
            }
        };
        // Outside the lock, as its request is dropped with it.
        drop(left);
        self.start(limit);
    }

    fn start(&self, limit: usize) {
        let mut state = lock(&self.state);
        // A call that ends as soon as it is started comes here again, from inside the loop.
        if std::mem::replace(&mut state.starting, true) {
            return;
        }
        while state.running < limit
            && let Some(call) = state.waiting.pop_front()
        {
            if !call.is_pending() {
                // It was cancelled while it came here; whoever did that finds it not started.
                continue;
            }
            state.running += 1;
            call.started.store(true, Ordering::Relaxed);
            drop(state);
            call.start();
            state = lock(&self.state);
        }
        state.starting = false;
    }
}

#[cfg(all(test, not(model)))]
mod tests {
    use std::sync::{Arc, Mutex};

    use openssl::pkey::PKey;

    use super::super::backend::Backend;
    use super::super::call::{Answer, Expected};
    use super::super::public::PublicKey;
    use super::super::request::{Request, SignRequest};
    use super::super::{Cancellation, KeyError, KeyHandler, KeyMeter, SignatureFormat, SignatureScheme};
    use super::*;
    use crate::completion::Request as _;

    /// Keeps the answers for later, with the messages.
    #[derive(Clone, Default)]
    struct Kept(Arc<Mutex<Vec<(u8, Answer)>>>);

    impl KeyHandler for Kept {
        fn sign(&self, request: SignRequest, answer: Answer) {
            self.0.lock().unwrap().push((request.message[0], answer));
        }
    }

    impl Kept {
        fn started(&self) -> Vec<u8> {
            self.0.lock().unwrap().iter().map(|(message, _)| *message).collect()
        }

        fn answer(&self, message: u8) {
            let mut kept = self.0.lock().unwrap();
            let place = kept.iter().position(|(other, _)| *other == message).unwrap();
            let (_, answer) = kept.remove(place);
            drop(kept);
            assert!(answer.complete(Ok(vec![message; 64])));
        }
    }

    /// A key with `limit`, and a call for each message.
    fn calls<const N: usize>(handler: impl KeyHandler, limit: usize) -> (Arc<Backend>, [Arc<Call>; N]) {
        let public = PublicKey::new(&PKey::generate_ed25519().unwrap()).unwrap();
        let key = Arc::new(Backend {
            public,
            handler: Box::new(handler),
            queue: Queue::new(Some(limit)),
            deadlines: None,
            meter: KeyMeter::new(),
            runtime: None,
            schemes: vec![SignatureScheme::Ed25519],
            narrowed: false,
            format: SignatureFormat::Der,
            verify: false,
        });
        let calls = std::array::from_fn(|message| {
            let cancellation = Cancellation::new();
            let scheme = SignatureScheme::Ed25519;
            let expected = Expected::Signature { scheme, message: None };
            let message = vec![message as u8];
            let request =
                SignRequest { scheme, digest: None, message, connection: None, cancellation: cancellation.clone() };
            Call::new(&key, None, expected, cancellation, Request::Sign(request))
        });
        (key, calls)
    }

    #[test]
    fn calls_start_in_their_order_and_not_too_many() {
        let kept = Kept::default();
        let (key, calls) = calls::<5>(kept.clone(), 2);
        calls.iter().for_each(|call| key.queue.submit(call));
        assert_eq!(kept.started(), [0, 1]);
        kept.answer(1);
        assert_eq!(kept.started(), [0, 2]);
        kept.answer(0);
        assert_eq!(kept.started(), [2, 3]);
        (2..5).for_each(|message| kept.answer(message));
        assert_eq!(calls[0].operation.wait().unwrap(), [0; 64]);
    }

    #[test]
    fn a_cancelled_call_leaves_the_queue_and_a_started_one_gives_its_room() {
        let kept = Kept::default();
        let (key, calls) = calls::<4>(kept.clone(), 1);
        // Cancelled before it comes into the queue.
        calls[0].cancel();
        calls.iter().for_each(|call| key.queue.submit(call));
        assert_eq!(kept.started(), [1]);
        calls[2].cancel();
        calls[1].cancel();
        assert_eq!(kept.started(), [1, 3]);
        let (_, late) = kept.0.lock().unwrap().remove(0);
        assert!(!late.complete(Ok(vec![1; 64])));
        kept.answer(3);
        for cancelled in &calls[..3] {
            assert!(matches!(cancelled.operation.wait(), Err(KeyError::Cancelled)));
        }
        assert_eq!(lock(&key.queue.state).running, 0);
    }

    #[test]
    fn a_handler_that_ends_each_call_at_once_needs_no_stack_for_them() {
        struct Losing;
        impl KeyHandler for Losing {
            fn sign(&self, _: SignRequest, _: Answer) {}
        }
        let (key, calls) = calls::<10_000>(Losing, 1);
        // Nothing starts while someone else is at it.
        lock(&key.queue.state).starting = true;
        calls.iter().for_each(|call| key.queue.submit(call));
        lock(&key.queue.state).starting = false;
        key.queue.start(1);
        assert!(calls.iter().all(|call| matches!(call.operation.wait(), Err(KeyError::Dropped))));
        assert_eq!(lock(&key.queue.state).running, 0);
    }
}
