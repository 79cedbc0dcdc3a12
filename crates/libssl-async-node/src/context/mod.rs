//! TLS contexts: keys, certificates, trust and parameters that connections of either side share.
//!
//! JavaScript makes a [`NativeContext`] of options that `src/context.ts` has checked for their types; what is wrong with
//! their contents is found here, and named. Workers make SSLs of its [`ContextHandle`].

mod algorithms;
mod alpn;
mod build;
mod certificate;
mod ciphers;
mod handle;
mod hello;
mod identity;
mod initialise;
mod key;
mod observer;
mod options;
mod pem;
mod pfx;
mod psk;
mod resumption;
mod sigalgs;
mod tickets;
mod trace;
mod trust;
mod verify;

use napi::Env;
use napi::bindgen_prelude::Buffer;
use napi_derive::napi;

pub(crate) use self::handle::{ClientOptions, ContextHandle, ServerOptions};
pub use self::handle::{NativeClientOptions, NativeServerSide};
pub(crate) use self::hello::{Choice, ClientHello, Protocol};
pub(crate) use self::initialise::{initialise, load_config};
pub(crate) use self::observer::{Observer, observe};
use self::options::NativeContextOptions;
pub(crate) use self::psk::PreSharedKey;
pub(crate) use self::trace::trace;
pub(crate) use self::verify::Unverified;

/// A context. It holds nothing of its environment.
#[napi]
pub struct NativeContext {
    handle: ContextHandle,
}

#[napi]
impl NativeContext {
    /// Throws a `NativeError` that names the option that is wrong.
    #[napi(constructor)]
    pub fn new(env: &Env, options: NativeContextOptions<'_>) -> napi::Result<Self> {
        let handle = build::context(&options).map_err(|error| error.throw(env))?;
        Ok(Self { handle })
    }

    /// Has connections that are made from now on tell of their asynchronous callback.
    #[napi]
    pub fn tell_async(&self) {
        self.handle.tell();
    }

    /// In DER: the first of its certificates, and the one that issued it if it is known.
    #[napi(getter)]
    pub fn certificates(&self) -> Vec<Buffer> {
        self.handle.certificates().iter().map(|der| der.clone().into()).collect()
    }
}

impl NativeContext {
    /// What makes SSLs, on any thread.
    pub(crate) fn handle(&self) -> ContextHandle {
        self.handle.clone()
    }
}
