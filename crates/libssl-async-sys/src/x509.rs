//! `<openssl/x509_vfy.h>` and `<openssl/pkcs12.h>`: what contexts read certificates from.

use openssl_sys::{OSSL_LIB_CTX, PKCS12, X509_CRL, X509_STORE};
use std::ffi::{c_char, c_int};

unsafe extern "C" {
    /// Adds a revocation list to `xs`, which takes a reference of its own. Returns 1 on success.
    pub fn X509_STORE_add_crl(xs: *mut X509_STORE, x: *mut X509_CRL) -> c_int;
    /// An archive, to be read into, whose algorithms are fetched from `ctx` with the property query `propq`; `mode` is
    /// the type of its content, `NID_pkcs7_data`.
    pub fn PKCS12_init_ex(mode: c_int, ctx: *mut OSSL_LIB_CTX, propq: *const c_char) -> *mut PKCS12;
}
