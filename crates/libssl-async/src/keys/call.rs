//! One use of a remote key, from the request to the answer.

use std::mem;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Instant;

use zeroize::Zeroizing;

use super::backend::Backend;
use super::request::Request;
use super::{BoxError, Cancellation, KeyError, SignatureScheme};
use crate::completion;
use crate::source::{Notify, Operation, Source};
use crate::sync::{Mutex, lock};

/// What a use of a remote key ends with.
pub(super) type Outcome = Result<Vec<u8>, KeyError>;

/// One use of a remote key.
pub(super) struct Call {
    key: Arc<Backend>,
    pub(super) operation: Operation<Outcome>,
    expected: Expected,
    cancellation: Cancellation,
    begun: Instant,
    /// Until it is handed to the key's handler.
    request: Mutex<Option<Request>>,
    /// Whether it has left the key's queue; changed under the lock of the queue.
    pub(super) started: AtomicBool,
}

/// What the answer has to be.
pub(super) enum Expected {
    /// The raw result of RSA.
    Raw,
    /// A signature, of this message if it is to be verified.
    Signature { scheme: SignatureScheme, message: Option<Vec<u8>> },
}

impl Call {
    pub(super) fn new(
        key: &Arc<Backend>,
        notify: Option<Notify>,
        expected: Expected,
        cancellation: Cancellation,
        request: Request,
    ) -> Arc<Self> {
        key.meter.begun();
        Arc::new(Self {
            key: Arc::clone(key),
            operation: Operation::new(notify),
            expected,
            cancellation,
            begun: Instant::now(),
            request: Mutex::new(Some(request)),
            started: AtomicBool::new(false),
        })
    }

    /// Hands the request to the key's handler, unless it is cancelled.
    pub(super) fn start(self: &Arc<Self>) {
        let Some(request) = self.take_request() else { return };
        let answer = Answer { call: Arc::clone(self) };
        let handler = &self.key.handler;
        // A handler that panics drops the answer, which then tells the caller.
        let _ = catch_unwind(AssertUnwindSafe(|| match request {
            Request::Decrypt(request) => handler.decrypt_raw(request, answer),
            Request::Sign(request) => handler.sign(request, answer),
        }));
    }

    /// Completes the request as failed, and tells the signer; does nothing if it is complete.
    pub(super) fn abort(&self, error: KeyError) {
        if self.finish(Err(error)) {
            self.cancellation.cancel();
            self.take_request();
        }
    }

    fn take_request(&self) -> Option<Request> {
        lock(&self.request).take().inspect(|_| self.key.meter.left_queue())
    }

    pub(super) fn is_pending(&self) -> bool {
        self.operation.is_pending()
    }

    fn finish(&self, outcome: Outcome) -> bool {
        let count = |outcome: &Outcome| self.key.meter.ended(outcome, self.begun.elapsed());
        match self.operation.complete_counted(outcome, count) {
            Ok(()) => {
                self.key.queue.finished(self);
                true
            }
            Err(late) => {
                // It may be the secret of a decryption.
                drop(late.map(Zeroizing::new));
                false
            }
        }
    }
}

impl Source for Call {
    type Outcome = Outcome;

    fn operation(&self) -> &Operation<Outcome> {
        &self.operation
    }

    fn panicked(&self) {
        self.abort(KeyError::Panicked);
    }
}

impl completion::Request for Call {
    fn cancel(&self) {
        self.abort(KeyError::Cancelled);
    }
}

/// The place for the answer to a request. Dropped without one, the request fails with [`KeyError::Dropped`].
pub struct Answer {
    call: Arc<Call>,
}

impl Answer {
    /// Answers, from any thread. Returns whether the answer came in time: it is dropped after a cancellation.
    ///
    /// A signature is checked here, on this thread: its length, for ECDSA its encoding, and what the key's builder
    /// was asked to check. Then the completion callback of the connection runs, the user's part of it included.
    pub fn complete(self, result: Result<Vec<u8>, BoxError>) -> bool {
        // The result of a decryption is a secret, whether it comes in time or not.
        let result = result.map(Zeroizing::new);
        if !self.call.is_pending() {
            return false;
        }
        let answer = result.map_err(KeyError::from).map(|mut answer| mem::take(&mut *answer));
        let outcome = answer.and_then(|answer| match &self.call.expected {
            Expected::Raw => self.call.key.public.check_raw(answer),
            Expected::Signature { scheme, message } => self.call.key.check(answer, *scheme, message.as_deref()),
        });
        self.call.finish(outcome)
    }
}

impl Drop for Answer {
    fn drop(&mut self) {
        self.call.finish(Err(KeyError::Dropped));
    }
}

impl std::fmt::Debug for Answer {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Answer").field("pending", &self.call.is_pending()).finish_non_exhaustive()
    }
}
