//! The loop driver: record I/O on the JavaScript thread, straight from libuv's readiness.

use std::cell::{Cell, RefCell};
use std::ffi::{c_int, c_void};
use std::io;
use std::os::fd::RawFd;
use std::rc::Weak;
use std::sync::Arc;

use napi::sys;

use super::alarm::Alarm;
use super::epoll::{Epoll, Event};
use super::open::{Open, Progress};
use super::uv::Poll;
use super::{READABLE, SENT};
use crate::environment::Environment;

/// The sockets of one environment.
pub(crate) struct EventLoop {
    /// Before `epoll`: libuv lets go of the descriptor before it is closed.
    poll: RefCell<Option<Poll>>,
    epoll: Epoll,
    events: RefCell<Vec<Event>>,
    /// Bytes that may still be read in this turn of the loop.
    budget: Cell<usize>,
    /// Connections that had more to read than this turn allowed.
    deferred: RefCell<Vec<u32>>,
    environment: Weak<Environment>,
}

/// Bytes that all connections together may bring in one turn of the loop, so that the loop turns.
const TURN: usize = 1024 * 1024;

impl EventLoop {
    /// `None` where the host has no libuv.
    ///
    /// # Safety
    /// `env` is the environment of this thread.
    pub(crate) unsafe fn new(env: sys::napi_env, environment: &Weak<Environment>) -> Option<Box<Self>> {
        let epoll = Epoll::new().ok()?;
        let data = environment.as_ptr().cast_mut().cast::<c_void>();
        // SAFETY: the callback's data is the environment, which owns the poll and drops it before its own end.
        let poll = unsafe { Poll::new(env, epoll.fd(), data, on_ready)? };
        Some(Box::new(Self {
            poll: RefCell::new(Some(poll)),
            epoll,
            events: RefCell::default(),
            budget: Cell::new(TURN),
            deferred: RefCell::default(),
            environment: environment.clone(),
        }))
    }

    /// Watches the socket of a connection.
    pub(crate) fn add(&self, socket: RawFd, id: u32) -> io::Result<()> {
        self.epoll.add(socket, id)
    }

    /// Ends that, of a socket that stays open.
    pub(crate) fn remove(&self, socket: RawFd) {
        self.epoll.remove(socket);
    }

    /// Reads as far as this turn of the loop allows; a connection that finds it used up is told in the next one.
    pub(crate) fn read(
        &self,
        id: u32,
        open: &mut Open,
        target: &mut [u8],
    ) -> Result<Progress<usize>, libssl_async::Error> {
        let budget = self.budget.get();
        if budget == 0 {
            open.want_input();
            self.defer(id);
            return Ok(Progress::Wait);
        }
        let progress = open.read(target)?;
        if let Progress::Done(count) = progress {
            self.budget.set(budget.saturating_sub(count.max(1)));
            if open.writes_want_input {
                // What was read may have been what they wait for.
                self.defer(id);
            }
        }
        Ok(progress)
    }

    /// Has the loop turn, and take the messages of the environment.
    pub(crate) fn alarm(&self) -> &Arc<Alarm> {
        self.epoll.alarm()
    }

    /// Stops watching, before the environment ends.
    pub(crate) fn close(&self) {
        self.poll.take();
    }

    fn defer(&self, id: u32) {
        let mut deferred = self.deferred.borrow_mut();
        if deferred.is_empty() {
            self.epoll.alarm().ring();
        }
        deferred.push(id);
    }

    /// Takes what has happened to the sockets, and tells JavaScript.
    fn turn(&self) {
        let Some(environment) = self.environment.upgrade() else { return };
        self.budget.set(TURN);
        let mut events = self.events.take();
        self.epoll.take(&mut events);
        for id in self.deferred.take() {
            let sent = environment.with_open(id, |open| open.wants_sent && open.output_ready());
            environment.note(id, if sent == Some(true) { READABLE | SENT } else { READABLE });
        }
        for event in events.drain(..) {
            let news = environment.with_open(event.id, |open| handle(open, event));
            if let Some(news) = news.filter(|news| *news != 0) {
                environment.note(event.id, news);
            }
        }
        self.events.replace(events);
        environment.tell();
        if environment.queue.is_waiting() {
            environment.call_for_messages();
        }
    }
}

/// Does what an event asks for, and returns what JavaScript has to know.
fn handle(open: &mut Open, event: Event) -> i32 {
    let mut news = 0;
    if event.readable && open.input_ready(event.ended) {
        news |= READABLE;
    }
    if open.wants_sent {
        if (event.writable || open.writes_want_input) && open.output_ready() {
            news |= SENT;
            if open.answers {
                news |= READABLE;
            }
        }
    } else if event.writable {
        open.send_answers();
    }
    news
}

unsafe extern "C" fn on_ready(handle: *mut c_void, _status: c_int, _events: c_int) {
    // SAFETY: the data is the environment's, as `EventLoop::new` set it, and the environment is alive: it closes the
    // handle before it goes. A reference is held while JavaScript runs, which may end the environment.
    let environment = unsafe {
        let environment = Poll::data(handle).cast::<Environment>().cast_const();
        std::rc::Rc::increment_strong_count(environment);
        std::rc::Rc::from_raw(environment)
    };
    if let Some(event_loop) = environment.event_loop() {
        event_loop.turn();
    }
}
