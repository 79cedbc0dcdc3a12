//! The cipher suites that there are.

use foreign_types::ForeignTypeRef;
use libssl_async_sys as sys;
use napi_derive::napi;
use openssl::ssl::{SslCipher, SslContextBuilder, SslMethod};
use openssl::stack::StackRef;

/// The names of those that are on by default, as Node has them. Corresponds to `SSL_CTX_get_ciphers`.
#[napi]
pub fn ciphers() -> Vec<String> {
    let Ok(builder) = SslContextBuilder::new(SslMethod::tls()) else { return Vec::new() };
    // SAFETY: the context is valid, and keeps its list while it lives.
    let list = unsafe {
        let list = sys::SSL_CTX_get_ciphers(builder.as_ptr());
        (!list.is_null()).then(|| StackRef::<SslCipher>::from_ptr(list))
    };
    list.into_iter().flatten().map(|cipher| cipher.name().to_ascii_lowercase()).collect()
}
