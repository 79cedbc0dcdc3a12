//! The handle that JavaScript has of a provider.

use libssl_async::provider::{Provider, ProviderError};
use napi_derive::napi;

use super::{Loaded, NativeSetting};
use crate::environment::NativeEnvironment;
use crate::error::NativeError;

/// What `src/provider.ts` has checked.
#[napi(object)]
pub struct NativeProviderOptions {
    pub name: String,
    pub path: Option<String>,
    /// Its parameters.
    pub config: Vec<NativeSetting>,
}

/// A provider that is loaded.
#[napi]
pub struct NativeProvider {
    pub(super) provider: Provider,
}

#[napi]
impl NativeEnvironment {
    /// Loads a provider. Corresponds to `OSSL_PROVIDER_load`.
    #[napi]
    pub fn load_provider(&self, options: NativeProviderOptions) -> u32 {
        self.load(move || {
            let mut builder = Provider::by_name(&options.name);
            if let Some(path) = &options.path {
                builder = builder.path(path);
            }
            for NativeSetting { name, value } in &options.config {
                builder = builder.config(name, value.as_deref().unwrap_or_default());
            }
            let provider = builder.load().map_err(|error| NativeError::from(&error))?;
            Ok(Loaded::Provider(NativeProvider { provider }))
        })
    }
}

impl From<&ProviderError> for NativeError {
    fn from(error: &ProviderError) -> Self {
        let (what, stack) = match error {
            ProviderError::Configuration(_) => ("PROVIDER_CONFIG", None),
            ProviderError::File { path, error } => return Self::system(error).of_call("open").at_path(path),
            ProviderError::Key { stack, .. } => ("KEY_NOT_LOADED", Some(stack)),
            ProviderError::Libcrypto { .. } => return Self::mismatch(error),
            ProviderError::Load { .. } => ("PROVIDER_UNLOADABLE", None),
            ProviderError::NotUsable { stack, .. } => ("PROVIDER_UNUSABLE", Some(stack)),
            _ => ("PROVIDER_FAILED", None),
        };
        let native = Self::own(what, error.to_string());
        stack.map_or(native.clone(), |stack| native.caused_by(stack.errors()))
    }
}
