//! Key encapsulation. Functions that return `c_int` return 0 on failure; with a null `out` they only write the lengths.

use libc::size_t;
use openssl_sys::OSSL_PARAM;
use std::ffi::{c_int, c_uchar, c_void};

/// Number of [`OSSL_FUNC_kem_newctx_fn`].
pub const OSSL_FUNC_KEM_NEWCTX: c_int = 1;
/// Number of [`OSSL_FUNC_kem_encapsulate_init_fn`].
pub const OSSL_FUNC_KEM_ENCAPSULATE_INIT: c_int = 2;
/// Number of [`OSSL_FUNC_kem_encapsulate_fn`].
pub const OSSL_FUNC_KEM_ENCAPSULATE: c_int = 3;
/// Number of [`OSSL_FUNC_kem_decapsulate_init_fn`].
pub const OSSL_FUNC_KEM_DECAPSULATE_INIT: c_int = 4;
/// Number of [`OSSL_FUNC_kem_decapsulate_fn`].
pub const OSSL_FUNC_KEM_DECAPSULATE: c_int = 5;
/// Number of [`OSSL_FUNC_kem_freectx_fn`].
pub const OSSL_FUNC_KEM_FREECTX: c_int = 6;

/// A context for an encapsulation or its opposite.
pub type OSSL_FUNC_kem_newctx_fn = Option<unsafe extern "C" fn(provctx: *mut c_void) -> *mut c_void>;
/// Prepares for an encapsulation with the public key of the peer.
pub type OSSL_FUNC_kem_encapsulate_init_fn =
    Option<unsafe extern "C" fn(ctx: *mut c_void, provkey: *mut c_void, params: *const OSSL_PARAM) -> c_int>;
/// Makes a secret, and what tells it to the peer.
pub type OSSL_FUNC_kem_encapsulate_fn = Option<
    unsafe extern "C" fn(
        ctx: *mut c_void,
        out: *mut c_uchar,
        outlen: *mut size_t,
        secret: *mut c_uchar,
        secretlen: *mut size_t,
    ) -> c_int,
>;
/// Prepares for a decapsulation with a private key.
pub type OSSL_FUNC_kem_decapsulate_init_fn =
    Option<unsafe extern "C" fn(ctx: *mut c_void, provkey: *mut c_void, params: *const OSSL_PARAM) -> c_int>;
/// Gets the secret out of what the peer sent.
pub type OSSL_FUNC_kem_decapsulate_fn = Option<
    unsafe extern "C" fn(
        ctx: *mut c_void,
        out: *mut c_uchar,
        outlen: *mut size_t,
        input: *const c_uchar,
        inlen: size_t,
    ) -> c_int,
>;
/// Frees a context.
pub type OSSL_FUNC_kem_freectx_fn = Option<unsafe extern "C" fn(ctx: *mut c_void)>;
