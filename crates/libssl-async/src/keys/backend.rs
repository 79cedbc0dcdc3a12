//! The private half of a remote key.

use std::ffi::{c_int, c_void};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::ptr;
use std::sync::Arc;

use libssl_async_sys as sys;
use openssl::error::ErrorStack;
use openssl::hash::hash;
use tokio::runtime::Handle;

use super::blocking;
use super::call::{Call, Expected};
use super::deadlines::Deadlines;
use super::operation::{Notify, Outcome};
use super::public::PublicKey;
use super::queue::Queue;
use super::request::{DecryptRequest, Digest, Request, SignRequest};
use super::scheme::Padding;
use super::{Cancellation, DigestAlgorithm, KeyError, KeyHandler, SignatureFormat, SignatureScheme};
use crate::completion::{ConnectionId, Signal};
use crate::job;

/// What a private key of our provider stands for.
pub(super) struct Backend {
    pub(super) public: PublicKey,
    pub(super) handler: Box<dyn KeyHandler>,
    pub(super) queue: Queue,
    pub(super) deadlines: Option<Deadlines>,
    /// Where the handler's answers come from, if that is a runtime.
    pub(super) runtime: Option<Handle>,
    /// What the signer can do.
    pub(super) schemes: Vec<SignatureScheme>,
    /// Whether that is less than what keys of this type can do.
    pub(super) narrowed: bool,
    pub(super) format: SignatureFormat,
    pub(super) verify: bool,
}

impl Backend {
    /// The scheme that signs `digest` with `padding`, if the signer has it.
    pub(super) fn scheme(&self, digest: Option<DigestAlgorithm>, padding: Padding) -> Option<SignatureScheme> {
        let fits = |scheme: &SignatureScheme| {
            scheme.digest() == digest && scheme.padding().is_none_or(|of_scheme| of_scheme == padding)
        };
        self.schemes.iter().copied().find(fits)
    }

    /// Signs `message`. Pauses the job of a connection of ours, blocks the thread anywhere else.
    pub(super) fn sign(self: &Arc<Self>, scheme: SignatureScheme, message: &[u8]) -> Result<Outcome, ErrorStack> {
        let digest = match scheme.digest() {
            Some(algorithm) => Some(Digest { algorithm, bytes: hash(algorithm.message_digest(), message)?.to_vec() }),
            None => None,
        };
        let expected = Expected::Signature { scheme, message: self.verify.then(|| message.to_vec()) };
        Ok(self.perform(expected, |connection, cancellation| {
            Request::Sign(SignRequest { scheme, digest, message: message.to_vec(), connection, cancellation })
        }))
    }

    /// Raises `ciphertext` to the power of the private exponent. Pauses or blocks as [`Backend::sign`] does.
    pub(super) fn decrypt_raw(self: &Arc<Self>, ciphertext: Vec<u8>) -> Outcome {
        self.perform(Expected::Raw, |connection, cancellation| {
            Request::Decrypt(DecryptRequest { ciphertext, connection, cancellation })
        })
    }

    /// Checks an answer to a request to sign; `message` is there if the signature is to be verified.
    pub(super) fn check(&self, answer: Vec<u8>, scheme: SignatureScheme, message: Option<&[u8]>) -> Outcome {
        let signature = self.public.check_signature(self.format, answer)?;
        match message {
            Some(message) if !self.public.verifies(scheme, &signature, message) => Err(KeyError::InvalidSignature),
            _ => Ok(signature),
        }
    }

    fn perform(
        self: &Arc<Self>,
        expected: Expected,
        request: impl FnOnce(Option<ConnectionId>, Cancellation) -> Request,
    ) -> Outcome {
        let cancellation = Cancellation::new();
        let signal = job::driver();
        let blocked = job::blocked().filter(|_| signal.is_none());
        let connection = signal.as_ref().or(blocked.as_ref()).map(|signal| signal.id());
        let request = request(connection, cancellation.clone());
        let call = |notify| Call::new(self, notify, expected, cancellation, request);
        match signal {
            Some(signal) => self.pause(&signal, call),
            // In a job that we do not drive, nobody would keep the rules: it is never paused (rule 36).
            None => blocking::block(self.runtime.as_ref(), || {
                let call = call(None);
                if let Some(signal) = &blocked {
                    signal.begin_request(Arc::clone(&call) as _);
                }
                self.submit(&call);
                let outcome = call.operation.wait();
                if let Some(signal) = &blocked {
                    signal.end_request();
                    return outcome.inspect_err(|error| signal.set_failure(error.clone()));
                }
                outcome
            })?,
        }
    }

    /// Pauses the job that the connection of `signal` drives, until the call is answered.
    fn pause(self: &Arc<Self>, signal: &Signal, call: impl FnOnce(Option<Notify>) -> Arc<Call>) -> Outcome {
        let call = call(Some(submit_status().ok_or(KeyError::WouldBlock)?));
        signal.begin_request(Arc::clone(&call) as _);
        // Whatever happens, this function does not end before the call, which knows the connection's callback.
        if catch_unwind(AssertUnwindSafe(|| self.submit(&call))).is_err() {
            call.abort(KeyError::Panicked);
        }
        let (outcome, paused) = call.operation.wait_in_job(pause_job);
        signal.end_request();
        if !paused {
            signal.take_permit();
        }
        outcome.inspect_err(|error| signal.set_failure(error.clone()))
    }

    fn submit(&self, call: &Arc<Call>) {
        self.queue.submit(call);
        if let Some(deadlines) = &self.deadlines {
            deadlines.add(call);
        }
    }
}

/// Sets the status of the current job's wait context, as a source does that takes a request, and tells its callback.
fn submit_status() -> Option<Notify> {
    let mut callback = None;
    let mut argument: *mut c_void = ptr::null_mut();
    // SAFETY: there is a current job, as its driver was found, and it has a wait context. The callback reads the
    // status, so the status comes first.
    unsafe {
        let context = sys::ASYNC_get_wait_ctx(sys::ASYNC_get_current_job());
        if sys::ASYNC_WAIT_CTX_get_callback(context, &mut callback, &mut argument) != 1 {
            return None;
        }
        sys::ASYNC_WAIT_CTX_set_status(context, sys::ASYNC_STATUS_OK);
    }
    let callback: unsafe extern "C" fn(*mut c_void) -> c_int = callback?;
    // SAFETY: the callback is libssl's, whose argument, the SSL, lives while the job is not over, and so until the wait
    // on its fibre has returned (rules 11 and 12). It may be called from any thread (rule 6).
    Some(unsafe { Notify::new(callback, argument) })
}

/// Pauses the current job. Returns whether it did, and not at once because pausing is blocked (rule 33).
fn pause_job() -> bool {
    let before = job::resumes();
    // SAFETY: called on a fibre that our connection drives, so that only a completion resumes it, on this thread
    // (rules 1, 7 and 36).
    unsafe { sys::ASYNC_pause_job() };
    job::resumes() != before
}
