//! One SSL call and what it says: the error queue, the alert, and the reason for waiting.

use std::os::raw::c_int;
use std::sync::Arc;

use foreign_types::{ForeignType, ForeignTypeRef};
use libssl_async_sys as sys;
use openssl::error::ErrorStack;
use openssl::ssl::{Ssl, SslRef};
use openssl::x509::X509VerifyResult;
use openssl_sys as ffi;

use super::alert;
use super::bio::WiredSsl;
use super::wire::Wire;
use crate::completion::{Signal, trampoline};
use crate::error::{Error, SslError};

/// An SSL over a [`Wire`], with its asynchronous callback in place.
pub(super) struct Session {
    /// Before `signal`: the callback's argument outlives the SSL (rule 12).
    wired: WiredSsl,
    signal: Arc<Signal>,
    /// What the error queue held when the job paused (rule 20).
    errors: Vec<ErrorStack>,
    broken: bool,
}

/// What one SSL call said.
pub(super) enum Outcome {
    Done,
    /// The peer has sent `close_notify`.
    Closed,
    WantInput,
    WantOutput,
    /// The job has paused.
    Paused,
    /// No job is free.
    NoJob,
}

impl Session {
    /// Takes an SSL that has not begun its handshake, for the side that `ssl` is set to.
    ///
    /// Corresponds to `SSL_set_async_callback` and `SSL_set_async_callback_arg`, set here once and for ever (rule 15).
    pub(super) fn new(ssl: Ssl, signal: Arc<Signal>) -> Result<Self, Error> {
        refuse_unsupported(&ssl)?;
        let raw = ssl.as_ptr();
        // SAFETY: the SSL is ours and has made no call yet; the callback's argument is the signal, which this value
        // keeps alive until the SSL is freed (rules 12 and 15).
        unsafe {
            if sys::SSL_set_async_callback(raw, Some(trampoline)) != 1
                || sys::SSL_set_async_callback_arg(raw, Arc::as_ptr(&signal).cast_mut().cast()) != 1
            {
                return Err(ErrorStack::get().into());
            }
            sys::SSL_set_mode(
                raw,
                ffi::SSL_MODE_RELEASE_BUFFERS
                    | ffi::SSL_MODE_ENABLE_PARTIAL_WRITE
                    | ffi::SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER,
            );
            sys::SSL_set_info_callback(raw, Some(alert::observe));
        }
        Ok(Self { wired: WiredSsl::new(ssl)?, signal, errors: Vec::new(), broken: false })
    }

    pub(super) fn ssl(&self) -> &SslRef {
        self.wired.ssl()
    }

    pub(super) fn wire(&mut self) -> &mut Wire {
        self.wired.wire()
    }

    pub(super) fn signal(&self) -> &Arc<Signal> {
        &self.signal
    }

    /// Makes an SSL call and tells what it said.
    ///
    /// `call` returns what the function returned; all SSL functions used here say success with 1 or more.
    pub(super) fn call(&mut self, call: impl FnOnce(*mut ffi::SSL) -> c_int) -> Result<Outcome, Error> {
        if self.broken {
            return Err(Error::Closed);
        }
        // Leftovers of others on this thread would be taken for this call's errors (rule 20). What the job itself had
        // queued before it paused is in `errors`.
        // SAFETY: touches only the error queue of this thread.
        unsafe { ffi::ERR_clear_error() };
        let ssl = self.wired.ssl().as_ptr();
        let result = call(ssl);
        if result > 0 {
            return Ok(Outcome::Done);
        }
        // Before `SSL_get_error`, which in 3.x says that an SSL with a paused job has failed if anybody's error is queued.
        // SAFETY: the SSL is valid.
        if unsafe { sys::SSL_waiting_for_async(ssl) } == 1 {
            let left = ErrorStack::get();
            if !left.errors().is_empty() {
                self.errors.push(left);
            }
            return Ok(Outcome::Paused);
        }
        // SAFETY: at once after the call, on the same thread (rule 21).
        let error = unsafe { ffi::SSL_get_error(ssl, result) };
        match error {
            // Not a failure of the SSL: the other direction is still open.
            ffi::SSL_ERROR_WANT_READ if self.wire().input_ended() => Err(Error::Truncated),
            ffi::SSL_ERROR_WANT_READ => Ok(Outcome::WantInput),
            ffi::SSL_ERROR_WANT_WRITE => Ok(Outcome::WantOutput),
            ffi::SSL_ERROR_ZERO_RETURN => Ok(Outcome::Closed),
            sys::SSL_ERROR_WANT_ASYNC_JOB => Ok(Outcome::NoJob),
            ffi::SSL_ERROR_WANT_CLIENT_HELLO_CB => Err(Error::RetryPoint("ClientHello")),
            ffi::SSL_ERROR_WANT_X509_LOOKUP => Err(Error::RetryPoint("certificate")),
            sys::SSL_ERROR_WANT_RETRY_VERIFY => Err(Error::RetryPoint("verification")),
            _ => Err(self.failure()),
        }
    }

    /// Why the last call failed: the one who caused it goes before the one who noticed.
    fn failure(&mut self) -> Error {
        self.broken = true;
        let stack = ErrorStack::get();
        if let Some(failure) = self.signal.take_failure() {
            return failure;
        }
        if let Some(error) = self.wire().take_socket_error() {
            return Error::Io(error.into());
        }
        let verify = self.ssl().verify_result();
        let stack = match self.errors.drain(..).next() {
            Some(earlier) if stack.errors().is_empty() => earlier,
            _ => stack,
        };
        Error::Ssl(SslError {
            alert: self.wire().alert(),
            verify: (verify != X509VerifyResult::OK && is_verify_failure(&stack)).then_some(verify),
            stack,
        })
    }
}

/// Refuses what jobs cannot be used for.
fn refuse_unsupported(ssl: &SslRef) -> Result<(), Error> {
    // SAFETY: the SSL is valid.
    #[cfg(ossl320)]
    if unsafe { sys::SSL_is_quic(ssl.as_ptr()) } == 1 {
        // libssl's setters return 1 for it all the same (rule 26).
        return Err(Error::Unsupported("QUIC"));
    }
    // SAFETY: the SSL is valid.
    if unsafe { sys::SSL_is_dtls(ssl.as_ptr()) } == 1 {
        return Err(Error::Unsupported("DTLS over a stream"));
    }
    Ok(())
}

fn is_verify_failure(stack: &ErrorStack) -> bool {
    stack.errors().iter().any(|error| error.reason_code() == sys::SSL_R_CERTIFICATE_VERIFY_FAILED)
}
