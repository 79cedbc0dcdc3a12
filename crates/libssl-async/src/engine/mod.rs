//! Third-party engines: hardware, or software, that computes while the job that asked is paused.
//!
//! ```no_run
//! use libssl_async::engine::{Engine, Method};
//!
//! # fn main() -> Result<(), libssl_async::engine::EngineError> {
//! let engine = Engine::by_path("/usr/lib/engines-3/qatengine.so")
//!     .command("ENABLE_EXTERNAL_POLLING", None)
//!     .methods([Method::Rsa, Method::Ec, Method::Pkey])
//!     .load()?;
//! // Keys and connections that are made from here on use it.
//! println!("{} has {:?} requests under way", engine.name(), engine.in_flight());
//! # Ok(())
//! # }
//! ```
//!
//! An engine tells that a request is done by the callback of the job's wait context, by a descriptor, or by neither; see
//! the statuses in [`Metrics`](crate::Metrics) for what it does. An engine that blocks instead, as most of those for
//! tokens do, is for [`keys::Offload`](crate::keys::Offload).
//!
//! OpenSSL 4.0 has no engines, and neither has this module with it. An engine that is bound to another libcrypto than this
//! program would never see a job: it is refused with [`EngineError::Libcrypto`].

mod builder;
mod command;
mod error;
mod handle;
mod method;
mod poll;

pub use builder::{EngineBuilder, Polling};
pub use command::{Command, CommandInput};
pub use error::EngineError;
pub use method::Method;

use std::ffi::{CString, c_long};
use std::fmt;
use std::path::Path;
use std::sync::Arc;

use builder::Source;
use foreign_types::ForeignType;
use handle::Handle;
use libssl_async_sys as sys;
use openssl::error::ErrorStack;
use openssl::pkey::{PKey, Private};
use poll::Poller;

use crate::passphrase::{Secret, asking};

/// An engine that is loaded and initialised.
///
/// Dropping it undoes its defaults and gives it back; libcrypto ends and unloads it when the last key that has it is gone.
/// If this crate polls it, keep it as long as there are such keys.
pub struct Engine {
    /// Before `handle`: the last thing that it holds is the engine.
    poller: Option<Poller>,
    handle: Arc<Handle>,
}

impl Engine {
    /// Begins to load the engine of this id: one that libcrypto has or was configured with, or the file of that name in
    /// its folder of engines. Corresponds to `ENGINE_by_id`.
    pub fn by_id(id: &str) -> EngineBuilder {
        EngineBuilder::new(Source::Id(id.to_owned()))
    }

    /// Begins to load the engine of a file. Corresponds to the engine `dynamic` and its command `SO_PATH`.
    pub fn by_path(path: impl AsRef<Path>) -> EngineBuilder {
        EngineBuilder::new(Source::Path(path.as_ref().to_owned(), None))
    }

    /// Corresponds to `ENGINE_get_id`.
    pub fn id(&self) -> String {
        self.handle.id()
    }

    /// Corresponds to `ENGINE_get_name`.
    pub fn name(&self) -> String {
        self.handle.name()
    }

    /// The control commands that the engine lists.
    pub fn commands(&self) -> Vec<Command> {
        self.handle.commands()
    }

    /// Sends a control command, whose value has to be of the kind that the engine lists for it. Corresponds to
    /// `ENGINE_ctrl_cmd_string`.
    pub fn control<'a>(&self, name: &str, value: impl Into<Option<&'a str>>) -> Result<(), EngineError> {
        self.handle.control(name, value.into())
    }

    /// The requests that are under way, if the engine tells by the command `GET_NUM_REQUESTS_IN_FLIGHT`, as `qatengine`
    /// does.
    pub fn in_flight(&self) -> Option<u64> {
        self.handle.in_flight()
    }

    /// How often this crate has polled the engine.
    pub fn polls(&self) -> u64 {
        self.poller.as_ref().map_or(0, Poller::polls)
    }

    /// Reads a counter of the engine's, whose address a control command tells: `which` of those that it has.
    ///
    /// # Safety
    /// The command writes the address of an `int` to where its pointer leads, and the `int` lives as long as the engine.
    pub unsafe fn counter(&self, name: &str, which: c_long) -> Result<Option<i32>, EngineError> {
        let command = self.handle.find(name)?;
        // SAFETY: the caller's.
        Ok(unsafe { self.handle.counter(&command, which) })
    }

    /// The private key that the engine knows by `key`, for `pkcs11` a URI. Whenever the engine asks for a PIN or
    /// passphrase, `pin` is called with its question; `None` gives up.
    ///
    /// The engine may block, so it does on a thread of the runtime that the future is polled on. Dropping the future answers
    /// its next question with `None`. Most such keys block wherever they sign: [`keys::Offload`](crate::keys::Offload) makes
    /// asynchronous ones of them. Corresponds to `ENGINE_load_private_key`.
    pub fn private_key<P, R>(
        &self,
        key: &str,
        pin: P,
    ) -> impl Future<Output = Result<PKey<Private>, EngineError>> + use<P, R>
    where
        P: FnMut(String) -> R,
        R: Future<Output = Option<Secret>>,
    {
        let (handle, of_engine) = (Arc::clone(&self.handle), Arc::clone(&self.handle));
        let (name, key) = (key.to_owned(), key.to_owned());
        let loaded = asking(pin, move |prompt| {
            let name = CString::new(name).map_err(|_| ErrorStack::get())?;
            let (method, data) = prompt.method();
            // SAFETY: the engine is initialised; the method and its data are valid until the call returns.
            let key = unsafe { sys::ENGINE_load_private_key(handle.engine, name.as_ptr(), method, data) };
            // SAFETY: a key is ours from here on.
            if key.is_null() { Err(ErrorStack::get()) } else { Ok(unsafe { PKey::from_ptr(key) }) }
        });
        async move {
            let failed = |stack| EngineError::Key { engine: of_engine.id(), key, stack };
            loaded.await.unwrap_or_else(|| Err(ErrorStack::get())).map_err(failed)
        }
    }
}

impl fmt::Debug for Engine {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Engine").field("id", &self.id()).finish_non_exhaustive()
    }
}
