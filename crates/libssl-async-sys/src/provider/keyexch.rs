//! Key agreement. Functions that return `c_int` return 0 on failure; with a null `secret` they only write the length.

use libc::size_t;
use openssl_sys::OSSL_PARAM;
use std::ffi::{c_int, c_uchar, c_void};

/// Number of [`OSSL_FUNC_keyexch_newctx_fn`].
pub const OSSL_FUNC_KEYEXCH_NEWCTX: c_int = 1;
/// Number of [`OSSL_FUNC_keyexch_init_fn`].
pub const OSSL_FUNC_KEYEXCH_INIT: c_int = 2;
/// Number of [`OSSL_FUNC_keyexch_derive_fn`].
pub const OSSL_FUNC_KEYEXCH_DERIVE: c_int = 3;
/// Number of [`OSSL_FUNC_keyexch_set_peer_fn`].
pub const OSSL_FUNC_KEYEXCH_SET_PEER: c_int = 4;
/// Number of [`OSSL_FUNC_keyexch_freectx_fn`].
pub const OSSL_FUNC_KEYEXCH_FREECTX: c_int = 5;

/// A context for an agreement.
pub type OSSL_FUNC_keyexch_newctx_fn = Option<unsafe extern "C" fn(provctx: *mut c_void) -> *mut c_void>;
/// Prepares for an agreement with a private key.
pub type OSSL_FUNC_keyexch_init_fn =
    Option<unsafe extern "C" fn(ctx: *mut c_void, provkey: *mut c_void, params: *const OSSL_PARAM) -> c_int>;
/// Derives the secret.
pub type OSSL_FUNC_keyexch_derive_fn = Option<
    unsafe extern "C" fn(ctx: *mut c_void, secret: *mut c_uchar, secretlen: *mut size_t, outlen: size_t) -> c_int,
>;
/// Sets the public key of the peer.
pub type OSSL_FUNC_keyexch_set_peer_fn = Option<unsafe extern "C" fn(ctx: *mut c_void, provkey: *mut c_void) -> c_int>;
/// Frees a context.
pub type OSSL_FUNC_keyexch_freectx_fn = Option<unsafe extern "C" fn(ctx: *mut c_void)>;
