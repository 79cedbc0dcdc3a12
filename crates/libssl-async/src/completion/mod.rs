//! What a thread that completes an operation may touch: a permit and a worker's inbox, nothing else.
//!
//! The life of a completion:
//! 1. a connection makes an SSL call inside a job; an engine, provider or remote key takes a request and pauses the job;
//! 2. the source finishes on a thread of its own and calls the callback of the wait context, which is one fixed
//!    trampoline per connection (rule 15);
//! 3. the trampoline runs the user's callback, stores the permit and puts the connection's [`Signal`] into the
//!    [`Inbox`] of its worker, waking the worker only if the inbox was empty;
//! 4. the worker empties its inbox and wakes the task of each signal, on its own thread;
//! 5. the task makes the same SSL call again, for which it takes the permit (rule 7).

mod callback;
mod inbox;
#[cfg(all(test, model))]
mod model;
mod signal;

pub use callback::{AsyncEvent, ConnectionId};
pub(crate) use callback::{Callback, trampoline};
pub(crate) use inbox::Inbox;
pub(crate) use signal::{Request, Signal};
