//! A transport that takes and gives bytes in pieces, keeps others waiting, and may change a byte on its way.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncWrite, DuplexStream, ReadBuf};

use crate::schedule::Schedule;

#[derive(Debug)]
pub(crate) struct Transport {
    io: DuplexStream,
    schedule: Schedule,
    /// Which byte of the output is changed.
    changed: Option<usize>,
    written: usize,
}

/// The most that one read or write moves.
enum Piece {
    Whole,
    Bytes(usize),
    /// Nothing now.
    Later,
}

impl Transport {
    pub(crate) fn new(io: DuplexStream, schedule: Schedule) -> Self {
        Self { io, schedule, changed: None, written: 0 }
    }

    pub(crate) fn change(self, position: usize) -> Self {
        Self { changed: Some(position), ..self }
    }

    fn piece(&mut self, context: &mut Context<'_>) -> Piece {
        match self.schedule.draw() {
            byte @ 1..=64 => Piece::Bytes(byte),
            byte @ 65..=128 => Piece::Bytes(byte * byte),
            129..=192 => {
                context.waker().wake_by_ref();
                Piece::Later
            }
            _ => Piece::Whole,
        }
    }
}

impl AsyncRead for Transport {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let most = match self.piece(context) {
            Piece::Whole => return Pin::new(&mut self.io).poll_read(context, buffer),
            Piece::Bytes(most) => most,
            Piece::Later => return Poll::Pending,
        };
        let mut part = buffer.take(most);
        let poll = Pin::new(&mut self.io).poll_read(context, &mut part);
        let filled = part.filled().len();
        // SAFETY: `part` was the beginning of the unfilled part, and says how much of it is filled.
        unsafe { buffer.assume_init(filled) };
        buffer.advance(filled);
        poll
    }
}

impl AsyncWrite for Transport {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let most = match self.piece(context) {
            Piece::Whole => bytes.len(),
            Piece::Bytes(most) => most.min(bytes.len()),
            Piece::Later => return Poll::Pending,
        };
        let written = self.written;
        let poll = match self.changed.and_then(|position| position.checked_sub(written)) {
            Some(place) if place < most => {
                let mut bytes = bytes[..most].to_vec();
                bytes[place] ^= 0x20;
                Pin::new(&mut self.io).poll_write(context, &bytes)
            }
            _ => Pin::new(&mut self.io).poll_write(context, &bytes[..most]),
        };
        if let Poll::Ready(Ok(count)) = poll {
            self.written += count;
        }
        poll
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_shutdown(context)
    }
}
