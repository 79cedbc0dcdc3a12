//! Key exchange by [AWS-LC](https://github.com/aws/aws-lc), for contexts that ask for it.
//!
//! OpenSSL makes X25519 keys and does ML-KEM in portable C: together with the derivation a quarter of what a handshake
//! costs a server. A provider that is compiled in hands `X25519` and `X25519MLKEM768` to AWS-LC, whose proved assembly
//! takes a fifth to a half of the time; all else, the protocol included, stays OpenSSL's. What is negotiated does not
//! change.
//!
//! The provider is chosen by a property query that only [`context_builder`] sets, and that asks, not demands: where
//! `openssl.cnf` demands something that AWS-LC does not say of itself, such as `fips=yes`, OpenSSL does the work.

mod agreement;
mod encapsulation;
mod hybrid;
mod key;
mod keymgmt;
mod provider;
mod x25519;

use libssl_async_sys as sys;
use openssl::error::ErrorStack;
use openssl::ssl::{SslContextBuilder, SslMethod};
use std::ptr;

/// A builder of a context whose connections have their keys exchanged by AWS-LC; it is like any other in all else. The
/// `SslAcceptor` and `SslConnector` of the `openssl` crate make their own contexts: take the settings over, and pass
/// `Ssl`s of this context to [`TlsAcceptor::accept_with`](crate::TlsAcceptor::accept_with) and
/// [`TlsConnector::connect_with`](crate::TlsConnector::connect_with).
///
/// Fails if the provider cannot be loaded, or as `SslContext::builder` does. May be called on any thread.
///
/// Corresponds to `SSL_CTX_new_ex`.
pub fn context_builder(method: SslMethod) -> Result<SslContextBuilder, ErrorStack> {
    provider::load()?;
    // SAFETY: the query and the method are constant, and the builder is the only owner of what is made.
    unsafe {
        let context = sys::SSL_CTX_new_ex(ptr::null_mut(), provider::PREFERRED.as_ptr(), method.as_ptr());
        if context.is_null() {
            return Err(ErrorStack::get());
        }
        Ok(SslContextBuilder::from_ptr(context))
    }
}
