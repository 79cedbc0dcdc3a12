//! No wake-up is lost between the thread that completes and the worker, in whatever order they run.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Wake, Waker};

use loom::thread;

use super::{Inbox, Signal};
use crate::sync::{Condvar, Mutex, lock};
use crate::terms::Terms;

/// A wake-up that one waits for: of the worker's thread, or of a task.
#[derive(Default)]
struct WakeUp {
    came: Mutex<bool>,
    changed: Condvar,
}

impl Wake for WakeUp {
    fn wake(self: Arc<Self>) {
        *lock(&self.came) = true;
        self.changed.notify_one();
    }
}

impl WakeUp {
    fn came(&self) -> bool {
        std::mem::take(&mut lock(&self.came))
    }

    /// Loom tells of a wait that nothing ends.
    fn wait(&self) {
        let mut came = lock(&self.came);
        while !std::mem::take(&mut *came) {
            came = self.changed.wait(came).unwrap();
        }
    }
}

/// The worker's root future: takes what is in the inbox, until `done`, and waits to be woken in between.
fn work(inbox: &Inbox, mut done: impl FnMut(Vec<super::inbox::Task>, bool) -> bool) {
    let thread = Arc::<WakeUp>::default();
    let waker = Waker::from(Arc::clone(&thread));
    loop {
        let (tasks, closed, _stopped) = inbox.take(&waker);
        if done(tasks, closed) {
            return;
        }
        thread.wait();
    }
}

fn complete_elsewhere(signal: &Arc<Signal>) -> thread::JoinHandle<()> {
    let signal = Arc::clone(signal);
    thread::spawn(move || Signal::complete(&signal))
}

fn signal(inbox: &Arc<Inbox>) -> Arc<Signal> {
    Signal::new(Arc::clone(inbox), Arc::default(), &Terms::default())
}

#[test]
fn every_completion_wakes_its_task() {
    loom::model(|| {
        let inbox = Arc::<Inbox>::default();
        let signals = [signal(&inbox), signal(&inbox)];
        let completers = signals.each_ref().map(complete_elsewhere);
        let tasks: [Arc<WakeUp>; 2] = Default::default();
        let mut waits = [true, true];
        let mut poll = |task: usize| {
            let waker = Waker::from(Arc::clone(&tasks[task]));
            waits[task] = signals[task].poll_completed(&mut Context::from_waker(&waker)).is_pending();
            waits
        };
        let mut waits = [poll(0)[0], poll(1)[1]];
        work(&inbox, |_, _| {
            for task in [0, 1] {
                if waits[task] && tasks[task].came() {
                    waits = poll(task);
                    assert!(!waits[task], "it was woken for nothing");
                }
            }
            waits == [false, false]
        });
        assert!(signals.iter().all(|signal| signal.take_permit() && !signal.take_permit()));
        completers.map(|completer| completer.join().unwrap());
    });
}

/// What a handshake waited for, its drain waits for in its place (rule 11).
#[test]
fn a_completion_during_the_hand_over_wakes_the_drain() {
    loom::model(|| {
        let inbox = Arc::<Inbox>::default();
        let signal = signal(&inbox);
        let completer = complete_elsewhere(&signal);
        let handshake = Waker::from(Arc::<WakeUp>::default());
        let _ = signal.poll_completed(&mut Context::from_waker(&handshake));
        // Anything may be delivered in between, as by another connection's step.
        inbox.deliver();
        let drain = Arc::<WakeUp>::default();
        let waker = Waker::from(Arc::clone(&drain));
        let mut waits = signal.poll_completed(&mut Context::from_waker(&waker)).is_pending();
        work(&inbox, |_, _| {
            waits = waits && !drain.came();
            !waits
        });
        assert!(signal.take_permit());
        completer.join().unwrap();
    });
}

#[test]
fn a_worker_starts_every_task_before_it_ends() {
    loom::model(|| {
        let inbox = Arc::<Inbox>::default();
        let started = Arc::<AtomicUsize>::default();
        let sender = {
            let (inbox, started) = (Arc::clone(&inbox), Arc::clone(&started));
            thread::spawn(move || {
                for _ in 0..2 {
                    let started = Arc::clone(&started);
                    inbox.send(Box::new(move || drop(started.fetch_add(1, Ordering::Relaxed))));
                }
                inbox.close();
            })
        };
        work(&inbox, |tasks, closed| {
            tasks.into_iter().for_each(|task| task());
            closed
        });
        assert_eq!(started.load(Ordering::Relaxed), 2);
        sender.join().unwrap();
    });
}
