//! Which runtime watches a socket.

use std::any::Any;
use std::io;
use std::task::{Context, Poll};

use tokio::net::TcpStream;
#[cfg(unix)]
use tokio::net::UnixStream;
use tokio::runtime::Handle;

/// Has the runtime of `handle` watch the transport, if it is one of tokio's own sockets; any other stays where it is.
///
/// A socket that another thread's runtime watches costs two thread switches for each of its events.
pub(crate) fn watch_from<S: 'static>(io: S, handle: &Handle) -> io::Result<S> {
    let _entered = handle.enter();
    let mut io = Some(io);
    let any: &mut dyn Any = &mut io;
    if let Some(socket) = any.downcast_mut::<Option<TcpStream>>() {
        move_socket(socket, |socket| TcpStream::from_std(socket.into_std()?))?;
    }
    #[cfg(unix)]
    if let Some(socket) = any.downcast_mut::<Option<UnixStream>>() {
        move_socket(socket, |socket| UnixStream::from_std(socket.into_std()?))?;
    }
    Ok(io.expect("a socket that was moved was put back"))
}

/// Waits until the runtime that watches a socket has seen that it can be written to.
pub(crate) fn poll_watched<S: 'static>(io: &S, context: &mut Context<'_>) -> Poll<io::Result<()>> {
    let io: &dyn Any = io;
    if let Some(socket) = io.downcast_ref::<TcpStream>() {
        return socket.poll_write_ready(context);
    }
    #[cfg(unix)]
    if let Some(socket) = io.downcast_ref::<UnixStream>() {
        return socket.poll_write_ready(context);
    }
    Poll::Ready(Ok(()))
}

fn move_socket<T>(socket: &mut Option<T>, register: impl FnOnce(T) -> io::Result<T>) -> io::Result<()> {
    if let Some(taken) = socket.take() {
        *socket = Some(register(taken)?);
    }
    Ok(())
}
