//! Third-party engines and providers, and their keys: loaded on the threads of the workers that may block.
//!
//! Each load has the number of a request, and ends with the event `loaded`; while a key is loaded, `pin` may come before.

mod engine;
mod key;
mod provider;
#[cfg_attr(feature = "bundled", path = "no_engines.rs")]
#[cfg_attr(not(feature = "bundled"), path = "engines.rs")]
mod third_party;

use std::sync::Arc;

use napi_derive::napi;
use tokio::task::spawn_blocking;

pub use self::engine::NativeEngine;
pub use self::key::NativeStoredKey;
pub(crate) use self::key::PinAnswer;
pub use self::provider::NativeProvider;
use crate::environment::{NativeEnvironment, next_id};
use crate::error::{Checked, NativeError};
use crate::messages::{Message, Queue};
use crate::workers::workers;

/// A control command, or a parameter of a provider.
#[napi(object)]
pub struct NativeSetting {
    pub name: String,
    pub value: Option<String>,
}

/// What was loaded, on its way to JavaScript.
pub(crate) enum Loaded {
    Engine(NativeEngine),
    Provider(NativeProvider),
    Key(NativeStoredKey),
}

impl NativeEnvironment {
    /// Begins something that blocks, of which the event `loaded` tells the end; returns its number.
    fn load(&self, load: impl FnOnce() -> Checked<Loaded> + Send + 'static) -> u32 {
        let queue = Arc::clone(&self.inner().queue);
        let request = next_id();
        workers().spawn_pinned(move || async move {
            let result = spawn_blocking(load).await;
            tell(&queue, request, result.unwrap_or_else(|panicked| Err(failed(&panicked.to_string()))));
        });
        request
    }
}

fn tell(queue: &Queue, request: u32, result: Checked<Loaded>) {
    queue.send(Message::Loaded { request, result });
}

fn failed(reason: &str) -> Box<NativeError> {
    Box::new(NativeError::own("FAILED", reason))
}
