//! The pausing protocol: how a job waits for a thread that completes its operation.
//!
//! 1. The fibre makes an [`Operation`] that knows the callback of its wait context, hands the request on, and waits.
//! 2. It pauses at least once, even if the operation is complete by then: the callback of every completion stores a
//!    permit that resumes the job, and one left over would resume a later operation too early (rule 31).
//! 3. Some thread completes the operation: pending → completing, then the callback runs, then → done. The first
//!    completion counts, so that cancelling is nothing but completing with an error, and a late answer is dropped.
//! 4. The callback resumes the job, maybe before it has returned. The fibre waits for *done*, so that the connection
//!    cannot be freed under a callback that still runs (rule 32).
//!
//! Where pausing is blocked, the fibre waits on a condition variable in place of 2 (rule 33). So does whoever waits
//! outside a job.

use std::ffi::{c_int, c_void};

use crate::sync::{Condvar, Mutex, lock};

/// Something that one thread waits for and another completes.
pub(crate) struct Operation<T> {
    notify: Option<Notify>,
    state: Mutex<State<T>>,
    done: Condvar,
}

enum State<T> {
    Pending,
    /// The callback is running.
    Completing,
    Done(Option<T>),
}

impl<T> Operation<T> {
    /// An operation whose completion is told to `notify`, if a job is going to pause for it.
    pub(crate) fn new(notify: Option<Notify>) -> Self {
        Self { notify, state: Mutex::new(State::Pending), done: Condvar::new() }
    }

    /// Waits on the fibre of a job. Returns whether the job has paused, too; if not, the permit that the callback
    /// stored is left over.
    ///
    /// `pause` pauses the job and returns when it is resumed: true; or, if pausing is blocked, at once: false.
    pub(crate) fn wait_in_job(&self, mut pause: impl FnMut() -> bool) -> (T, bool) {
        let mut paused = pause();
        // Only a completion resumes a job (rule 7). Whoever resumes it earlier finds it paused again.
        while paused && self.is_pending() {
            paused = pause();
        }
        (self.wait(), paused)
    }

    /// Blocks the thread until the operation is done.
    pub(crate) fn wait(&self) -> T {
        let mut state = lock(&self.state);
        loop {
            if let State::Done(outcome) = &mut *state {
                return outcome.take().expect("one waits for an operation, once");
            }
            state = self.done.wait(state).unwrap_or_else(|poisoned| poisoned.into_inner());
        }
    }

    /// Completes the operation, from any thread; returns the outcome if it is complete already.
    pub(crate) fn complete(&self, outcome: T) -> Result<(), T> {
        self.complete_counted(outcome, |_| ())
    }

    /// As [`Operation::complete`]. Has the outcome that counts counted before anybody hears of it.
    pub(crate) fn complete_counted(&self, outcome: T, count: impl FnOnce(&T)) -> Result<(), T> {
        {
            let mut state = lock(&self.state);
            if !matches!(*state, State::Pending) {
                return Err(outcome);
            }
            *state = State::Completing;
        }
        count(&outcome);
        if let Some(notify) = &self.notify {
            notify.call();
        }
        *lock(&self.state) = State::Done(Some(outcome));
        self.done.notify_one();
        Ok(())
    }

    pub(crate) fn is_pending(&self) -> bool {
        matches!(*lock(&self.state), State::Pending)
    }
}

/// The callback of a wait context.
pub(crate) struct Notify {
    callback: unsafe extern "C" fn(*mut c_void) -> c_int,
    argument: *mut c_void,
}

impl Notify {
    /// # Safety
    /// `callback` may be called with `argument` on any thread, until the wait for the [`Operation`] that it is for
    /// has returned.
    pub(crate) unsafe fn new(callback: unsafe extern "C" fn(*mut c_void) -> c_int, argument: *mut c_void) -> Self {
        Self { callback, argument }
    }

    fn call(&self) {
        // SAFETY: called by `complete` before *done*, so before the wait returns: as `new` demands (rules 12 and 32).
        unsafe { (self.callback)(self.argument) };
    }
}

// SAFETY: `new` demands that the callback may be called with the argument on any thread.
unsafe impl Send for Notify {}
// SAFETY: as above.
unsafe impl Sync for Notify {}

#[cfg(all(test, not(model)))]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::thread;

    use super::*;

    unsafe extern "C" fn count(argument: *mut c_void) -> c_int {
        // SAFETY: the tests pass a counter that outlives the operation.
        unsafe { &*argument.cast::<AtomicUsize>() }.fetch_add(1, Ordering::SeqCst);
        1
    }

    fn notify(counter: &AtomicUsize) -> Notify {
        // SAFETY: counters may be used from any thread and outlive the wait.
        unsafe { Notify::new(count, std::ptr::from_ref(counter).cast_mut().cast()) }
    }

    #[test]
    fn the_first_completion_counts() {
        let callbacks = AtomicUsize::new(0);
        let operation = Operation::new(Some(notify(&callbacks)));
        assert!(operation.is_pending());
        assert_eq!(operation.complete(1), Ok(()));
        assert_eq!(operation.complete(2), Err(2));
        assert_eq!(operation.wait(), 1);
        assert_eq!(operation.complete(3), Err(3));
        assert_eq!(callbacks.load(Ordering::SeqCst), 1);
    }

    #[test]
    fn a_job_pauses_once_even_if_the_operation_is_complete() {
        let operation = Operation::new(None);
        operation.complete(1).unwrap();
        let mut pauses = 0;
        let (outcome, paused) = operation.wait_in_job(|| {
            pauses += 1;
            true
        });
        assert_eq!((outcome, paused, pauses), (1, true, 1));
    }

    #[test]
    fn a_job_that_is_resumed_too_early_pauses_again() {
        let operation = Operation::new(None);
        let mut pauses = 0;
        let (outcome, paused) = operation.wait_in_job(|| {
            pauses += 1;
            if pauses == 3 {
                operation.complete(1).unwrap();
            }
            true
        });
        assert_eq!((outcome, paused, pauses), (1, true, 3));
    }

    #[test]
    fn where_pausing_is_blocked_the_thread_waits_after_one_try() {
        let operation = Arc::new(Operation::new(None));
        let (asked, tried) = std::sync::mpsc::channel();
        let completer = thread::spawn({
            let operation = Arc::clone(&operation);
            move || {
                tried.recv().unwrap();
                operation.complete(1)
            }
        });
        let mut tries = 0;
        let (outcome, paused) = operation.wait_in_job(|| {
            tries += 1;
            asked.send(()).unwrap();
            false
        });
        assert_eq!((outcome, paused, tries), (1, false, 1));
        completer.join().unwrap().unwrap();
    }

    #[test]
    fn the_wait_ends_after_the_callback() {
        struct Slow {
            called: std::sync::Barrier,
            returned: AtomicUsize,
        }
        unsafe extern "C" fn slow(argument: *mut c_void) -> c_int {
            // SAFETY: the test passes a value that outlives the operation.
            let slow = unsafe { &*argument.cast::<Slow>() };
            slow.called.wait();
            for _ in 0..1000 {
                thread::yield_now();
            }
            slow.returned.store(1, Ordering::SeqCst);
            1
        }
        let slow_callback = Slow { called: std::sync::Barrier::new(2), returned: AtomicUsize::new(0) };
        // SAFETY: the value may be used from any thread and outlives the wait.
        let notify = unsafe { Notify::new(slow, (&raw const slow_callback).cast_mut().cast()) };
        let operation = Operation::new(Some(notify));
        thread::scope(|scope| {
            scope.spawn(|| operation.complete(()));
            // The job is resumed by the callback, while it runs.
            let (_, paused) = operation.wait_in_job(|| {
                slow_callback.called.wait();
                true
            });
            assert!(paused);
            assert_eq!(slow_callback.returned.load(Ordering::SeqCst), 1);
        });
    }
}

#[cfg(all(test, model))]
mod model {
    use loom::sync::Arc;
    use loom::sync::atomic::{AtomicBool, Ordering};
    use loom::thread;

    use super::*;

    /// What a connection is to its source: a permit, and memory that is freed when the job is over.
    struct Connection {
        permit: Mutex<bool>,
        completed: Condvar,
        freed: AtomicBool,
    }

    unsafe extern "C" fn callback(argument: *mut c_void) -> c_int {
        // SAFETY: the model's connection outlives the model's threads; what it models as freed is checked here.
        let connection = unsafe { &*argument.cast::<Connection>() };
        *lock(&connection.permit) = true;
        connection.completed.notify_one();
        assert!(!connection.freed.load(Ordering::SeqCst), "rule 32");
        1
    }

    #[test]
    fn one_completion_wins_and_the_connection_outlives_its_callback() {
        loom::model(|| {
            let connection = Arc::new(Connection {
                permit: Mutex::new(false),
                completed: Condvar::new(),
                freed: AtomicBool::new(false),
            });
            // SAFETY: as in `callback`.
            let notify = unsafe { Notify::new(callback, (&raw const *connection).cast_mut().cast()) };
            let operation = Arc::new(Operation::new(Some(notify)));
            let completers = [1, 2].map(|outcome| {
                let (operation, connection) = (Arc::clone(&operation), Arc::clone(&connection));
                thread::spawn(move || {
                    let won = operation.complete(outcome).is_ok();
                    drop(connection);
                    won
                })
            });
            let (_, paused) = operation.wait_in_job(|| {
                let mut permit = lock(&connection.permit);
                while !*permit {
                    permit = connection.completed.wait(permit).unwrap();
                }
                *permit = false;
                true
            });
            connection.freed.store(true, Ordering::SeqCst);
            assert!(paused);
            let won = completers.map(|completer| completer.join().unwrap());
            assert_ne!(won[0], won[1]);
            assert!(!*lock(&connection.permit), "rule 31");
        });
    }
}
