//! The Node.js addon: what `src/` of the npm package calls.
//!
//! Everything that other threads touch is in `messages`; all else belongs to one JavaScript environment.

#![allow(unreachable_pub, reason = "napi exports what is public here, and nothing else sees it")]
#![cfg_attr(test, allow(dead_code, reason = "napi exports nothing from test builds"))]

mod connection;
mod context;
mod dial;
mod driver;
mod environment;
mod error;
mod events;
mod loading;
mod messages;
mod metrics;
mod remote_key;
mod server;
mod socket;
mod storm;
mod workers;

use std::time::Duration;

use napi_derive::napi;

/// The version of the OpenSSL in use, such as `4.0.3`.
#[napi]
pub fn openssl_version() -> String {
    openssl::version::version().split(' ').nth(1).unwrap_or_default().to_owned()
}

/// The file that libcrypto is in: the addon's own, or that of the Node binary.
#[napi]
pub fn libcrypto_path() -> String {
    libssl_async::Origin::of_libcrypto().path().display().to_string()
}

/// Whether jobs can pause here; otherwise a remote key occupies a thread. Corresponds to `ASYNC_is_capable`.
#[napi]
pub fn async_capable() -> bool {
    libssl_async::is_capable()
}

/// Starts the worker pool; `false` if it has been started. The time of the drain is in milliseconds.
#[napi]
pub fn configure_workers(threads: Option<u32>, nice: Option<u32>, drain_timeout: Option<u32>) -> napi::Result<bool> {
    let drain_timeout = drain_timeout.map(|milliseconds| Duration::from_millis(milliseconds.into()));
    workers::configure(workers::Settings { threads, nice, drain_timeout })
        .map_err(|error| napi::Error::from_reason(error.to_string()))
}

/// Applies an `openssl.cnf`. Corresponds to `CONF_modules_load_file`.
#[napi]
pub fn load_openssl_config(env: &napi::Env, path: String) -> napi::Result<()> {
    context::load_config(&path).map_err(|error| error.throw(env))
}
