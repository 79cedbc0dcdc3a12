//! Callbacks of OpenSSL's that have to ask somebody else.

use std::any::Any;
use std::error::Error as StdError;
use std::fmt;
use std::sync::Arc;

use crate::completion::{self, ConnectionId};
use crate::error::Error;
use crate::source::{Cancellation, Operation, Source, Waiter, WouldBlock};

/// Asks somebody else from inside a callback of OpenSSL's (ClientHello, server name, ALPN, verification, sessions, PSK),
/// and waits for the answer: in a handshake of this crate's the job pauses, and its worker goes on with others.
///
/// `begin` hands the question on and returns at once; whoever has it answers from any thread. When the connection goes
/// away first, the question is cancelled, and the callback goes on with [`AskError::Cancelled`]; it then has to fail. If the
/// handshake fails after an error of this function, that is the handshake's error: [`Error::Callback`].
///
/// Outside this crate's jobs it blocks the thread, unless that [forbids it](crate::keys::forbid_blocking). Nothing that
/// belongs to the thread, a lock or a borrow of a thread-local, is to be held across the call.
///
/// ```
/// # use libssl_async::{ask, Question};
/// # use openssl::ssl::{ClientHelloResponse, NameType, SslContext, SslContextBuilder, SslMethod};
/// # async fn look_up(_name: String) -> Result<SslContext, std::io::Error> { unimplemented!() }
/// # let mut builder = SslContextBuilder::new(SslMethod::tls_server())?;
/// # let runtime = tokio::runtime::Builder::new_current_thread().build()?.handle().clone();
/// builder.set_servername_callback(move |ssl, _alert| {
///     let Some(name) = ssl.servername(NameType::HOST_NAME).map(str::to_owned) else { return Ok(()) };
///     let context = ask(|question: Question<SslContext>| {
///         runtime.spawn(async move { question.answer(look_up(name).await.map_err(Into::into)) });
///     });
///     let context = context.map_err(|_| openssl::ssl::SniError::ALERT_FATAL)?;
///     ssl.set_ssl_context(&context).map_err(|_| openssl::ssl::SniError::ALERT_FATAL)
/// });
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn ask<T: Send + 'static>(begin: impl FnOnce(Question<T>)) -> Result<T, AskError> {
    let waiter = Waiter::current();
    let connection = waiter.connection();
    let make = |notify| Arc::new(Asked { operation: Operation::new(notify), cancellation: Cancellation::new() });
    let submit = |asked: &Arc<Asked<T>>| begin(Question { asked: Arc::clone(asked), connection });
    let answer = waiter.wait(None, make, submit).unwrap_or_else(|WouldBlock| Err(AskError::WouldBlock));
    answer.inspect_err(|error| waiter.set_failure(|| Error::Callback(error.clone())))
}

/// A question of [`ask`], and the place for its answer. Dropped without one, in a panic for instance, [`ask`] fails with [`AskError::Dropped`].
pub struct Question<T: Send + 'static> {
    asked: Arc<Asked<T>>,
    connection: Option<ConnectionId>,
}

impl<T: Send + 'static> Question<T> {
    /// Answers, from any thread. Returns whether the answer came in time: it is dropped after a cancellation.
    ///
    /// The asynchronous callback of the connection runs on this thread.
    pub fn answer(self, answer: Result<T, Box<dyn StdError + Send + Sync>>) -> bool {
        self.asked.operation.complete(answer.map_err(|error| AskError::Failed(error.into()))).is_ok()
    }

    /// Tells when the answer is not wanted any more.
    pub fn cancellation(&self) -> &Cancellation {
        &self.asked.cancellation
    }

    /// The connection that asks; `None` outside our connections.
    pub fn connection(&self) -> Option<ConnectionId> {
        self.connection
    }
}

impl<T: Send + 'static> Drop for Question<T> {
    fn drop(&mut self) {
        let _late = self.asked.operation.complete(Err(AskError::Dropped));
    }
}

impl<T: Send + 'static> fmt::Debug for Question<T> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Question").field("connection", &self.connection).finish_non_exhaustive()
    }
}

/// Why a callback that asked got no answer.
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum AskError {
    /// The connection went away, or was aborted.
    #[error("the question was cancelled")]
    Cancelled,
    /// The question was dropped without an answer.
    #[error("the question was dropped without an answer")]
    Dropped,
    /// Whoever was asked failed, with this error as the source.
    #[error("{0}")]
    Failed(#[source] Arc<dyn StdError + Send + Sync>),
    /// The thread must not wait for the answer (see [`forbid_blocking`](crate::keys::forbid_blocking)).
    #[error("this thread must not wait for the answer to a question")]
    WouldBlock,
}

/// What both sides of a question have.
struct Asked<T> {
    operation: Operation<Result<T, AskError>>,
    cancellation: Cancellation,
}

impl<T> Asked<T> {
    fn abort(&self, error: AskError) {
        if self.operation.complete(Err(error)).is_ok() {
            self.cancellation.cancel();
        }
    }
}

impl<T: Send + Any> completion::Request for Asked<T> {
    fn cancel(&self) {
        self.abort(AskError::Cancelled);
    }
}

impl<T: Send + Any> Source for Asked<T> {
    type Outcome = Result<T, AskError>;

    fn operation(&self) -> &Operation<Self::Outcome> {
        &self.operation
    }

    fn panicked(&self) {
        self.abort(AskError::Dropped);
    }
}
