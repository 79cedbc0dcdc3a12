//! Third-party providers, and their keys by URI.
//!
//! ```no_run
//! use libssl_async::Secret;
//! use libssl_async::keys::Offload;
//! use libssl_async::provider::Provider;
//!
//! # async fn ask(_: String) -> Option<Secret> { None }
//! # async fn example() -> Result<(), Box<dyn std::error::Error>> {
//! let provider = Provider::by_name("pkcs11")
//!     .path("/usr/lib/ossl-modules/pkcs11.so")
//!     .config("pkcs11-module-path", "/usr/lib/softhsm/libsofthsm2.so")
//!     .load()?;
//! let key = provider.private_key("pkcs11:token=test;object=server;type=private", ask).await?;
//! // It blocks wherever it signs, as most keys of tokens do.
//! let key = Offload::new(8)?.key(&key)?;
//! # Ok(())
//! # }
//! ```

mod configuration;
mod error;

pub use error::ProviderError;

use std::ffi::{CStr, CString};
use std::fmt;
use std::path::{Path, PathBuf};
use std::ptr;

use foreign_types::ForeignType;
use libssl_async_sys as sys;
use openssl::error::ErrorStack;
use openssl::pkey::{PKey, Private};
use openssl_sys as ffi;

use crate::kept::keep;
use crate::libcrypto::{Origin, SharedObject};
use crate::passphrase::{Prompt, Secret, asking};

/// A provider in a library context of its own, where beside it is only libcrypto's default one: nothing that others fetch
/// comes from it, and its keys work in the contexts of all.
///
/// It stays loaded as long as the process lives, as its keys may. Cheap to clone.
#[derive(Clone)]
pub struct Provider {
    context: Context,
    name: String,
}

/// A library context that is never freed.
#[derive(Clone, Copy)]
struct Context(*mut ffi::OSSL_LIB_CTX);

// SAFETY: library contexts are made to be used by all threads.
unsafe impl Send for Context {}
// SAFETY: as above.
unsafe impl Sync for Context {}

/// A provider that is about to be loaded, from [`Provider::by_name`].
#[derive(Clone, Debug)]
#[must_use]
pub struct ProviderBuilder {
    name: String,
    path: Option<PathBuf>,
    parameters: Vec<(String, String)>,
}

impl ProviderBuilder {
    /// The file of the provider; by default libcrypto looks for one of its name in its folder of modules.
    pub fn path(self, path: impl AsRef<Path>) -> Self {
        Self { path: Some(path.as_ref().to_owned()), ..self }
    }

    /// Sets a parameter, as the provider's section of `openssl.cnf` would.
    pub fn config(mut self, name: &str, value: &str) -> Self {
        self.parameters.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Loads the provider. Blocks for as long as it needs.
    ///
    /// A file that is bound to another libcrypto than this program, and so would never see a job, is refused with
    /// [`ProviderError::Libcrypto`] before its code runs.
    pub fn load(self) -> Result<Provider, ProviderError> {
        crate::job::initialise();
        if let Some(path) = &self.path {
            check_file(path)?;
        }
        let configuration = configuration::of(&self.name, self.path.as_deref(), &self.parameters)?;
        let not_usable = |stack| ProviderError::NotUsable { provider: self.name.clone(), stack };
        let name = CString::new(self.name.as_str()).expect("a name of a configuration has no NUL");
        // SAFETY: names and configuration are strings. On failure the context is freed, of which nothing is left then.
        unsafe {
            let context = ffi::OSSL_LIB_CTX_new();
            let default =
                if context.is_null() { ptr::null_mut() } else { ffi::OSSL_PROVIDER_load(context, c"default".as_ptr()) };
            let loaded = !default.is_null()
                && configuration::apply(context, &configuration)
                && !ffi::OSSL_PROVIDER_load(context, name.as_ptr()).is_null();
            if !loaded {
                let stack = ErrorStack::get();
                if !default.is_null() {
                    ffi::OSSL_PROVIDER_unload(default);
                }
                ffi::OSSL_LIB_CTX_free(context);
                return Err(not_usable(stack));
            }
            keep(context);
            Ok(Provider { context: Context(context), name: self.name })
        }
    }
}

impl Provider {
    /// Begins to load the provider of this name. Corresponds to `OSSL_PROVIDER_load`.
    pub fn by_name(name: &str) -> ProviderBuilder {
        ProviderBuilder { name: name.to_owned(), path: None, parameters: Vec::new() }
    }

    /// The name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The first private key at a URI that one of the provider's loaders knows, or a default one: `pkcs11:…`, `file:…`.
    /// Whenever a PIN or passphrase is asked for, `pin` is called with the question; `None` gives up.
    ///
    /// The provider may block, so it does on a thread of the runtime that this is called on. Dropping the future answers
    /// its next question with `None`. Corresponds to `OSSL_STORE_open_ex`.
    pub async fn private_key<R>(&self, uri: &str, pin: impl FnMut(String) -> R) -> Result<PKey<Private>, ProviderError>
    where
        R: Future<Output = Option<Secret>>,
    {
        let context = self.context;
        let name = uri.to_owned();
        let found = asking(pin, move |prompt| {
            let name = CString::new(name).map_err(|_| ErrorStack::get())?;
            first_key(context, &name, prompt)
        });
        let failed = |stack| ProviderError::Key { provider: self.name.clone(), uri: uri.to_owned(), stack };
        found.await.unwrap_or_else(|| Err(ErrorStack::get())).map_err(failed)
    }
}

fn first_key(context: Context, uri: &CStr, prompt: &Prompt) -> Result<PKey<Private>, ErrorStack> {
    let (method, data) = prompt.method();
    // SAFETY: the URI is a string; the method and its data are valid until this returns; what is found is freed once, and
    // a key that comes out of it is ours.
    unsafe {
        let (properties, parameters) = (ptr::null(), ptr::null());
        let store = sys::OSSL_STORE_open_ex(
            uri.as_ptr(),
            context.0,
            properties,
            method,
            data,
            parameters,
            None,
            ptr::null_mut(),
        );
        if store.is_null() {
            return Err(ErrorStack::get());
        }
        sys::OSSL_STORE_expect(store, sys::OSSL_STORE_INFO_PKEY);
        let mut key: *mut ffi::EVP_PKEY = ptr::null_mut();
        while key.is_null() && sys::OSSL_STORE_eof(store) != 1 {
            let found = sys::OSSL_STORE_load(store);
            if found.is_null() {
                break;
            }
            if sys::OSSL_STORE_INFO_get_type(found) == sys::OSSL_STORE_INFO_PKEY {
                key = sys::OSSL_STORE_INFO_get1_PKEY(found);
            }
            sys::OSSL_STORE_INFO_free(found);
        }
        let stack = ErrorStack::get();
        sys::OSSL_STORE_close(store);
        if key.is_null() { Err(stack) } else { Ok(PKey::from_ptr(key)) }
    }
}

/// A provider that calls nothing of libcrypto's but what it is handed is as good as one that is bound to ours.
fn check_file(path: &Path) -> Result<(), ProviderError> {
    if let Err(error) = path.metadata() {
        return Err(ProviderError::File { path: path.to_owned(), error: error.into() });
    }
    let load = |reason| ProviderError::Load { path: path.to_owned(), reason };
    let object = SharedObject::load(path).map_err(load)?;
    let other = |theirs| ProviderError::Libcrypto { path: path.to_owned(), theirs, ours: Origin::of_libcrypto() };
    object.uses_ours().map_err(other).map(drop)
}

impl fmt::Debug for Provider {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Provider").field("name", &self.name).finish_non_exhaustive()
    }
}
