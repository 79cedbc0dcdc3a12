//! Private keys of engines and providers.

use std::sync::Arc;
use std::time::Duration;

use libssl_async::Secret;
use libssl_async::keys::{KeyMeter, Offload};
use napi::bindgen_prelude::{Buffer, ClassInstance};
use napi::{Env, Status};
use napi_derive::napi;
use openssl::pkey::{PKey, Private};
use tokio::sync::oneshot;

use super::engine::NativeEngine;
use super::provider::NativeProvider;
use super::{Loaded, failed, tell, third_party};
use crate::environment::{NativeEnvironment, next_id};
use crate::error::{Checked, NativeError};
use crate::messages::{Message, Queue};
use crate::metrics::NativeKeyStats;
use crate::workers::workers;

/// Where a key is, and how it is used.
#[napi(object, object_to_js = false)]
pub struct NativeStoredKeyOptions<'env> {
    pub uri: String,
    pub engine: Option<ClassInstance<'env, NativeEngine>>,
    pub provider: Option<ClassInstance<'env, NativeProvider>>,
    /// How many threads its operations may block; without, they are asynchronous themselves.
    pub threads: Option<u32>,
    /// Milliseconds that an operation may take on them.
    pub timeout: Option<u32>,
}

/// A private key that an engine or a provider has.
#[napi]
pub struct NativeStoredKey {
    key: PKey<Private>,
    /// Of what runs on threads.
    meter: Option<KeyMeter>,
}

/// Where an answer to the question for a PIN goes.
pub(crate) type PinAnswer = oneshot::Sender<Option<Secret>>;

#[napi]
impl NativeEnvironment {
    /// Loads a private key; the event `pin` asks for what protects it.
    ///
    /// Corresponds to `ENGINE_load_private_key` and `OSSL_STORE_open_ex`.
    #[napi]
    pub fn load_key(&self, env: Env, options: NativeStoredKeyOptions<'_>) -> napi::Result<u32> {
        let queue = Arc::clone(&self.inner().queue);
        let request = next_id();
        let use_of_it = Use { threads: options.threads, timeout: options.timeout };
        let uri = options.uri;
        match (options.engine, options.provider) {
            (Some(engine), _) => engine.with(env, |engine| {
                let loading = third_party::private_key(engine, uri, Asking { queue: Arc::clone(&queue), request });
                workers().spawn_pinned(move || async move {
                    tell(&queue, request, loading.await.and_then(|key| use_of_it.of(key)));
                });
                Ok(())
            })?,
            (None, Some(provider)) => {
                let provider = provider.provider.clone();
                workers().spawn_pinned(move || async move {
                    let asking = Asking { queue: Arc::clone(&queue), request };
                    let key = provider.private_key(&uri, |question| asking.ask(question)).await;
                    let key = key.map_err(|error| Box::new(NativeError::from(&error)));
                    tell(&queue, request, key.and_then(|key| use_of_it.of(key)));
                });
            }
            (None, None) => return Err(napi::Error::new(Status::InvalidArg, "neither an engine nor a provider")),
        }
        Ok(request)
    }

    /// Answers the event `pin`; `null` gives up.
    #[napi]
    pub fn answer_pin(&self, request: u32, pin: Option<String>) {
        self.inner().answer_pin(request, pin.map(Secret::new));
    }
}

#[napi]
impl NativeStoredKey {
    /// SubjectPublicKeyInfo, in DER.
    #[napi]
    pub fn public_key(&self, env: Env) -> napi::Result<Buffer> {
        let key = self.key.public_key_to_der().map_err(|stack| NativeError::from(&stack).throw(&env))?;
        Ok(key.into())
    }

    /// What it has done on threads; `None` if it uses none.
    #[napi]
    pub fn stats(&self) -> Option<NativeKeyStats> {
        self.meter.as_ref().map(|meter| meter.stats().into())
    }
}

impl NativeStoredKey {
    pub(crate) fn key(&self) -> &PKey<Private> {
        &self.key
    }
}

/// How operations of a key run.
struct Use {
    threads: Option<u32>,
    timeout: Option<u32>,
}

impl Use {
    fn of(self, key: PKey<Private>) -> Checked<Loaded> {
        let Some(threads) = self.threads else { return Ok(Loaded::Key(NativeStoredKey { key, meter: None })) };
        let threads = Offload::new(threads as usize).map_err(|error| failed(&error.to_string()))?;
        let meter = KeyMeter::new();
        let mut builder = threads.builder(&key).meter(&meter);
        if let Some(timeout) = self.timeout {
            builder = builder.timeout(Duration::from_millis(timeout.into()));
        }
        let key = builder.build().map_err(|error| NativeError::own("KEY_NOT_USABLE", error.to_string()))?;
        Ok(Loaded::Key(NativeStoredKey { key, meter: Some(meter) }))
    }
}

/// Asks JavaScript for PINs.
pub(super) struct Asking {
    queue: Arc<Queue>,
    request: u32,
}

impl Asking {
    /// `None` if JavaScript has none, or is gone.
    pub(super) fn ask(&self, question: String) -> impl Future<Output = Option<Secret>> + use<> {
        let (answer, answered) = oneshot::channel();
        self.queue.send(Message::Pin { request: self.request, question, answer });
        async { answered.await.ok().flatten() }
    }
}
