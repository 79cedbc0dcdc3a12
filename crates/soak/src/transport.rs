//! A socket that tells when it is used, and fails when it is asked to.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;

use crate::lab::Scene;
use crate::plan::Fault;

pub(crate) struct Transport {
    socket: TcpStream,
    transfers: u32,
    /// Told at this transfer.
    told: Option<(u32, Arc<Scene>)>,
    /// From this transfer on.
    fault: Option<(u32, Fault)>,
}

impl Transport {
    pub(crate) fn new(socket: TcpStream, told: Option<(u32, Arc<Scene>)>, fault: Option<(u32, Fault)>) -> Self {
        Self { socket, transfers: 0, told, fault }
    }

    /// Counts a transfer, and says what is wrong from now on.
    fn transfer(&mut self, context: &mut Context<'_>) -> Option<Fault> {
        self.transfers += 1;
        if let Some((_, told)) = self.told.take_if(|(at, _)| *at <= self.transfers) {
            told.used.happen();
        }
        let (_, fault) = self.fault.filter(|(from, _)| *from <= self.transfers)?;
        if let Fault::HalfClose = fault {
            self.fault = None;
            let _ = Pin::new(&mut self.socket).poll_shutdown(context);
            return None;
        }
        Some(fault)
    }
}

impl AsyncRead for Transport {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        match self.transfer(context) {
            Some(Fault::End) => Poll::Ready(Ok(())),
            Some(_) => Poll::Ready(Err(io::ErrorKind::ConnectionReset.into())),
            None => Pin::new(&mut self.socket).poll_read(context, buffer),
        }
    }
}

impl AsyncWrite for Transport {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        match self.transfer(context) {
            Some(_) => Poll::Ready(Err(io::ErrorKind::BrokenPipe.into())),
            None => Pin::new(&mut self.socket).poll_write(context, bytes),
        }
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.socket).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.socket).poll_shutdown(context)
    }
}
