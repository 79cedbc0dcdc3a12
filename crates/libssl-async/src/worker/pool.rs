//! A pool of worker threads.

use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::task::{Context, Poll};
use std::thread;
use std::time::Duration;
use std::{fmt, io};

use openssl::error::ErrorStack;
use openssl::ssl::Ssl;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::runtime::{Builder, Runtime};
use tokio::sync::{oneshot, watch};
use tokio::task::LocalSet;

use super::admission::{Admission, Places};
use super::drain::Drain;
use super::local::Local;
use crate::completion::Inbox;
use crate::error::Error;
use crate::exit;
use crate::handshake::Handshake;
use crate::job;
use crate::metrics::{Counters, Metrics};
use crate::process::Process;
use crate::terms::Terms;

/// A handle to a pool of threads that run handshakes; cheap to clone.
///
/// Each thread has a tokio runtime of its own. The threads end when the last handle is gone, and with it every acceptor
/// and connector of the pool, and when everything that runs on them has ended.
#[derive(Clone)]
pub struct Workers {
    shared: Arc<Shared>,
}

/// Configures a pool of [`Workers`].
#[derive(Clone, Debug)]
pub struct WorkersBuilder {
    threads: usize,
    jobs_per_thread: usize,
    jobs: bool,
    blocking_threads: usize,
    limits: Option<(usize, usize)>,
    drain_timeout: Duration,
    on_thread_start: Option<ThreadStart>,
}

/// What each worker calls first.
#[derive(Clone)]
struct ThreadStart(Arc<dyn Fn() + Send + Sync>);

/// How many tasks more than another a worker has to have before it passes a new one on.
const CLEARLY: usize = 2;

struct Shared {
    inboxes: Vec<Arc<Inbox>>,
    next: AtomicUsize,
    counters: Arc<Counters>,
    process: Process,
    admission: Option<Arc<Admission>>,
    stopped: AtomicBool,
    /// Threads that have not ended their work.
    running: watch::Sender<usize>,
}

impl Workers {
    /// Begins the configuration of a pool.
    pub fn builder() -> WorkersBuilder {
        let cores = thread::available_parallelism().map_or(1, usize::from);
        WorkersBuilder {
            threads: cores.min(4),
            jobs_per_thread: 4096,
            jobs: true,
            blocking_threads: 64,
            limits: None,
            drain_timeout: Duration::from_secs(60),
            on_thread_start: None,
        }
    }

    /// A pool with the default configuration.
    pub fn new() -> io::Result<Self> {
        Self::builder().build()
    }

    /// What the connections of this pool have done so far.
    pub fn metrics(&self) -> Metrics {
        self.shared.counters.snapshot()
    }

    /// Ends the pool, whatever it does: handshakes that run or wait and pinned tasks are dropped and fail with
    /// [`Error::Cancelled`], as do those that are asked for later. Streams that were given out go on.
    ///
    /// Returns when no thread has anything left to do, and says what became of the jobs that were paused: the drain
    /// waits at most [`drain_timeout`](WorkersBuilder::drain_timeout) for third-party sources; requests to remote keys
    /// are cancelled at once. Dropping the returned future does not undo anything. In a child of the pool's process it
    /// does nothing.
    pub async fn shutdown(&self) -> Shutdown {
        let before = self.metrics();
        if self.shared.process.is_current() {
            self.shared.stopped.store(true, Ordering::Relaxed);
            self.shared.inboxes.iter().for_each(|inbox| inbox.stop());
            // It cannot fail: the sender is in `shared`.
            let mut running = self.shared.running.subscribe();
            let _ended = running.wait_for(|running| *running == 0).await;
        }
        let after = self.metrics();
        Shutdown { drained: after.drained - before.drained, leaked: after.leaked - before.leaked }
    }

    /// Runs a future on one worker, where it stays: it need not be `Send`, and may hold
    /// [`PinnedStream`](crate::PinnedStream)s.
    ///
    /// `start` is sent to the worker and makes the future there. Dropping the returned task does not stop it.
    pub fn spawn_pinned<F, R>(&self, start: F) -> PinnedTask<R::Output>
    where
        F: FnOnce() -> R + Send + 'static,
        R: Future + 'static,
        R::Output: Send + 'static,
    {
        if let Err(error) = self.check() {
            return PinnedTask { result: Err(error) };
        }
        let (sender, receiver) = oneshot::channel();
        self.run_on(self.least_busy(), move |local| {
            local.spawn(async move {
                let _unheard = sender.send(start().await);
            });
        });
        PinnedTask { result: Ok(receiver) }
    }

    /// Has the worker that the current thread is call `deliver` when it has nothing else to do, and in a millisecond at
    /// the latest; on any other thread, it is called at once.
    ///
    /// For what wakes another thread: several results of a busy worker are given out by one wake-up.
    pub fn give_out(deliver: impl FnOnce() + 'static) {
        match Local::current() {
            Some(local) => local.give_out(deliver),
            None => deliver(),
        }
    }

    /// Runs the handshake of an SSL on a worker of this pool; on this very one if it is called on one.
    ///
    /// `ssl` is called there, when the handshake has its turn. What it makes is set to its side (`set_accept_state` or
    /// `set_connect_state`) and has made no call yet. What [`TlsAcceptor`](crate::TlsAcceptor) and
    /// [`TlsConnector`](crate::TlsConnector) do, for SSLs that come from elsewhere. Corresponds to `SSL_do_handshake`.
    pub fn handshake<S>(
        &self,
        terms: &Terms,
        ssl: impl FnOnce() -> Result<Ssl, ErrorStack> + Send + 'static,
        io: S,
    ) -> Handshake<S>
    where
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        Handshake::start(self, terms.clone(), ssl, io)
    }

    /// The inbox of the current worker, or else of the least busy one.
    pub(crate) fn choose(&self) -> Arc<Inbox> {
        self.current().map_or_else(|| self.least_busy(), |local| Arc::clone(&local.inbox))
    }

    /// Has the worker of an inbox begin something; the current one begins at once.
    pub(crate) fn run_on(&self, inbox: Arc<Inbox>, begin: impl FnOnce(Rc<Local>) + Send + 'static) {
        match self.current().filter(|local| Arc::ptr_eq(&local.inbox, &inbox)) {
            Some(local) => begin(local),
            None => inbox.send(Box::new(|| begin(Local::current().expect("tasks run on a worker")))),
        }
    }

    /// The worker of this pool that the current thread is.
    pub(crate) fn current(&self) -> Option<Rc<Local>> {
        Local::current().filter(|local| Arc::ptr_eq(&local.counters, &self.shared.counters))
    }

    /// The inbox of the worker with the fewest tasks; the current one's unless another has clearly fewer, as going to
    /// another thread costs more than a short wait.
    fn least_busy(&self) -> Arc<Inbox> {
        let Shared { inboxes, next, .. } = &*self.shared;
        let turn = next.fetch_add(1, Ordering::Relaxed) % inboxes.len();
        let (before, from) = inboxes.split_at(turn);
        let least = from.iter().chain(before).min_by_key(|inbox| inbox.load()).expect("a pool has workers");
        match self.current() {
            Some(local) if local.inbox.load() <= least.load() + CLEARLY => Arc::clone(&local.inbox),
            _ => Arc::clone(least),
        }
    }

    /// Fails where the pool takes nothing.
    fn check(&self) -> Result<(), Error> {
        if self.shared.stopped.load(Ordering::Relaxed) {
            return Err(Error::Cancelled);
        }
        self.shared.process.check()
    }

    /// Takes the places for a handshake.
    pub(crate) fn admit(&self, terms: &Terms) -> Result<Places, Error> {
        self.check()?;
        Places::take([terms.admission.as_ref(), self.shared.admission.as_ref()], &self.shared.counters)
    }

    pub(crate) fn counters(&self) -> &Arc<Counters> {
        &self.shared.counters
    }
}

impl WorkersBuilder {
    /// How many threads; by default one for each core, at most 4. At least 1.
    pub fn threads(mut self, threads: usize) -> Self {
        self.threads = threads.max(1);
        self
    }

    /// How many jobs each thread may have at once; more operations wait in a queue. By default 4096, 0 for no limit.
    ///
    /// A paused job takes the memory of its stack that it has touched, 10 KiB or so. Corresponds to the `max_size` of
    /// `ASYNC_init_thread`.
    pub fn jobs_per_thread(mut self, jobs: usize) -> Self {
        self.jobs_per_thread = jobs;
        self
    }

    /// Runs handshakes without jobs, as where [`is_capable`](crate::is_capable) is false: their calls are made on
    /// [`blocking_threads`](Self::blocking_threads), which a remote key blocks while it is asked.
    ///
    /// For tools that cannot follow fibres, such as ThreadSanitizer. Third-party sources do not pause then, and
    /// [`PinnedStream`](crate::PinnedStream)s compute on their worker.
    pub fn without_jobs(mut self) -> Self {
        self.jobs = false;
        self
    }

    /// How many threads the pool may have for handshakes that block, beside the workers; by default 64, at least one for
    /// each worker. Used only where jobs cannot pause: more handshakes wait for one of them.
    pub fn blocking_threads(mut self, threads: usize) -> Self {
        self.blocking_threads = threads;
        self
    }

    /// Runs at most `running` handshakes at once, on all threads together, and keeps `waiting` more, which are let in as
    /// they came. Beyond that they fail with [`Error::TooManyHandshakes`], and are counted as
    /// [`refused`](Metrics::refused). No limits by default; at least one runs. Limits of an acceptor's own:
    /// [`TlsAcceptor::set_max_handshakes`](crate::TlsAcceptor::set_max_handshakes).
    pub fn max_handshakes(mut self, running: usize, waiting: usize) -> Self {
        self.limits = Some((running, waiting));
        self
    }

    /// How long a third-party source has to complete the request of a connection that was given up, before the
    /// connection is counted as [`leaked`](Metrics::leaked) and left allocated. By default 60 seconds.
    pub fn drain_timeout(mut self, timeout: Duration) -> Self {
        self.drain_timeout = timeout;
        self
    }

    /// Has each worker call `start` before all else: to lower its priority, say, or to pin it to a core.
    ///
    /// Threads that a worker starts for calls that block inherit from it what the system has threads inherit.
    pub fn on_thread_start(mut self, start: impl Fn() + Send + Sync + 'static) -> Self {
        self.on_thread_start = Some(ThreadStart(Arc::new(start)));
        self
    }

    /// Starts the threads. Fails if the system gives no thread, or no event queue for its runtime.
    pub fn build(self) -> io::Result<Workers> {
        job::initialise();
        let max_jobs = (self.jobs && job::is_capable()).then_some(self.jobs_per_thread);
        let blocking_threads = self.blocking_threads.div_ceil(self.threads).max(1);
        let counters = Arc::<Counters>::default();
        let admission = self.limits.map(|(running, waiting)| Arc::new(Admission::new(running, waiting)));
        let mut shared = Shared {
            inboxes: Vec::new(),
            next: AtomicUsize::new(0),
            counters,
            process: Process::current(),
            admission,
            stopped: AtomicBool::new(false),
            running: watch::Sender::new(0),
        };
        for number in 0..self.threads {
            let inbox = Arc::<Inbox>::default();
            let runtime = Builder::new_current_thread()
                .enable_all()
                .on_thread_park(before_park)
                .on_thread_unpark(after_unpark)
                .max_blocking_threads(blocking_threads)
                .thread_name("libssl-async-blocking")
                .build()?;
            let drain = (self.drain_timeout, Arc::clone(&shared.counters));
            let running = shared.running.clone();
            running.send_modify(|running| *running += 1);
            let (inbox_there, admission) = (Arc::clone(&inbox), shared.admission.clone());
            let start = self.on_thread_start.clone();
            thread::Builder::new().name(format!("libssl-async-{number}")).spawn(move || {
                if let Some(ThreadStart(start)) = start {
                    // A panic has been reported, and the worker works all the same.
                    let _ = catch_unwind(AssertUnwindSafe(|| start()));
                }
                let (timeout, counters) = drain;
                let drain = Drain::new(timeout);
                let local = Local::enter(max_jobs, drain, inbox_there, counters, admission);
                let local = local.expect("a thread's first job pool");
                exit::inside(|| work(&runtime, local));
                running.send_modify(|running| *running -= 1);
            })?;
            // From here on, dropping `shared` ends the thread.
            shared.inboxes.push(inbox);
        }
        Ok(Workers { shared: Arc::new(shared) })
    }
}

fn before_park() {
    if let Some(local) = Local::current() {
        local.before_park();
    }
    exit::leave();
}

fn after_unpark() {
    exit::enter();
}

/// A worker's life.
fn work(runtime: &Runtime, local: Rc<Local>) {
    loop {
        let tasks = LocalSet::new();
        runtime.block_on(tasks.run_until(Rc::clone(&local).run()));
        drop(tasks);
        // Tasks of the user's that the worker does not wait for may have held connections whose jobs are paused.
        if local.drain.is_empty() {
            break;
        }
    }
    Local::leave();
}

impl Drop for Shared {
    fn drop(&mut self) {
        if !self.process.is_current() {
            // Nobody is there to be told, and a thread that is not may hold the locks.
            return;
        }
        for inbox in &self.inboxes {
            inbox.close();
        }
    }
}

impl fmt::Debug for ThreadStart {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Fn")
    }
}

impl fmt::Debug for Workers {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Workers").field("threads", &self.shared.inboxes.len()).finish_non_exhaustive()
    }
}

/// What became of connections that were given up while their job was paused; of [`Workers::shutdown`] and
/// [`Terms::ended`](crate::Terms::ended).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Shutdown {
    /// Connections whose jobs have ended since, and that were freed.
    pub drained: u64,
    /// Connections whose third-party source has not answered in time: left allocated on purpose.
    pub leaked: u64,
}

/// The result of a future that runs on a worker.
#[derive(Debug)]
pub struct PinnedTask<T> {
    result: Result<oneshot::Receiver<T>, Error>,
}

impl<T> Future for PinnedTask<T> {
    /// Fails with [`Error::Cancelled`] if the future panicked, with [`Error::Forked`] in a child of the pool's process.
    type Output = Result<T, Error>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        match &mut self.result {
            Ok(receiver) => Pin::new(receiver).poll(context).map_err(|_| Error::Cancelled),
            Err(error) => Poll::Ready(Err(error.clone())),
        }
    }
}
