//! The Node.js addon: what `src/` of the npm package calls.

use napi_derive::napi;

/// The version of the OpenSSL in use, such as `4.0.3`.
#[napi]
pub fn openssl_version() -> String {
    openssl::version::version().split(' ').nth(1).unwrap_or_default().to_owned()
}
