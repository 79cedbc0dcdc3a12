//! The two ends that all schedules disturb: their keys are remote, and answer when their schedule says so.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, LazyLock, Mutex, PoisonError};
use std::time::Duration;

use libssl_async::keys::{Answer, KeyHandler, RemoteKey, SignRequest};
use libssl_async::{TlsAcceptor, TlsConnector, Workers};
use openssl::hash::MessageDigest;
use openssl::pkey::{PKey, Private};
use openssl::sign::Signer;
use openssl::ssl::SslSessionCacheMode;
use tokio::io::{DuplexStream, duplex};
use tokio::runtime::{Builder, Runtime};
use tokio::time::timeout;

use crate::schedule::Schedule;
use crate::support::Identity;

pub(crate) struct Ends {
    pub(crate) workers: Workers,
    pub(crate) acceptor: TlsAcceptor,
    pub(crate) connector: TlsConnector,
    /// Its reads pause, once for each ticket that comes.
    pub(crate) pausing: TlsConnector,
    runtime: Runtime,
    answers: Answers,
    /// How often keys were asked.
    requests: Arc<AtomicU64>,
}

/// When keys answer.
type Answers = Arc<Mutex<Schedule>>;

static ENDS: LazyLock<Ends> = LazyLock::new(Ends::new);

/// One at a time, as all use the same keys.
static TURN: Mutex<()> = Mutex::new(());

/// How long one schedule may take: nothing waits for longer than its turn to run.
const LONGEST: Duration = Duration::from_secs(60);

/// Runs `future` between the two ends, with keys that answer as `answers` says; nothing may be left over.
pub(crate) fn run<F: Future>(answers: Schedule, future: impl FnOnce(&'static Ends) -> F) -> F::Output {
    let _turn = TURN.lock().unwrap_or_else(PoisonError::into_inner);
    let ends = &*ENDS;
    *ends.answers.lock().unwrap() = answers;
    ends.runtime.block_on(async {
        let output = timeout(LONGEST, future(ends)).await.expect("it ends");
        for _ in 0..10_000_000 {
            let metrics = ends.workers.metrics();
            if (metrics.in_flight, metrics.paused) == (0, 0) && metrics.pauses == metrics.resumes {
                // A job that goes on before its completion asks and pauses again (rules 7 and 31).
                assert_eq!(metrics.pauses, ends.requests.load(Ordering::SeqCst));
                return output;
            }
            tokio::task::yield_now().await;
        }
        panic!("{:?}", ends.workers.metrics());
    })
}

/// Two ends of memory with room for `size` bytes each way.
pub(crate) fn transports(size: usize) -> (DuplexStream, DuplexStream) {
    duplex(size.max(1))
}

impl Ends {
    fn new() -> Self {
        let workers = Workers::builder().threads(2).build().unwrap();
        let runtime = Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        let answers = Answers::new(Mutex::new(Schedule::deal::<1>(&[])[0].clone()));
        let local = Identity::p256();
        let requests = Arc::<AtomicU64>::default();
        let answering = Answering {
            key: local.key.clone(),
            answers: Arc::clone(&answers),
            requests: Arc::clone(&requests),
            runtime: runtime.handle().clone(),
        };
        let key = RemoteKey::builder(&local.key).handler(answering).build().unwrap();
        let server = Identity { key: key.clone(), certificate: local.certificate.clone() };
        let mut settings = local.connector();
        settings.set_session_cache_mode(SslSessionCacheMode::CLIENT | SslSessionCacheMode::NO_INTERNAL);
        settings.set_new_session_callback(move |_, _| drop(sign(&key, b"a session")));
        Self {
            acceptor: TlsAcceptor::new(server.acceptor().build(), &workers),
            connector: TlsConnector::new(local.connector().build(), &workers),
            pausing: TlsConnector::new(settings.build(), &workers),
            workers,
            runtime,
            answers,
            requests,
        }
    }
}

/// Answers from within the request, or from another thread, or later from there.
struct Answering {
    key: PKey<Private>,
    answers: Answers,
    requests: Arc<AtomicU64>,
    runtime: tokio::runtime::Handle,
}

impl KeyHandler for Answering {
    fn sign(&self, request: SignRequest, answer: Answer) {
        self.requests.fetch_add(1, Ordering::SeqCst);
        let yields = self.answers.lock().unwrap().draw();
        if yields == 0 {
            answer.complete(Ok(sign(&self.key, &request.message)));
            return;
        }
        let key = self.key.clone();
        self.runtime.spawn(async move {
            for _ in 1..yields {
                tokio::task::yield_now().await;
            }
            answer.complete(Ok(sign(&key, &request.message)));
        });
    }
}

fn sign(key: &PKey<Private>, message: &[u8]) -> Vec<u8> {
    Signer::new(MessageDigest::sha256(), key).unwrap().sign_oneshot_to_vec(message).unwrap()
}
