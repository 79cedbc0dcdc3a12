//! The handshake of a connection where jobs cannot pause: its calls run on threads that may block (rule 25).

use std::future::poll_fn;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::Poll;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::task::spawn_blocking;

use super::handshake::EARLY_INPUT;
use super::transfer::{poll_receive, poll_send, received_after};
use crate::ask::AskError;
use crate::completion::Signal;
use crate::connection::{Connection, Step, Want, Wire};
use crate::error::Error;
use crate::job;
use crate::keys::KeyError;

/// Drives a handshake until it is done; a client's last message is sent then.
pub(crate) async fn shake_hands_blocking<S>(mut connection: Connection, io: &mut S) -> Result<Connection, Error>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    // How the peer went, if it did while a call was made.
    let mut gone = None;
    loop {
        let called = call(connection, io).await?;
        let (step, came) = (called.step, called.came);
        connection = called.connection;
        gone = gone.or(called.gone);
        let wire = connection.wire();
        match step {
            Ok(Step::Done(())) => {
                // As where jobs pause, a server's tickets may go later.
                if send_now(wire, io).await?.is_pending() && !connection.ssl().is_server() {
                    poll_fn(|context| poll_send(connection.wire(), io, context)).await?;
                }
                let flushed = poll_fn(|context| Poll::Ready(Pin::new(&mut *io).poll_flush(context))).await;
                if let Poll::Ready(result) = flushed {
                    result?;
                }
                return Ok(connection);
            }
            Ok(Step::Wait(Want::Output)) => poll_fn(|context| poll_send(wire, io, context)).await?,
            // What has come while the call was made is looked at first.
            Ok(Step::Wait(_)) if came => drop(send_now(wire, io).await),
            Ok(Step::Wait(_)) => {
                poll_fn(|context| {
                    let sent = poll_send(wire, io, context);
                    let received = poll_receive(wire, io, context);
                    received_after(wire, sent, received)
                })
                .await?;
            }
            Err(error) => {
                let _ = send_now(wire, io).await;
                return Err(match error {
                    // The key's owner is not to blame, and a reset is no mere end.
                    Error::Key(KeyError::Cancelled) | Error::Callback(AskError::Cancelled) | Error::Truncated => {
                        gone.unwrap_or(error)
                    }
                    _ => error,
                });
            }
        }
    }
}

/// Sends what can be sent without waiting.
async fn send_now<S>(wire: &mut Wire, io: &mut S) -> Poll<io::Result<()>>
where
    S: AsyncWrite + Unpin,
{
    poll_fn(|context| Poll::Ready(poll_send(wire, io, context))).await
}

/// What became of a call that was made on a thread that may block.
struct Called {
    connection: Connection,
    step: Result<Step<()>, Error>,
    /// Whether input has come, or its end, that the call has not seen.
    came: bool,
    /// How the peer went meanwhile.
    gone: Option<Error>,
}

/// Makes one call on a thread that may block, and watches the transport meanwhile: a peer that goes away cancels the
/// request of a remote key.
async fn call<S>(connection: Connection, io: &mut S) -> Result<Called, Error>
where
    S: AsyncRead + Unpin,
{
    let mut given_up = GivenUp(Some(Arc::clone(connection.signal())));
    let mut connection = connection;
    let mut blocking = spawn_blocking(move || {
        let signal = Arc::clone(connection.signal());
        let step = job::block_for(&signal, || connection.handshake());
        (connection, step)
    });
    let (mut early, mut gone) = (Vec::new(), None);
    let result = poll_fn(|context| {
        while gone.is_none() && early.len() < EARLY_INPUT {
            let mut piece = [0; 4096];
            let mut buffer = ReadBuf::new(&mut piece);
            match Pin::new(&mut *io).poll_read(context, &mut buffer) {
                Poll::Pending => break,
                Poll::Ready(Ok(())) if !buffer.filled().is_empty() => early.extend_from_slice(buffer.filled()),
                Poll::Ready(result) => {
                    gone = Some(result.map_or_else(Error::from, |()| Error::Truncated));
                    given_up.tell();
                }
            }
        }
        Pin::new(&mut blocking).poll(context)
    })
    .await;
    given_up.0 = None;
    // A panic on that thread has been reported, and has dropped the connection.
    let (mut connection, step) = result.map_err(|_| Error::Cancelled)?;
    connection.feed(&early);
    if gone.is_some() {
        connection.end_input();
    }
    Ok(Called { connection, step, came: gone.is_some() || !early.is_empty(), gone })
}

/// Cancels the requests of a connection whose handshake is dropped while a thread blocks for it.
struct GivenUp(Option<Arc<Signal>>);

impl GivenUp {
    fn tell(&self) {
        if let Some(signal) = &self.0 {
            signal.give_up();
        }
    }
}

impl Drop for GivenUp {
    fn drop(&mut self) {
        self.tell();
    }
}
