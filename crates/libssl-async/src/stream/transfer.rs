//! Ciphertext between a connection's buffers and a transport: large pieces, many records at once.

use std::io;
use std::mem::MaybeUninit;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use crate::connection::Wire;

/// Receives once; an end of the transport becomes the end of the input.
pub(super) fn poll_receive<S>(wire: &mut Wire, io: &mut S, context: &mut Context<'_>) -> Poll<io::Result<()>>
where
    S: AsyncRead + Unpin,
{
    let mut buffer = ReadBuf::uninit(wire.input_room());
    let start = buffer.filled().as_ptr();
    let result = Pin::new(io).poll_read(context, &mut buffer);
    assert_eq!(start, buffer.filled().as_ptr(), "a transport fills the buffer that it is given");
    let received = buffer.filled().len();
    match result {
        Poll::Ready(Ok(())) if received == 0 => wire.end_input(),
        // SAFETY: `ReadBuf` vouches for the bytes that are filled, and it is still the one over this room.
        Poll::Ready(Ok(())) => unsafe { wire.filled(received) },
        // An idle connection keeps no buffer.
        Poll::Pending => wire.release(),
        Poll::Ready(Err(_)) => {}
    }
    result
}

/// As [`poll_receive`], for the small messages of a handshake: a large buffer for each of many that run would only take
/// memory and leave holes in it.
pub(super) fn poll_receive_message<S>(wire: &mut Wire, io: &mut S, context: &mut Context<'_>) -> Poll<io::Result<()>>
where
    S: AsyncRead + Unpin,
{
    let mut message = [MaybeUninit::uninit(); MESSAGE];
    let mut buffer = ReadBuf::uninit(&mut message);
    let result = Pin::new(io).poll_read(context, &mut buffer);
    match (&result, buffer.filled()) {
        (Poll::Ready(Ok(())), []) => wire.end_input(),
        (Poll::Ready(Ok(())), received) => wire.feed(received),
        _ => {}
    }
    result
}

/// What receiving comes to after sending: a peer that has gone may have said something before, and its end is read
/// behind that. But a reset is told once: if sending was told, receiving comes to a mere end.
pub(super) fn received_after(
    wire: &Wire,
    sent: Poll<io::Result<()>>,
    received: Poll<io::Result<()>>,
) -> Poll<io::Result<()>> {
    use io::ErrorKind::{BrokenPipe, ConnectionAborted, ConnectionReset};
    match (sent, received) {
        (Poll::Ready(Err(error)), Poll::Ready(Ok(()))) if error.kind() == ConnectionReset && wire.input_ended() => {
            Poll::Ready(Err(error))
        }
        (Poll::Ready(Err(error)), Poll::Pending)
            if !matches!(error.kind(), BrokenPipe | ConnectionAborted | ConnectionReset) =>
        {
            Poll::Ready(Err(error))
        }
        (_, received) => received,
    }
}

/// Bytes that a handshake receives at once.
const MESSAGE: usize = 8 * 1024;

/// Sends all output.
pub(super) fn poll_send<S>(wire: &mut Wire, io: &mut S, context: &mut Context<'_>) -> Poll<io::Result<()>>
where
    S: AsyncWrite + Unpin,
{
    while !wire.output().is_empty() {
        let sent = ready!(Pin::new(&mut *io).poll_write(context, wire.output()))?;
        if sent == 0 {
            return Poll::Ready(Err(io::ErrorKind::WriteZero.into()));
        }
        wire.sent(sent);
    }
    wire.release();
    Poll::Ready(Ok(()))
}
