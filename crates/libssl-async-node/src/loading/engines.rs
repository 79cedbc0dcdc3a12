//! Engines, of the OpenSSL that the Node binary has.

use libssl_async::engine::{CommandInput, EngineError, Method, Polling};
use openssl::pkey::{PKey, Private};

pub(super) use libssl_async::engine::Engine;

use super::NativeSetting;
use super::engine::{NativeEngineCommand, NativeEngineOptions};
use super::key::Asking;
use crate::error::{Checked, NativeError};

pub(super) fn load(options: NativeEngineOptions) -> Checked<Engine> {
    let mut builder = match (&options.path, &options.id) {
        (Some(path), None) => Engine::by_path(path),
        (Some(path), Some(id)) => Engine::by_path(path).id(id),
        (None, id) => Engine::by_id(id.as_deref().unwrap_or_default()),
    };
    for NativeSetting { name, value } in &options.commands {
        builder = builder.command(name, value.as_deref());
    }
    for NativeSetting { name, value } in &options.commands_after {
        builder = builder.command_after(name, value.as_deref());
    }
    let method = |name: &String| {
        let unknown = || NativeError::option("ERR_INVALID_ARG_VALUE", "methods", &format!("there is no method {name}"));
        Method::from_name(name).ok_or_else(|| Box::new(unknown()))
    };
    builder = builder.methods(options.methods.iter().map(method).collect::<Checked<Vec<_>>>()?);
    if options.usual_methods {
        builder = builder.usual_methods();
    }
    builder = builder.polling(match options.poll {
        None => Polling::Automatic,
        Some(0) => Polling::Never,
        Some(milliseconds) => Polling::Every(std::time::Duration::from_millis(milliseconds.into())),
    });
    builder.load().map_err(|error| Box::new(NativeError::from(&error)))
}

pub(super) fn commands(engine: &Engine) -> Vec<NativeEngineCommand> {
    let input = |input| match input {
        CommandInput::Nothing => "nothing",
        CommandInput::Number => "number",
        CommandInput::Text => "text",
        _ => "internal",
    };
    let command = |command: libssl_async::engine::Command| NativeEngineCommand {
        name: command.name,
        description: command.description,
        input: input(command.input),
    };
    engine.commands().into_iter().map(command).collect()
}

pub(super) fn control(engine: &Engine, name: &str, value: Option<&str>) -> Checked<()> {
    engine.control(name, value).map_err(|error| Box::new(NativeError::from(&error)))
}

/// The engine may be closed before the future is done.
pub(super) fn private_key(
    engine: &Engine,
    key: String,
    asking: Asking,
) -> impl Future<Output = Checked<PKey<Private>>> + Send + use<> {
    let loading = engine.private_key(&key, move |question| asking.ask(question));
    async { loading.await.map_err(|error| Box::new(NativeError::from(&error))) }
}

impl From<&EngineError> for NativeError {
    fn from(error: &EngineError) -> Self {
        let (what, stack) = match error {
            EngineError::AlreadyLoaded(_) => ("ENGINE_ALREADY_LOADED", None),
            EngineError::CommandUnknown { .. } => ("ENGINE_COMMAND_UNKNOWN", None),
            EngineError::CommandValue { .. } => ("ENGINE_COMMAND_VALUE", None),
            EngineError::CommandRefused { stack, .. } => ("ENGINE_COMMAND_REFUSED", Some(stack)),
            EngineError::File { path, error } => return Self::system(error).of_call("open").at_path(path),
            EngineError::Initialise { stack, .. } => ("ENGINE_INITIALISE_FAILED", Some(stack)),
            EngineError::Key { stack, .. } => ("KEY_NOT_LOADED", Some(stack)),
            EngineError::Libcrypto { .. } => return Self::mismatch(error),
            EngineError::Load { .. } => ("ENGINE_UNLOADABLE", None),
            EngineError::Method { stack, .. } => ("ENGINE_METHOD_REFUSED", Some(stack)),
            EngineError::NotFound(_) => ("ENGINE_NOT_FOUND", None),
            EngineError::NotUsable { stack, .. } => ("ENGINE_UNUSABLE", Some(stack)),
            _ => ("ENGINE_FAILED", None),
        };
        let native = Self::own(what, error.to_string());
        stack.map_or(native.clone(), |stack| native.caused_by(stack.errors()))
    }
}
