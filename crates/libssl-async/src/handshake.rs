//! A handshake that runs on a worker and is awaited anywhere.

use std::fmt;
use std::future::{Future, poll_fn};
use std::pin::{Pin, pin};
use std::rc::Rc;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use libssl_async_sys::thin::AsyncStatus;
use openssl::error::ErrorStack;
use openssl::ssl::Ssl;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::runtime::Handle;
use tokio::sync::oneshot;
use tokio::time::{Instant, timeout, timeout_at};

use crate::completion::{AsyncEvent, ConnectionId, Signal};
use crate::connection::{Connection, JobConnection, Stay};
use crate::error::Error;
use crate::metrics::Counters;
use crate::stream::{Kept, PinnedStream, TlsStream, poll_handshake, poll_watched, shake_hands_blocking, watch_from};
use crate::terms::{Tally, Terms};
use crate::worker::{Local, Places, Workers};

/// A handshake, from [`TlsAcceptor::accept`](crate::TlsAcceptor::accept) or
/// [`TlsConnector::connect`](crate::TlsConnector::connect).
///
/// It runs on a worker from the moment it is made, and gives a [`TlsStream`] to whoever awaits it. Dropping it gives
/// the handshake up: the transport is closed, the request of a remote key cancelled, and a job that is paused ends in
/// the drain. There is no going on with it.
pub struct Handshake<S> {
    signal: Arc<Signal>,
    result: oneshot::Receiver<Result<TlsStream<S>, Error>>,
    /// The runtime that the transport goes back to, if that is not the worker's.
    home: Option<Handle>,
    /// The stream, whose transport that runtime does not watch yet.
    arrived: Option<TlsStream<S>>,
}

impl<S> Handshake<S> {
    /// The number by which callbacks and requests know the connection.
    pub fn id(&self) -> ConnectionId {
        self.signal.id()
    }

    /// The status of the last asynchronous operation; `None` before the first job.
    ///
    /// Corresponds to `SSL_get_async_status`.
    pub fn async_status(&self) -> Option<AsyncStatus> {
        self.signal.status()
    }

    /// Replaces the callback that this connection has from its acceptor or connector.
    ///
    /// Completions that happen before are told to the old one; one that is running goes on until it returns. It is
    /// called on the thread that completes the operation, so it is to be short and not to block; a panic in it is
    /// caught. Corresponds to `SSL_set_async_callback` and `SSL_set_async_callback_arg`.
    pub fn set_async_callback(&self, callback: impl Fn(AsyncEvent) + Send + Sync + 'static) {
        self.signal.set_callback(Some(Arc::new(callback)));
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin + Send + 'static> Handshake<S> {
    /// Has a worker make the SSL and run its handshake over `io`.
    pub(crate) fn start(
        workers: &Workers,
        terms: Terms,
        ssl: impl FnOnce() -> Result<Ssl, ErrorStack> + Send + 'static,
        io: S,
    ) -> Self {
        let (sender, result) = oneshot::channel();
        let inbox = workers.choose();
        let signal = Signal::new(Arc::clone(&inbox), Arc::clone(workers.counters()), &terms);
        let places = match workers.admit(&terms) {
            Ok(places) => places,
            Err(error) => {
                let _sent = sender.send(Err(error));
                return Self { signal, result, home: None, arrived: None };
            }
        };
        let deadline = terms.timeout.and_then(|timeout| Instant::now().checked_add(timeout));
        let begun = Begun::new(&signal);
        let shared = Arc::clone(&signal);
        let elsewhere = workers.current().is_none();
        let home = Handle::try_current().ok().filter(|_| elsewhere);
        let moves = home.is_some();
        workers.run_on(inbox, move |local| {
            let handshake = establish(ssl, shared, Rc::clone(&local), io, moves, begun);
            let handshake = in_time(deadline, in_turn(places, handshake));
            local.spawn(answer(handshake, sender, elsewhere.then(|| Rc::clone(&local))));
        });
        Self { signal, result, home, arrived: None }
    }
}

/// Runs a handshake for as long as somebody waits for it; `worker` hands the result over to another thread.
async fn answer<S: 'static>(
    handshake: impl Future<Output = Result<TlsStream<S>, Error>>,
    mut sender: oneshot::Sender<Result<TlsStream<S>, Error>>,
    worker: Option<Rc<Local>>,
) {
    let mut handshake = pin!(handshake);
    // Looked at first: what is given up takes no further step, which might ask a signer.
    let result = poll_fn(|context| match sender.poll_closed(context) {
        Poll::Ready(()) => Poll::Ready(None),
        Poll::Pending => handshake.as_mut().poll(context).map(Some),
    })
    .await;
    let Some(result) = result else { return };
    let send = || drop(sender.send(result));
    match worker {
        Some(worker) => worker.give_out(send),
        None => send(),
    }
}

async fn establish<S>(
    ssl: impl FnOnce() -> Result<Ssl, ErrorStack>,
    signal: Arc<Signal>,
    local: Rc<Local>,
    mut io: S,
    moves: bool,
    begun: Begun,
) -> Result<TlsStream<S>, Error>
where
    S: AsyncRead + AsyncWrite + Unpin + 'static,
{
    if moves {
        io = watch_from(io, &Handle::current())?;
    }
    let connection = if local.jobs.can_pause() {
        let mut connection = JobConnection::new(ssl()?, signal, &local, Stay::Handshake)?;
        shake_hands(&mut connection, &mut io).await?;
        connection.into_connection().expect("a handshake that is done is not paused")
    } else {
        let connection = Connection::without_jobs(ssl()?, signal)?;
        bid_farewell(shake_hands_blocking(connection, &mut io).await, &mut io).await?
    };
    begun.succeed();
    Ok(TlsStream::new(connection, io))
}

/// Makes a connection that stays on the worker that the current thread is, and in asynchronous mode.
pub(crate) async fn establish_pinned<S>(
    terms: Terms,
    ssl: impl FnOnce() -> Result<Ssl, ErrorStack>,
    io: S,
) -> Result<PinnedStream<S>, Error>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let local = Local::current().ok_or(Error::Unsupported("a pinned stream outside Workers::spawn_pinned"))?;
    let places = local.admit(&terms)?;
    let deadline = terms.timeout.and_then(|timeout| Instant::now().checked_add(timeout));
    let signal = Signal::new(Arc::clone(&local.inbox), Arc::clone(&local.counters), &terms);
    let begun = Begun::new(&signal);
    in_time(deadline, in_turn(places, shake_hands_pinned(ssl, signal, local, io, begun))).await
}

async fn shake_hands_pinned<S>(
    ssl: impl FnOnce() -> Result<Ssl, ErrorStack>,
    signal: Arc<Signal>,
    local: Rc<Local>,
    mut io: S,
    begun: Begun,
) -> Result<PinnedStream<S>, Error>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let connection = if local.jobs.can_pause() {
        let mut connection = JobConnection::new(ssl()?, signal, &local, Stay::Pinned)?;
        shake_hands(&mut connection, &mut io).await?;
        connection
    } else {
        let connection = Connection::without_jobs(ssl()?, signal)?;
        let connection = bid_farewell(shake_hands_blocking(connection, &mut io).await, &mut io).await?;
        JobConnection::without_jobs(connection, &local)
    };
    begun.succeed();
    Ok(PinnedStream::new(connection, io))
}

/// Runs a handshake when it has its turn.
async fn in_turn<T>(places: Places, handshake: impl Future<Output = Result<T, Error>>) -> Result<T, Error> {
    let _turn = places.turn().await;
    handshake.await
}

/// Gives a handshake up at its deadline.
async fn in_time<T>(deadline: Option<Instant>, handshake: impl Future<Output = Result<T, Error>>) -> Result<T, Error> {
    match deadline {
        Some(deadline) => timeout_at(deadline, handshake).await.unwrap_or(Err(Error::HandshakeTimeout)),
        None => handshake.await,
    }
}

async fn shake_hands<S>(connection: &mut JobConnection, io: &mut S) -> Result<(), Error>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let mut kept = Kept::default();
    bid_farewell(poll_fn(|context| poll_handshake(connection, io, &mut kept, context)).await, io).await
}

/// Ends the transport of a handshake that has failed.
async fn bid_farewell<T, S: AsyncWrite + Unpin>(result: Result<T, Error>, io: &mut S) -> Result<T, Error> {
    // A forked child leaves the transport, which is its parent's too, as it is.
    if result.as_ref().is_err_and(|error| !matches!(error, Error::Forked)) {
        // The alert is on its way; an orderly end lets it arrive.
        let _late = timeout(FAREWELL, poll_fn(|context| Pin::new(&mut *io).poll_shutdown(context))).await;
    }
    result
}

/// How long the transport of a failed handshake has to take the alert.
const FAREWELL: Duration = Duration::from_secs(1);

/// Counts a handshake that has begun, as failed unless it succeeds.
struct Begun {
    counters: Arc<Counters>,
    tally: Arc<Tally>,
    succeeded: bool,
}

impl Begun {
    fn new(signal: &Signal) -> Self {
        let counters = Arc::clone(signal.counters());
        counters.in_flight.add(1);
        let tally = Arc::clone(signal.tally());
        tally.begin();
        Self { counters, tally, succeeded: false }
    }

    fn succeed(mut self) {
        self.succeeded = true;
    }
}

impl Drop for Begun {
    fn drop(&mut self) {
        let ended = if self.succeeded { &self.counters.handshakes } else { &self.counters.failed };
        ended.add(1);
        // Last: whoever sees that nothing is in flight sees what became of it.
        self.counters.in_flight.subtract(1);
        self.tally.end();
    }
}

impl<S: Unpin + 'static> Future for Handshake<S> {
    type Output = Result<TlsStream<S>, Error>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let this = &mut *self;
        let stream = match this.arrived.take() {
            Some(stream) => stream,
            None => {
                let stream = ready!(Pin::new(&mut this.result).poll(context)).unwrap_or(Err(Error::Cancelled))?;
                let Some(home) = &this.home else { return Poll::Ready(Ok(stream)) };
                // Here rather than on the worker: it is the watching thread that the first events would wake.
                stream.try_map_io(|io| watch_from(io, home))?
            }
        };
        // Before the runtime has looked at it, a socket takes nothing, and a write that nobody flushes would stay.
        if poll_watched(stream.get_ref(), context)?.is_pending() {
            this.arrived = Some(stream);
            return Poll::Pending;
        }
        Poll::Ready(Ok(stream))
    }
}

impl<S> fmt::Debug for Handshake<S> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Handshake").field("id", &self.id()).finish_non_exhaustive()
    }
}
