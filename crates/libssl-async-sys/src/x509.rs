//! `<openssl/x509_vfy.h>` and `<openssl/pkcs12.h>`: how certificates are read and verified.

use openssl_sys::{OSSL_LIB_CTX, PKCS12, X509_CRL, X509_STORE, X509_STORE_CTX};
use std::ffi::{c_char, c_int};

/// Called with 0 at an error of a verification, with 1 at a certificate without one; returns 1 to go on.
pub type X509_STORE_CTX_verify_cb = Option<unsafe extern "C" fn(ok: c_int, ctx: *mut X509_STORE_CTX) -> c_int>;

unsafe extern "C" {
    /// Sets what is asked at each step of a verification. An error stays, even if it is told to go on.
    pub fn X509_STORE_CTX_set_verify_cb(ctx: *mut X509_STORE_CTX, verify: X509_STORE_CTX_verify_cb);
    /// Adds a revocation list to `xs`, which takes a reference of its own. Returns 1 on success.
    pub fn X509_STORE_add_crl(xs: *mut X509_STORE, x: *mut X509_CRL) -> c_int;
    /// An archive, to be read into, whose algorithms are fetched from `ctx` with the property query `propq`; `mode` is
    /// the type of its content, `NID_pkcs7_data`.
    pub fn PKCS12_init_ex(mode: c_int, ctx: *mut OSSL_LIB_CTX, propq: *const c_char) -> *mut PKCS12;
}
