//! The private half of a remote key.

use std::sync::Arc;

use openssl::error::ErrorStack;
use openssl::hash::hash;
use tokio::runtime::Handle;

use super::call::{Call, Expected, Outcome};
use super::deadlines::Deadlines;
use super::public::PublicKey;
use super::queue::Queue;
use super::request::{DecryptRequest, Digest, Request, SignRequest};
use super::scheme::Padding;
use super::{Cancellation, DigestAlgorithm, KeyError, KeyHandler, KeyMeter, SignatureFormat, SignatureScheme};
use crate::completion::ConnectionId;
use crate::error::Error;
use crate::source::{Waiter, WouldBlock};

/// What a private key of our provider stands for.
pub(super) struct Backend {
    pub(super) public: PublicKey,
    pub(super) handler: Box<dyn KeyHandler>,
    pub(super) queue: Queue,
    pub(super) deadlines: Option<Deadlines>,
    pub(super) meter: KeyMeter,
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
        let waiter = Waiter::current();
        let request = request(waiter.connection(), cancellation.clone());
        let make = |notify| Call::new(self, notify, expected, cancellation, request);
        let outcome = waiter.wait(self.runtime.as_ref(), make, |call| self.submit(call));
        let outcome = outcome.unwrap_or_else(|WouldBlock| Err(KeyError::WouldBlock));
        outcome.inspect_err(|error| waiter.set_failure(|| Error::Key(error.clone())))
    }

    fn submit(&self, call: &Arc<Call>) {
        self.queue.submit(call);
        if let Some(deadlines) = &self.deadlines {
            deadlines.add(call);
        }
    }
}
