//! The handshake of a connection over a transport.

use std::pin::Pin;
use std::task::{Context, Poll, ready};

use openssl::ssl::SslVersion;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::time::{Sleep, sleep};

use super::transfer::{poll_receive_message, poll_send, received_after};
use crate::ask::AskError;
use crate::connection::{JobConnection, Step, Want};
use crate::error::Error;
use crate::keys::KeyError;
use crate::worker::Local;

/// Input that is kept while a handshake is paused, in bytes; a peer that sends more waits.
pub(super) const EARLY_INPUT: usize = 64 * 1024;

/// What a handshake keeps between polls.
#[derive(Default)]
pub(crate) struct Kept {
    delay: Option<Pin<Box<Sleep>>>,
    /// Why the peer's request for a signature was cancelled: it is gone.
    gone: Option<Error>,
}

/// Drives a handshake until it is done; a client's last message is sent then.
pub(crate) fn poll_handshake<S>(
    connection: &mut JobConnection,
    io: &mut S,
    kept: &mut Kept,
    context: &mut Context<'_>,
) -> Poll<Result<(), Error>>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    loop {
        if let Some(local) = Local::current() {
            local.pass_on();
        }
        let step = connection.handshake();
        if matches!(step, Ok(Step::Done(()))) && only_tickets_are_left(connection) {
            return Poll::Ready(Ok(()));
        }
        let sent = poll_send(connection.wire(), io, context);
        let step = step.map_err(|error| match error {
            // Whoever was asked is not to blame.
            Error::Key(KeyError::Cancelled) | Error::Callback(AskError::Cancelled) => kept.gone.take().unwrap_or(error),
            _ => error,
        })?;
        match step {
            Step::Done(()) => {
                // A server's last message must not wait here for a peer that reads nothing before it has something to
                // say: what is left of it goes with the first read or write.
                if sent?.is_pending() && !connection.ssl().is_server() {
                    return Poll::Pending;
                }
                let _ = Pin::new(io).poll_flush(context)?;
                return Poll::Ready(Ok(()));
            }
            Step::Wait(Want::Input) => {
                let received = poll_receive_message(connection.wire(), io, context);
                ready!(received_after(connection.wire(), sent, received))?;
            }
            Step::Wait(Want::Output) => ready!(sent)?,
            Step::Wait(Want::Completion) => {
                let _ = sent?;
                if connection.poll_completed(context).is_pending() {
                    kept.gone = watch_peer(connection, io, context);
                    // A cancelled request has completed by now.
                    ready!(connection.poll_completed(context));
                }
            }
            Step::Wait(Want::Retry(time)) => {
                let sleep = kept.delay.get_or_insert_with(|| Box::pin(sleep(time)));
                ready!(sleep.as_mut().poll(context));
                kept.delay = None;
            }
            Step::Wait(Want::Job) => ready!(connection.poll_job(context)),
        }
    }
}

/// Whether what a handshake that is done has left to send are session tickets, which nobody waits for: they go with the
/// first read or write, and spare a system call of their own and the peer a wake-up.
fn only_tickets_are_left(connection: &JobConnection) -> bool {
    connection.ssl().is_server() && connection.ssl().version2() == Some(SslVersion::TLS1_3)
}

/// Notices a peer that goes away while the handshake is paused on one of our own sources, and cancels the request: its
/// failure is the completion that resumes the job (rule 7). Returns how the peer went.
fn watch_peer<S>(connection: &mut JobConnection, io: &mut S, context: &mut Context<'_>) -> Option<Error>
where
    S: AsyncRead + Unpin,
{
    let mut gone = Error::Truncated;
    while connection.wire().unread() < EARLY_INPUT && !connection.wire().input_ended() {
        match poll_receive_message(connection.wire(), io, context) {
            Poll::Ready(Ok(())) => {}
            Poll::Ready(Err(error)) => {
                gone = error.into();
                connection.wire().end_input();
            }
            Poll::Pending => return None,
        }
    }
    (connection.wire().input_ended() && connection.cancel_request()).then_some(gone)
}
