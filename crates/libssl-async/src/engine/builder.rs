//! How engines are loaded.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use super::handle::Handle;
use super::poll::Poller;
use super::{Engine, EngineError, Method};

/// An engine that is about to be loaded, from [`Engine::by_id`] or [`Engine::by_path`].
#[derive(Clone, Debug)]
#[must_use]
pub struct EngineBuilder {
    source: Source,
    before: Vec<(String, Option<String>)>,
    after: Vec<(String, Option<String>)>,
    methods: Methods,
    polling: Polling,
}

#[derive(Clone, Debug)]
pub(super) enum Source {
    Id(String),
    Path(PathBuf, Option<String>),
}

#[derive(Clone, Debug)]
enum Methods {
    These(Vec<Method>),
    Usual,
}

/// Who collects what an engine has done.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Polling {
    /// A thread of this crate, every millisecond, if the engine was told so by the command `ENABLE_EXTERNAL_POLLING`; the
    /// engine itself if not.
    #[default]
    Automatic,
    /// A thread of this crate, in this interval.
    Every(Duration),
    /// Not this crate.
    Never,
}

/// How often an engine is polled by default.
const INTERVAL: Duration = Duration::from_millis(1);

impl EngineBuilder {
    pub(super) fn new(source: Source) -> Self {
        let methods = Methods::These(Vec::new());
        Self { source, before: Vec::new(), after: Vec::new(), methods, polling: Polling::default() }
    }

    /// The id of the engine, for a file that has several.
    pub fn id(mut self, id: &str) -> Self {
        if let Source::Path(_, of_file) = &mut self.source {
            *of_file = Some(id.to_owned());
        }
        self
    }

    /// Sends a control command before the engine is initialised; they are sent in the order of the calls.
    pub fn command<'a>(mut self, name: &str, value: impl Into<Option<&'a str>>) -> Self {
        self.before.push((name.to_owned(), value.into().map(str::to_owned)));
        self
    }

    /// Sends a control command once the engine is initialised.
    pub fn command_after<'a>(mut self, name: &str, value: impl Into<Option<&'a str>>) -> Self {
        self.after.push((name.to_owned(), value.into().map(str::to_owned)));
        self
    }

    /// Makes the engine the default for these, in the whole process and for all who use this libcrypto. Nothing by
    /// default: then the engine serves only the keys that it loads.
    ///
    /// Keys that exist already stay with what they have.
    pub fn methods(self, methods: impl IntoIterator<Item = Method>) -> Self {
        Self { methods: Methods::These(methods.into_iter().collect()), ..self }
    }

    /// Makes the engine the default for all that it can do without breaking what OpenSSL 3 does itself: not for random
    /// numbers and encodings, and not for [`Method::Pkey`] if RSA or EC are a part of that.
    pub fn usual_methods(self) -> Self {
        Self { methods: Methods::Usual, ..self }
    }

    /// Says who polls the engine.
    pub fn polling(self, polling: Polling) -> Self {
        Self { polling, ..self }
    }

    /// Loads and initialises the engine: file, commands, `ENGINE_init`, the other commands, defaults, polling.
    ///
    /// What fails undoes what was done. Blocks for as long as the engine needs.
    pub fn load(self) -> Result<Engine, EngineError> {
        let mut handle = match &self.source {
            Source::Id(id) => Handle::by_id(id)?,
            Source::Path(path, id) => Handle::by_path(path, id.as_deref())?,
        };
        for (name, value) in &self.before {
            handle.control(name, value.as_deref())?;
        }
        handle.initialise()?;
        for (name, value) in &self.after {
            handle.control(name, value.as_deref())?;
        }
        let methods = match self.methods {
            Methods::These(methods) => methods,
            // SAFETY: the engine is valid.
            Methods::Usual => unsafe { Method::usual(handle.engine) },
        };
        for method in methods {
            handle.serve(method)?;
        }
        let external = self.before.iter().any(|(name, _)| name == "ENABLE_EXTERNAL_POLLING");
        let interval = match self.polling {
            Polling::Every(interval) => Some(interval),
            Polling::Automatic if external => Some(INTERVAL),
            Polling::Automatic | Polling::Never => None,
        };
        let handle = Arc::new(handle);
        let poller = interval.map(|interval| Poller::start(Arc::clone(&handle), interval)).transpose()?;
        Ok(Engine { poller, handle })
    }
}
