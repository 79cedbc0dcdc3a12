//! The handshake of a connection where jobs cannot pause: its calls run on threads that may block (rule 25).

use std::future::poll_fn;
use std::pin::Pin;
use std::sync::Arc;
use std::task::Poll;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::task::spawn_blocking;

use super::handshake::EARLY_INPUT;
use super::transfer::{poll_receive, poll_send};
use crate::completion::Signal;
use crate::connection::{Connection, Step, Want};
use crate::error::Error;
use crate::job;

/// Drives a handshake until it is done; a client's last message is sent then.
pub(crate) async fn shake_hands_blocking<S>(mut connection: Connection, io: &mut S) -> Result<Connection, Error>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    loop {
        let (back, step, came) = call(connection, io).await?;
        connection = back;
        let wire = connection.wire();
        let sent = poll_fn(|context| Poll::Ready(poll_send(wire, io, context))).await?;
        match step {
            Ok(Step::Done(())) => {
                // As where jobs pause, a server's tickets may go later.
                if sent.is_pending() && !connection.ssl().is_server() {
                    poll_fn(|context| poll_send(connection.wire(), io, context)).await?;
                }
                let flushed = poll_fn(|context| Poll::Ready(Pin::new(&mut *io).poll_flush(context))).await;
                if let Poll::Ready(result) = flushed {
                    result?;
                }
                return Ok(connection);
            }
            Ok(Step::Wait(Want::Output)) => poll_fn(|context| poll_send(wire, io, context)).await?,
            // Something has come while the call was made.
            Ok(Step::Wait(_)) if came => {}
            Ok(Step::Wait(_)) => {
                poll_fn(|context| {
                    let _sent = poll_send(wire, io, context)?;
                    poll_receive(wire, io, context)
                })
                .await?;
            }
            Err(error) => return Err(error),
        }
    }
}

/// Makes one call on a thread that may block, and watches the transport meanwhile: a peer that goes away cancels the
/// request of a remote key. Tells, too, whether input has come that the call has not seen.
async fn call<S>(connection: Connection, io: &mut S) -> Result<(Connection, Result<Step<()>, Error>, bool), Error>
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
    let (mut early, mut ended) = (Vec::new(), false);
    let result = poll_fn(|context| {
        while !ended && early.len() < EARLY_INPUT {
            let mut piece = [0; 4096];
            let mut buffer = ReadBuf::new(&mut piece);
            match Pin::new(&mut *io).poll_read(context, &mut buffer) {
                Poll::Pending => break,
                Poll::Ready(result) => {
                    ended = result.is_err() || buffer.filled().is_empty();
                    early.extend_from_slice(buffer.filled());
                }
            }
            if ended {
                given_up.tell();
            }
        }
        Pin::new(&mut blocking).poll(context)
    })
    .await;
    given_up.0 = None;
    // A panic on that thread has been reported, and has dropped the connection.
    let (mut connection, step) = result.map_err(|_| Error::Cancelled)?;
    connection.feed(&early);
    if ended {
        connection.end_input();
    }
    Ok((connection, step, ended || !early.is_empty()))
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
