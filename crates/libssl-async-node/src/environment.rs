//! What belongs to one JavaScript environment: the main thread's, or that of one worker thread.

use std::cell::{Cell, OnceCell, RefCell};
use std::collections::HashMap;
use std::os::fd::AsRawFd;
use std::rc::{Rc, Weak};
use std::sync::Arc;

use libssl_async::keys::{Answer, KeyError};
use libssl_async::{Question, Secret};
use napi::bindgen_prelude::{Function, FunctionRef, Int32Array, JsValue, JsValuesTupleIntoVec, Object, ToNapiValue};
use napi::{Env, sys};
use napi_derive::napi;

use crate::connection::{Driven, Entry, Moved, NativeConnection, State};
use crate::context::{Choice, initialise};
use crate::driver::{EventLoop, Open};
use crate::events::{NativeEvent, event};
use crate::loading::PinAnswer;
use crate::messages::Queue;
use crate::remote_key::JsFailure;

/// The addon's part of an environment, made once by the package.
///
/// Everything is on the environment's own thread but the queue.
#[napi]
pub struct NativeEnvironment {
    inner: Rc<Environment>,
}

/// The state behind [`NativeEnvironment`].
pub(crate) struct Environment {
    env: sys::napi_env,
    pub(crate) queue: Arc<Queue>,
    event_loop: OnceCell<Option<Box<EventLoop>>>,
    entries: RefCell<HashMap<u32, Rc<Entry>>>,
    answers: RefCell<HashMap<u32, Answer>>,
    pins: RefCell<HashMap<u32, PinAnswer>>,
    questions: RefCell<HashMap<u32, Question<Choice>>>,
    /// Pairs of a connection's id and its news, which JavaScript reads.
    news: RefCell<Int32Array>,
    noted: Cell<usize>,
    on_messages: FunctionRef<(), ()>,
    on_news: FunctionRef<u32, ()>,
    closed: Cell<bool>,
}

#[napi]
impl NativeEnvironment {
    /// `on_messages` is called when [`NativeEnvironment::take_events`] has something, and `on_news` with the number of
    /// pairs that stand in `news`.
    #[napi(constructor)]
    pub fn new(
        env: Env,
        on_messages: Function<'_, (), ()>,
        on_news: Function<'_, u32, ()>,
        news: Int32Array,
    ) -> napi::Result<Self> {
        initialise().map_err(|error| error.throw(&env))?;
        // What JavaScript has to answer must not be waited for on its own thread (rule 34).
        libssl_async::keys::forbid_blocking();
        let wake = on_messages.build_threadsafe_function::<()>().weak::<true>().build()?;
        let inner = Rc::new(Environment {
            env: env.raw(),
            queue: Queue::new(wake),
            event_loop: OnceCell::new(),
            entries: RefCell::default(),
            answers: RefCell::default(),
            pins: RefCell::default(),
            questions: RefCell::default(),
            news: RefCell::new(news),
            noted: Cell::new(0),
            on_messages: on_messages.create_ref()?,
            on_news: on_news.create_ref()?,
            closed: Cell::new(false),
        });
        // Registered after the threadsafe function, so it runs before that is closed.
        let ending = Rc::clone(&inner);
        env.add_env_cleanup_hook((), move |()| ending.close())?;
        if let Some(event_loop) = inner.event_loop() {
            inner.queue.wake_by(event_loop.alarm());
        }
        Ok(Self { inner })
    }

    /// Whether record I/O can run on the event loop here.
    #[napi(getter)]
    pub fn has_event_loop(&self) -> bool {
        self.inner.event_loop().is_some()
    }

    /// What has happened on other threads since the last call, oldest first.
    #[napi]
    pub fn take_events(&self) -> Vec<NativeEvent> {
        self.inner.queue.take().into_iter().filter_map(|message| event(&self.inner, message)).collect()
    }

    /// The handle of a connection that an event has told of; none if it is gone.
    #[napi]
    pub fn connection(&self, id: u32) -> Option<NativeConnection> {
        self.inner.entry(id).map(|entry| NativeConnection::of(&self.inner, entry))
    }

    /// Answers a request to a remote key; returns whether anybody still waits for it.
    ///
    /// Without an answer the request fails, and `failure` says why.
    #[napi]
    pub fn answer(&self, request: u32, answer: Option<&[u8]>, failure: Option<String>) -> bool {
        let Some(waiting) = self.inner.answers.borrow_mut().remove(&request) else { return false };
        waiting.complete(match (answer, failure) {
            (Some(answer), _) => Ok(answer.to_vec()),
            (None, Some(message)) => Err(Box::new(JsFailure { request, message })),
            (None, None) => Err(KeyError::Unsupported.into()),
        })
    }
}

impl NativeEnvironment {
    pub(crate) fn inner(&self) -> &Rc<Environment> {
        &self.inner
    }
}

impl Environment {
    /// The loop driver, where the host has what it needs.
    pub(crate) fn event_loop(self: &Rc<Self>) -> Option<&EventLoop> {
        if self.closed.get() {
            return None;
        }
        // SAFETY: this is the environment's thread.
        let make = || unsafe { EventLoop::new(self.env, &Rc::downgrade(self)) };
        self.event_loop.get_or_init(make).as_deref()
    }

    pub(crate) fn entry(&self, id: u32) -> Option<Rc<Entry>> {
        self.entries.borrow().get(&id).cloned()
    }

    pub(crate) fn add(self: &Rc<Self>, id: u32, state: State) -> Rc<Entry> {
        let entry = Rc::new(Entry::new(id, Rc::downgrade(self), state));
        self.entries.borrow_mut().insert(id, Rc::clone(&entry));
        entry
    }

    pub(crate) fn remove(&self, id: u32) {
        let _dropped_outside = self.entries.borrow_mut().remove(&id);
    }

    /// Keeps the place for an answer until JavaScript has one.
    pub(crate) fn await_answer(&self, request: u32, answer: Answer) {
        self.answers.borrow_mut().insert(request, answer);
    }

    /// Forgets a request that was cancelled.
    pub(crate) fn forget_answer(&self, request: u32) {
        let _dropped_outside = self.answers.borrow_mut().remove(&request);
    }

    /// Keeps the place for a PIN until JavaScript has one.
    pub(crate) fn await_pin(&self, request: u32, answer: PinAnswer) {
        self.pins.borrow_mut().insert(request, answer);
    }

    pub(crate) fn answer_pin(&self, request: u32, pin: Option<Secret>) {
        if let Some(waiting) = self.pins.borrow_mut().remove(&request) {
            let _unheard = waiting.send(pin);
        }
    }

    /// Keeps the place for the answer to a question until JavaScript has one.
    pub(crate) fn await_reply(&self, request: u32, question: Question<Choice>) {
        self.questions.borrow_mut().insert(request, question);
    }

    /// Takes it, unless the question was cancelled.
    pub(crate) fn forget_reply(&self, request: u32) -> Option<Question<Choice>> {
        self.questions.borrow_mut().remove(&request)
    }

    /// Stops watching the socket of a connection that goes elsewhere.
    pub(crate) fn forget(&self, open: &mut Open) {
        if let (Some(Some(event_loop)), Some(socket)) = (self.event_loop.get(), open.socket()) {
            event_loop.remove(socket.as_raw_fd());
        }
    }

    /// Takes a connection that comes from elsewhere.
    pub(crate) fn settle(self: &Rc<Self>, moved: Moved) -> std::io::Result<Rc<Entry>> {
        let Moved { id, mut state, route, addresses, status } = moved;
        if let State::Open(open) = &mut state {
            let event_loop = self.event_loop().ok_or(std::io::ErrorKind::NotConnected)?;
            let socket = open.socket().ok_or(std::io::ErrorKind::NotConnected)?;
            event_loop.add(socket.as_raw_fd(), id)?;
        }
        let entry = self.add(id, state);
        entry.set_route(route);
        entry.addresses.set(addresses);
        entry.set_status(status);
        Ok(entry)
    }

    /// Moves an established connection to its driver.
    pub(crate) fn drive(self: &Rc<Self>, id: u32, driven: Driven) -> std::io::Result<State> {
        match driven {
            Driven::Remote(remote) => Ok(State::Remote(remote)),
            Driven::Local { mut connection, socket } => {
                let fd = socket.as_raw_fd();
                connection.attach(socket);
                let open = Box::new(Open::new(connection));
                let event_loop = self.event_loop().ok_or(std::io::ErrorKind::NotConnected)?;
                event_loop.add(fd, id)?;
                Ok(State::Open(open))
            }
        }
    }

    pub(crate) fn with_open<T>(&self, id: u32, action: impl FnOnce(&mut Open) -> T) -> Option<T> {
        self.entry(id)?.with_open(action)
    }

    /// Has JavaScript told something about a connection at the next [`Environment::tell`].
    pub(crate) fn note(&self, id: u32, news: i32) {
        let full = {
            let mut pairs = self.news.borrow_mut();
            let at = self.noted.get() * 2;
            // SAFETY: the array belongs to the package, which only reads it, on this thread, inside `tell`.
            let pairs = unsafe { pairs.as_mut() };
            pairs[at] = id as i32;
            pairs[at + 1] = news;
            self.noted.set(self.noted.get() + 1);
            at + 4 > pairs.len()
        };
        if full {
            self.tell();
        }
    }

    /// Calls JavaScript with what was noted.
    pub(crate) fn tell(&self) {
        let count = self.noted.replace(0);
        if count > 0 {
            self.call(&self.on_news, count as u32);
        }
    }

    /// Has JavaScript take the messages.
    pub(crate) fn call_for_messages(&self) {
        self.call(&self.on_messages, 0);
    }

    /// Calls a function of the package's, which may leave the argument out of account.
    fn call<T: JsValuesTupleIntoVec>(&self, function: &FunctionRef<T, ()>, argument: u32) {
        let env = Env::from_raw(self.env);
        // SAFETY: this is the environment's thread, called from its event loop, with no other scope open.
        unsafe {
            let mut scope = std::ptr::null_mut();
            sys::napi_open_handle_scope(self.env, &mut scope);
            if let (Ok(function), Ok(receiver), Ok(argument)) =
                (function.borrow_back(&env), Object::new(&env), u32::to_napi_value(self.env, argument))
            {
                // Not `napi_call_function`: promises that JavaScript settles have to go on before this returns.
                let (no_context, no_result) = (std::ptr::null_mut(), std::ptr::null_mut());
                let (receiver, function) = (receiver.raw(), function.raw());
                let status = sys::napi_make_callback(self.env, no_context, receiver, function, 1, &argument, no_result);
                if status == sys::Status::napi_pending_exception {
                    let mut exception = std::ptr::null_mut();
                    sys::napi_get_and_clear_last_exception(self.env, &mut exception);
                    sys::napi_fatal_exception(self.env, exception);
                }
            }
            sys::napi_close_handle_scope(self.env, scope);
        }
    }

    /// Ends everything that the environment has begun: it is going away.
    fn close(&self) {
        self.closed.set(true);
        let late = self.queue.close();
        let answers = self.answers.take();
        let entries = self.entries.take();
        drop((late, answers, self.pins.take(), self.questions.take()));
        for entry in entries.values() {
            entry.close();
        }
        if let Some(Some(event_loop)) = self.event_loop.get() {
            event_loop.close();
        }
    }
}

/// The environment of a connection, as long as there is one.
pub(crate) type WeakEnvironment = Weak<Environment>;

/// An id for a connection or a request, never 0.
pub(crate) fn next_id() -> u32 {
    use std::sync::atomic::{AtomicU32, Ordering};
    static NEXT: AtomicU32 = AtomicU32::new(1);
    NEXT.fetch_add(1, Ordering::Relaxed)
}
