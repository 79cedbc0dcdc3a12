//! Errors on their way to JavaScript.

mod openssl;
mod system;
mod verify;

use libssl_async::keys::KeyError;
use libssl_async::{AskError, Error, SslError};
use napi::{Env, Status};
use napi_derive::napi;

pub(crate) use self::openssl::reason;
pub(crate) use self::verify::verify_code;
use crate::messages::{Failure, Place};
use crate::remote_key::JsFailure;

/// What `src/errors.ts` makes an error of.
#[napi(object, object_from_js = false)]
#[derive(Clone, Debug, Default)]
pub struct NativeError {
    /// Empty if `errno` says it.
    pub code: String,
    pub message: String,
    /// The option that is wrong, such as `key[1]`.
    pub option: Option<String>,
    /// The part of OpenSSL that reported the error, as `SSL routines`.
    pub library: Option<String>,
    /// The reason in OpenSSL's words.
    pub reason: Option<String>,
    /// The entries of OpenSSL's error queue, oldest first, if there are several.
    pub openssl_error_stack: Option<Vec<String>>,
    /// The name of the TLS alert that was sent or received.
    pub alert: Option<&'static str>,
    /// Whether the peer sent the alert.
    pub alert_received: Option<bool>,
    /// The number of a system error, negative as libuv has it.
    pub errno: Option<i32>,
    pub syscall: Option<String>,
    pub address: Option<String>,
    pub port: Option<u16>,
    /// The request to a remote key whose signer failed, or the question whose callback did.
    pub request: Option<u32>,
    /// The errors of all attempts to connect.
    #[napi(ts_type = "Array<NativeError>")]
    pub errors: Option<Vec<Self>>,
}

/// A result whose error is on its way to JavaScript.
pub(crate) type Checked<T> = Result<T, Box<NativeError>>;

impl NativeError {
    pub(crate) fn new(code: impl Into<String>, message: impl Into<String>) -> Self {
        Self { code: code.into(), message: message.into(), ..Self::default() }
    }

    /// An error of this package's own, of code `ERR_LIBSSL_ASYNC_<what>`.
    pub(crate) fn own(what: &str, message: impl Into<String>) -> Self {
        Self::new(format!("ERR_LIBSSL_ASYNC_{what}"), message)
    }

    /// The error of an engine or a provider that uses another libcrypto; says what to do about it.
    pub(crate) fn mismatch(error: &impl ToString) -> Self {
        let advice = if cfg!(feature = "bundled") {
            "import libssl-async/host, which uses the OpenSSL of Node, as they do"
        } else {
            "build it for the OpenSSL of this Node (versions.openssl), whose libcrypto is in the Node binary"
        };
        Self::own("ENGINE_LIBCRYPTO_MISMATCH", format!("{}; {advice}", error.to_string()))
    }

    /// The error of a wrong option.
    pub(crate) fn option(code: &str, option: &str, message: &str) -> Self {
        Self { option: Some(option.to_owned()), ..Self::new(code, format!("options.{option}: {message}")) }
    }

    /// Throws the error as it is, for `nativeCall` of `src/errors.ts`; what it returns is for the function that throws.
    pub(crate) fn throw(self, env: &Env) -> napi::Error {
        let message = self.message.clone();
        match env.throw(self) {
            Ok(()) => napi::Error::new(Status::PendingException, message),
            Err(error) => error,
        }
    }
}

impl From<&Error> for NativeError {
    fn from(error: &Error) -> Self {
        let what = match error {
            Error::Callback(reason) => {
                let error = Self::own("CALLBACK_FAILED", error.to_string());
                return Self { request: failure_of(reason), ..error };
            }
            Error::Cancelled => "CANCELLED",
            Error::Closed => "CLOSED",
            Error::Forked => "FORKED",
            Error::HandshakeTimeout => "HANDSHAKE_TIMEOUT",
            Error::Io(error) => return Self::system(error),
            Error::JobsExhausted => "JOBS_EXHAUSTED",
            Error::Key(reason) => {
                let error = Self::own("KEY_FAILED", error.to_string()).caused_by(openssl::errors_of(reason));
                return Self { request: request_of(reason), ..error };
            }
            Error::Source => "SOURCE_FAILED",
            Error::Ssl(error) => return Self::from(error),
            Error::TooManyHandshakes => "TOO_MANY_HANDSHAKES",
            Error::Truncated => "TRUNCATED",
            Error::RetryPoint(_) | Error::Unsupported(_) => "UNSUPPORTED",
            _ => "FAILED",
        };
        Self::own(what, error.to_string())
    }
}

impl From<&SslError> for NativeError {
    fn from(error: &SslError) -> Self {
        let alert = error.alert();
        let (code, message) = match error.verify_result() {
            Some(result) => (verify_code(result).to_owned(), result.error_string().to_owned()),
            None => (openssl::code(error.errors()), error.to_string()),
        };
        Self {
            alert: alert.map(|alert| alert.name()),
            alert_received: alert.map(|alert| alert.received()),
            ..Self::new(code, message).caused_by(error.errors())
        }
    }
}

impl From<&Failure> for NativeError {
    fn from(failure: &Failure) -> Self {
        match failure {
            Failure::Tls(error) => error.into(),
            Failure::System { error, call, place } => {
                let error = Self::system(error).of_call(call);
                match place {
                    Some(Place::Address(address)) => error.at(*address),
                    Some(Place::Path(path)) => Self { address: Some(path.clone()), ..error },
                    None => error,
                }
            }
            Failure::Attempts(attempts) => Self::attempts(attempts),
        }
    }
}

/// The request that a signer written in JavaScript failed.
fn request_of(reason: &KeyError) -> Option<u32> {
    match reason {
        KeyError::Failed(error) => error.downcast_ref::<JsFailure>().map(|failure| failure.request),
        _ => None,
    }
}

/// The question that a callback written in JavaScript failed.
fn failure_of(reason: &AskError) -> Option<u32> {
    match reason {
        AskError::Failed(error) => error.downcast_ref::<JsFailure>().map(|failure| failure.request),
        _ => None,
    }
}
