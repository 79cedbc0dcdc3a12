//! The bundled OpenSSL has no engines, and those that use another would never see a job of ours.

use std::future::Ready;

use openssl::pkey::{PKey, Private};

use super::engine::{NativeEngineCommand, NativeEngineOptions};
use super::key::Asking;
use crate::error::{Checked, NativeError};

/// There is none.
pub(super) enum Engine {}

pub(super) fn load(options: NativeEngineOptions) -> Checked<Engine> {
    let path = options.path.as_deref().map(std::path::Path::new);
    if let Some((path, Err(error))) = path.map(|path| (path, path.metadata())) {
        return Err(NativeError::system(&error).of_call("open").at_path(path).into());
    }
    let engine = options.path.or(options.id).unwrap_or_default();
    let message = format!("engines, such as {engine}, use another libcrypto than the OpenSSL of this build");
    Err(NativeError::mismatch(&message).into())
}

impl Engine {
    pub(super) fn id(&self) -> String {
        match *self {}
    }

    pub(super) fn name(&self) -> String {
        match *self {}
    }

    pub(super) fn in_flight(&self) -> Option<u64> {
        match *self {}
    }

    pub(super) fn polls(&self) -> u64 {
        match *self {}
    }
}

pub(super) fn commands(engine: &Engine) -> Vec<NativeEngineCommand> {
    match *engine {}
}

pub(super) fn control(engine: &Engine, _name: &str, _value: Option<&str>) -> Checked<()> {
    match *engine {}
}

pub(super) fn private_key(engine: &Engine, _key: String, _asking: Asking) -> Ready<Checked<PKey<Private>>> {
    match *engine {}
}
