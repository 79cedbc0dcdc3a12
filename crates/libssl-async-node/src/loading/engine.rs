//! The handle that JavaScript has of an engine.

use std::cell::RefCell;

use napi::Env;
use napi_derive::napi;

use super::third_party::{self, Engine};
use super::{Loaded, NativeSetting};
use crate::environment::NativeEnvironment;
use crate::error::{Checked, NativeError};

/// What `src/engine.ts` has checked.
#[napi(object)]
pub struct NativeEngineOptions {
    pub id: Option<String>,
    pub path: Option<String>,
    /// Sent before the engine is initialised.
    pub commands: Vec<NativeSetting>,
    /// Sent afterwards.
    pub commands_after: Vec<NativeSetting>,
    /// What it becomes the default for.
    pub methods: Vec<String>,
    /// What it can do without breaking OpenSSL's own becomes that.
    pub usual_methods: bool,
    /// Milliseconds between polls: 0 for none, by default what the engine needs.
    pub poll: Option<u32>,
}

/// A control command that an engine lists.
#[napi(object, object_from_js = false)]
pub struct NativeEngineCommand {
    pub name: String,
    pub description: String,
    /// `internal`, `nothing`, `number` or `text`.
    pub input: &'static str,
}

/// What an engine has to tell.
#[napi(object, object_from_js = false)]
pub struct NativeEngineStats {
    pub in_flight: Option<f64>,
    pub polls: f64,
}

/// An engine that is loaded and initialised.
#[napi]
pub struct NativeEngine {
    /// None once it is closed.
    engine: RefCell<Option<Engine>>,
}

#[napi]
impl NativeEnvironment {
    /// Loads an engine. Corresponds to `ENGINE_by_id` and `ENGINE_init`.
    #[napi]
    pub fn load_engine(&self, options: NativeEngineOptions) -> u32 {
        self.load(move || {
            let engine = third_party::load(options)?;
            Ok(Loaded::Engine(NativeEngine { engine: RefCell::new(Some(engine)) }))
        })
    }
}

#[napi]
impl NativeEngine {
    #[napi(getter)]
    pub fn id(&self, env: Env) -> napi::Result<String> {
        self.with(env, |engine| Ok(engine.id()))
    }

    #[napi(getter)]
    pub fn name(&self, env: Env) -> napi::Result<String> {
        self.with(env, |engine| Ok(engine.name()))
    }

    #[napi]
    pub fn commands(&self, env: Env) -> napi::Result<Vec<NativeEngineCommand>> {
        self.with(env, |engine| Ok(third_party::commands(engine)))
    }

    /// Corresponds to `ENGINE_ctrl_cmd_string`.
    #[napi]
    pub fn control(&self, env: Env, name: String, value: Option<String>) -> napi::Result<()> {
        self.with(env, |engine| third_party::control(engine, &name, value.as_deref()))
    }

    #[napi]
    pub fn stats(&self, env: Env) -> napi::Result<NativeEngineStats> {
        self.with(env, |engine| {
            let in_flight = engine.in_flight().map(|count| count as f64);
            Ok(NativeEngineStats { in_flight, polls: engine.polls() as f64 })
        })
    }

    /// Undoes its defaults and gives it back.
    #[napi]
    pub fn close(&self) {
        let _closed = self.engine.take();
    }
}

impl NativeEngine {
    pub(super) fn with<T>(&self, env: Env, call: impl FnOnce(&Engine) -> Checked<T>) -> napi::Result<T> {
        let closed = || Box::new(NativeError::own("CLOSED", "the engine is closed"));
        let result = self.engine.borrow().as_ref().ok_or_else(closed).and_then(call);
        result.map_err(|error| error.throw(&env))
    }
}
