//! Signers that are futures, run on a tokio runtime.

use std::future::poll_fn;
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::pin;
use std::sync::{Arc, Mutex, mpsc};
use std::task::Poll;
use std::thread;

use tokio::runtime::{Builder, Handle};

use super::{Answer, Cancellation, DecryptRequest, KeyError, KeyFuture, KeyHandler, SignRequest};
use crate::process::Process;

/// Has a future made for each request, in a task of its own.
pub(super) struct Spawn {
    pub(super) sign: Method<SignRequest>,
    pub(super) decrypt_raw: Method<DecryptRequest>,
    pub(super) runtime: Handle,
    /// The runtime's threads are those of this process.
    pub(super) process: Process,
}

pub(super) type Method<R> = Arc<dyn Fn(R) -> KeyFuture + Send + Sync>;

impl KeyHandler for Spawn {
    fn sign(&self, request: SignRequest, answer: Answer) {
        let cancellation = request.cancellation.clone();
        self.spawn(run(Arc::clone(&self.sign), request, cancellation, answer));
    }

    fn decrypt_raw(&self, request: DecryptRequest, answer: Answer) {
        let cancellation = request.cancellation.clone();
        self.spawn(run(Arc::clone(&self.decrypt_raw), request, cancellation, answer));
    }
}

impl Spawn {
    /// Has the future run, which holds the answer: dropped here, or with the runtime, it fails the request.
    fn spawn(&self, future: impl Future<Output = ()> + Send + 'static) {
        if self.process.is_current() {
            self.runtime.spawn(Box::pin(future));
        }
    }
}

/// Answers with what the future of `method` resolves to. If the runtime ends before, the answer is dropped.
async fn run<R>(method: Method<R>, request: R, cancellation: Cancellation, answer: Answer) {
    // A panic has been reported by the panic hook; here it becomes the error of the request.
    let Ok(mut future) = catch_unwind(AssertUnwindSafe(|| method(request))) else {
        answer.complete(Err(KeyError::Panicked.into()));
        return;
    };
    let mut cancelled = pin!(cancellation.cancelled());
    let result = poll_fn(|context| {
        if cancelled.as_mut().poll(context).is_ready() {
            return Poll::Ready(None);
        }
        let poll = catch_unwind(AssertUnwindSafe(|| future.as_mut().poll(context)));
        poll.unwrap_or_else(|_| Poll::Ready(Err(KeyError::Panicked.into()))).map(Some)
    })
    .await;
    if let Some(result) = result {
        answer.complete(result);
    }
}

/// The runtime for signers that were given none, and for deadlines: one thread of the process, started when first used.
pub(super) fn own_runtime() -> io::Result<Handle> {
    static OWN: Mutex<Option<(Process, Handle)>> = Mutex::new(None);
    let mut own = OWN.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
    if let Some((process, handle)) = &*own
        && process.is_current()
    {
        return Ok(handle.clone());
    }
    let (sender, receiver) = mpsc::channel();
    thread::Builder::new().name("libssl-async-keys".to_owned()).spawn(move || {
        match Builder::new_current_thread().enable_all().build() {
            Ok(runtime) => {
                let _ = sender.send(Ok(runtime.handle().clone()));
                runtime.block_on(std::future::pending::<()>());
            }
            Err(error) => drop(sender.send(Err(error))),
        }
    })?;
    let handle = receiver.recv().map_err(io::Error::other)??;
    *own = Some((Process::current(), handle.clone()));
    Ok(handle)
}
