//! Remote keys in real jobs, without TLS around them.

#[path = "../../tests/local_key/mod.rs"]
mod local_key;

use std::ffi::{c_int, c_void};
use std::ptr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, mpsc};

use libssl_async_sys as sys;
use openssl::error::ErrorStack;
use openssl::pkey::{PKey, Private};
use openssl::sign::Signer;

use super::*;
use crate::Error;
use crate::completion::{Inbox, Signal};
use crate::job;
use crate::terms::Terms;

const SIGNATURE: [u8; 64] = [9; 64];

/// What one test needs of a thread and a connection.
struct Driver {
    inbox: Arc<Inbox>,
    signal: Arc<Signal>,
    context: *mut sys::ASYNC_WAIT_CTX,
    job: *mut sys::ASYNC_JOB,
    /// Whether our connection drives the job.
    ours: bool,
}

/// What a job does, and what comes of it.
struct Work<'a> {
    key: &'a PKey<Private>,
    block_pause: bool,
    result: Option<Result<Vec<u8>, ErrorStack>>,
}

impl Driver {
    fn new(ours: bool) -> Self {
        let inbox = Arc::<Inbox>::default();
        let signal = Signal::new(Arc::clone(&inbox), Arc::default(), &Terms::default());
        // SAFETY: the signal outlives the context, as `drop` shows, and may be used from any thread.
        let context = unsafe {
            let context = sys::ASYNC_WAIT_CTX_new();
            sys::ASYNC_WAIT_CTX_set_callback(context, Some(complete), Arc::as_ptr(&signal).cast_mut().cast());
            context
        };
        Self { inbox, signal, context, job: ptr::null_mut(), ours }
    }

    /// Starts the job or resumes it; returns whether it ended.
    fn step(&mut self, work: &mut Work<'_>) -> bool {
        let mut result = 0;
        let mut argument: *mut c_void = ptr::from_mut(work).cast();
        let mut start = || {
            // SAFETY: the tests keep the work in its place while the job lives, which this thread alone drives (rule 1).
            unsafe {
                sys::ASYNC_start_job(
                    &mut self.job,
                    self.context,
                    &mut result,
                    Some(run),
                    (&raw mut argument).cast(),
                    size_of::<*mut c_void>(),
                )
            }
        };
        match if self.ours { job::drive(&self.signal, start) } else { start() } {
            sys::ASYNC_PAUSE => false,
            sys::ASYNC_FINISH => true,
            other => panic!("ASYNC_start_job returned {other}"),
        }
    }
}

impl Drop for Driver {
    fn drop(&mut self) {
        // SAFETY: no job is paused with the context.
        unsafe { sys::ASYNC_WAIT_CTX_free(self.context) };
        self.inbox.deliver();
    }
}

unsafe extern "C" fn complete(signal: *mut c_void) -> c_int {
    let signal = signal.cast::<Signal>().cast_const();
    // SAFETY: the driver holds a reference.
    let signal = unsafe {
        Arc::increment_strong_count(signal);
        Arc::from_raw(signal)
    };
    Signal::complete(&signal);
    1
}

unsafe extern "C" fn run(argument: *mut c_void) -> c_int {
    // SAFETY: `step` passes a pointer to a pointer to the work.
    let work = unsafe { &mut **argument.cast::<*mut Work<'_>>() };
    // SAFETY: the two calls go together.
    unsafe {
        if work.block_pause {
            sys::ASYNC_block_pause();
        }
        work.result = Some(sign(work.key));
        if work.block_pause {
            sys::ASYNC_unblock_pause();
        }
    }
    1
}

fn sign(key: &PKey<Private>) -> Result<Vec<u8>, ErrorStack> {
    Signer::new_without_digest(key)?.sign_oneshot_to_vec(b"message")
}

impl<'a> Work<'a> {
    fn new(key: &'a PKey<Private>) -> Self {
        Self { key, block_pause: false, result: None }
    }

    fn signature(self) -> Vec<u8> {
        self.result.expect("the job ended").expect("it signed")
    }
}

/// Answers at once, or keeps the answer until it is asked for.
#[derive(Clone, Default)]
struct Scripted {
    at_once: Arc<AtomicUsize>,
    kept: Arc<Mutex<Vec<(SignRequest, Answer)>>>,
}

impl KeyHandler for Scripted {
    fn sign(&self, request: SignRequest, answer: Answer) {
        let at_once = self.at_once.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |count| count.checked_sub(1));
        if at_once.is_ok() {
            answer.complete(Ok(SIGNATURE.to_vec()));
        } else {
            self.kept.lock().unwrap().push((request, answer));
        }
    }
}

impl Scripted {
    fn key(&self) -> PKey<Private> {
        let public = PKey::generate_ed25519().unwrap();
        RemoteKey::builder(&public).handler(self.clone()).build().unwrap()
    }

    fn next(&self) -> (SignRequest, Answer) {
        self.kept.lock().unwrap().remove(0)
    }
}

#[test]
fn a_job_of_ours_pauses_until_the_answer() {
    let handler = Scripted::default();
    let key = handler.key();
    let mut driver = Driver::new(true);
    let mut work = Work::new(&key);
    assert!(!driver.step(&mut work));
    assert!(!driver.signal.take_permit());
    // SAFETY: the context is valid.
    assert_eq!(unsafe { sys::ASYNC_WAIT_CTX_get_status(driver.context) }, sys::ASYNC_STATUS_OK);

    let (request, answer) = handler.next();
    assert_eq!(request.connection, Some(driver.signal.id()));
    assert!(std::thread::spawn(move || answer.complete(Ok(SIGNATURE.to_vec()))).join().unwrap());
    assert!(driver.signal.take_permit());
    assert!(driver.step(&mut work));
    assert_eq!(work.signature(), SIGNATURE);
    assert!(!driver.signal.cancel_request(), "the request is forgotten");
    assert!(!request.cancellation.is_cancelled());
}

#[test]
fn an_answer_before_the_pause_resumes_no_later_operation() {
    let handler = Scripted::default();
    handler.at_once.store(1, Ordering::SeqCst);
    let key = handler.key();
    let mut driver = Driver::new(true);

    let mut first = Work::new(&key);
    assert!(!driver.step(&mut first), "rule 31: it pauses though the answer is there");
    assert!(driver.signal.take_permit());
    assert!(driver.step(&mut first));
    assert_eq!(first.signature(), SIGNATURE);

    let mut second = Work::new(&key);
    assert!(!driver.step(&mut second));
    assert!(!driver.signal.take_permit(), "rule 31: no permit is left over");
    handler.next().1.complete(Ok(SIGNATURE.to_vec()));
    assert!(driver.signal.take_permit());
    assert!(driver.step(&mut second));
}

#[test]
fn a_job_that_is_resumed_without_an_answer_pauses_again() {
    let handler = Scripted::default();
    let key = handler.key();
    let mut driver = Driver::new(true);
    let mut work = Work::new(&key);
    for _ in 0..3 {
        assert!(!driver.step(&mut work));
    }
    handler.next().1.complete(Ok(SIGNATURE.to_vec()));
    assert!(driver.step(&mut work));
    assert_eq!(work.signature(), SIGNATURE);
}

#[test]
fn where_pausing_is_blocked_the_thread_waits_and_no_permit_is_left() {
    let (sender, receiver) = mpsc::channel::<Answer>();
    struct Elsewhere(mpsc::Sender<Answer>);
    impl KeyHandler for Elsewhere {
        fn sign(&self, _: SignRequest, answer: Answer) {
            self.0.send(answer).unwrap();
        }
    }
    let public = PKey::generate_ed25519().unwrap();
    let key = RemoteKey::builder(&public).handler(Elsewhere(sender)).build().unwrap();
    let signer = std::thread::spawn(move || receiver.recv().unwrap().complete(Ok(SIGNATURE.to_vec())));

    let mut driver = Driver::new(true);
    let mut work = Work { block_pause: true, ..Work::new(&key) };
    assert!(driver.step(&mut work), "rule 33");
    assert_eq!(work.signature(), SIGNATURE);
    assert!(signer.join().unwrap());
    assert!(!driver.signal.take_permit(), "rule 31");
}

#[test]
fn a_job_of_somebody_else_never_pauses() {
    let (sender, receiver) = mpsc::channel();
    let public = PKey::generate_ed25519().unwrap();
    let key = RemoteKey::builder(&public)
        .sign_fn(move |request| {
            sender.send(request.connection).unwrap();
            async { Ok::<_, KeyError>(SIGNATURE.to_vec()) }
        })
        .build()
        .unwrap();
    let mut driver = Driver::new(false);
    let mut work = Work::new(&key);
    assert!(driver.step(&mut work), "rule 36");
    assert_eq!(work.signature(), SIGNATURE);
    assert_eq!(receiver.recv().unwrap(), None);
    assert!(!driver.signal.take_permit());
}

#[test]
fn a_cancelled_request_fails_and_its_late_answer_is_dropped() {
    let handler = Scripted::default();
    let key = handler.key();
    let mut driver = Driver::new(true);
    let mut work = Work::new(&key);
    assert!(!driver.step(&mut work));
    let (request, answer) = handler.next();
    let (told, cancelled) = mpsc::channel();
    request.cancellation.on_cancel(move || told.send(()).unwrap());
    request.cancellation.on_cancel(|| panic!("ends in the cancellation"));

    assert!(driver.signal.cancel_request());
    cancelled.try_recv().unwrap();
    assert!(request.cancellation.is_cancelled());
    assert!(driver.signal.take_permit());
    assert!(driver.step(&mut work));
    work.result.unwrap().unwrap_err();
    assert!(matches!(driver.signal.take_failure(), Some(Error::Key(KeyError::Cancelled))));

    assert!(!answer.complete(Ok(SIGNATURE.to_vec())));
    assert!(!driver.signal.take_permit());
    assert!(!driver.signal.cancel_request());
}

#[test]
fn a_request_that_nobody_will_answer_fails() {
    struct Losing;
    impl KeyHandler for Losing {
        fn sign(&self, _: SignRequest, _: Answer) {}
    }
    let public = PKey::generate_ed25519().unwrap();
    let ended = tokio::runtime::Builder::new_current_thread().build().unwrap().handle().clone();
    let unanswered = async |_: SignRequest| Ok::<_, KeyError>(SIGNATURE.to_vec());
    let keys = [
        RemoteKey::builder(&public).handler(Losing).build().unwrap(),
        RemoteKey::builder(&public)
            .sign_fn(move |request| Box::pin(unanswered(request)))
            .handle(ended)
            .build()
            .unwrap(),
    ];
    for key in keys {
        let mut driver = Driver::new(true);
        let mut work = Work::new(&key);
        assert!(!driver.step(&mut work));
        assert!(driver.signal.take_permit());
        assert!(driver.step(&mut work));
        work.result.unwrap().unwrap_err();
        assert!(matches!(driver.signal.take_failure(), Some(Error::Key(KeyError::Dropped))));
    }
}

#[test]
fn many_jobs_pause_for_one_key() {
    let handler = Scripted::default();
    let key = handler.key();
    let mut jobs: Vec<_> = (0..100).map(|_| (Driver::new(true), Work::new(&key))).collect();
    for (driver, work) in &mut jobs {
        assert!(!driver.step(work));
    }
    let signers: Vec<_> = (0..4)
        .map(|_| {
            let handler = handler.clone();
            std::thread::spawn(move || {
                while let Some((_, answer)) = { handler.kept.lock().unwrap().pop() } {
                    assert!(answer.complete(Ok(SIGNATURE.to_vec())));
                }
            })
        })
        .collect();
    signers.into_iter().for_each(|signer| signer.join().unwrap());
    for (driver, work) in &mut jobs {
        assert!(driver.signal.take_permit());
        assert!(driver.step(work));
        assert_eq!(work.result.take().unwrap().unwrap(), SIGNATURE);
    }
}

#[test]
fn a_meter_counts_each_request_once_and_how_it_ended() {
    let handler = Scripted::default();
    let meter = KeyMeter::new();
    let public = PKey::generate_ed25519().unwrap();
    let builder = RemoteKey::builder(&public).handler(handler.clone()).meter(&meter);
    let key = builder.concurrency(1).build().unwrap();
    let mut drivers = [(); 4].map(|()| Driver::new(true));
    let mut works = [(); 4].map(|()| Work::new(&key));
    for (driver, work) in drivers.iter_mut().zip(&mut works) {
        assert!(!driver.step(work));
    }
    let stats = meter.stats();
    assert_eq!((stats.requests, stats.in_flight, stats.waiting), (4, 4, 3));

    // The last one waits when it is cancelled, the others are with the signer when they end.
    assert!(drivers[3].signal.cancel_request());
    let (_, late) = handler.next();
    assert!(drivers[0].signal.cancel_request());
    assert!(!late.complete(Ok(SIGNATURE.to_vec())));
    handler.next().1.complete(Err("the token was removed".into()));
    handler.next().1.complete(Ok(SIGNATURE.to_vec()));
    for (driver, work) in drivers.iter_mut().zip(&mut works) {
        assert!(driver.step(work));
    }
    let stats = meter.stats();
    assert_eq!((stats.requests, stats.in_flight, stats.waiting), (4, 0, 0));
    assert_eq!((stats.answered, stats.failed, stats.cancelled, stats.timed_out), (1, 1, 2, 0));
    assert_eq!(stats.time.counts.iter().sum::<u64>(), 1);
}
