//! Signatures. Functions that return `c_int` return 0 on failure; with a null `sig` they only write the length.

use libc::size_t;
use openssl_sys::OSSL_PARAM;
use std::ffi::{c_char, c_int, c_uchar, c_void};

/// Number of [`OSSL_FUNC_signature_newctx_fn`].
pub const OSSL_FUNC_SIGNATURE_NEWCTX: c_int = 1;
/// Number of [`OSSL_FUNC_signature_sign_init_fn`].
pub const OSSL_FUNC_SIGNATURE_SIGN_INIT: c_int = 2;
/// Number of [`OSSL_FUNC_signature_sign_fn`].
pub const OSSL_FUNC_SIGNATURE_SIGN: c_int = 3;
/// Number of [`OSSL_FUNC_signature_digest_sign_init_fn`].
pub const OSSL_FUNC_SIGNATURE_DIGEST_SIGN_INIT: c_int = 8;
/// Number of [`OSSL_FUNC_signature_digest_sign_update_fn`].
pub const OSSL_FUNC_SIGNATURE_DIGEST_SIGN_UPDATE: c_int = 9;
/// Number of [`OSSL_FUNC_signature_digest_sign_final_fn`].
pub const OSSL_FUNC_SIGNATURE_DIGEST_SIGN_FINAL: c_int = 10;
/// Number of [`OSSL_FUNC_signature_digest_sign_fn`].
pub const OSSL_FUNC_SIGNATURE_DIGEST_SIGN: c_int = 11;
/// Number of [`OSSL_FUNC_signature_freectx_fn`].
pub const OSSL_FUNC_SIGNATURE_FREECTX: c_int = 16;
/// Number of [`OSSL_FUNC_signature_dupctx_fn`].
pub const OSSL_FUNC_SIGNATURE_DUPCTX: c_int = 17;
/// Number of [`OSSL_FUNC_signature_get_ctx_params_fn`].
pub const OSSL_FUNC_SIGNATURE_GET_CTX_PARAMS: c_int = 18;
/// Number of [`OSSL_FUNC_signature_gettable_ctx_params_fn`].
pub const OSSL_FUNC_SIGNATURE_GETTABLE_CTX_PARAMS: c_int = 19;
/// Number of [`OSSL_FUNC_signature_set_ctx_params_fn`].
pub const OSSL_FUNC_SIGNATURE_SET_CTX_PARAMS: c_int = 20;
/// Number of [`OSSL_FUNC_signature_settable_ctx_params_fn`].
pub const OSSL_FUNC_SIGNATURE_SETTABLE_CTX_PARAMS: c_int = 21;

/// A context for signing.
pub type OSSL_FUNC_signature_newctx_fn =
    Option<unsafe extern "C" fn(provctx: *mut c_void, propq: *const c_char) -> *mut c_void>;
/// Prepares for signing digests with a key; null keeps the key.
pub type OSSL_FUNC_signature_sign_init_fn =
    Option<unsafe extern "C" fn(ctx: *mut c_void, provkey: *mut c_void, params: *const OSSL_PARAM) -> c_int>;
/// Signs a digest.
pub type OSSL_FUNC_signature_sign_fn = Option<
    unsafe extern "C" fn(
        ctx: *mut c_void,
        sig: *mut c_uchar,
        siglen: *mut size_t,
        sigsize: size_t,
        tbs: *const c_uchar,
        tbslen: size_t,
    ) -> c_int,
>;
/// Prepares for digesting and signing messages with a key; null keeps the key.
pub type OSSL_FUNC_signature_digest_sign_init_fn = Option<
    unsafe extern "C" fn(
        ctx: *mut c_void,
        mdname: *const c_char,
        provkey: *mut c_void,
        params: *const OSSL_PARAM,
    ) -> c_int,
>;
/// Takes a piece of the message.
pub type OSSL_FUNC_signature_digest_sign_update_fn =
    Option<unsafe extern "C" fn(ctx: *mut c_void, data: *const c_uchar, datalen: size_t) -> c_int>;
/// Signs the pieces.
pub type OSSL_FUNC_signature_digest_sign_final_fn =
    Option<unsafe extern "C" fn(ctx: *mut c_void, sig: *mut c_uchar, siglen: *mut size_t, sigsize: size_t) -> c_int>;
/// Signs a message given in one piece.
pub type OSSL_FUNC_signature_digest_sign_fn = Option<
    unsafe extern "C" fn(
        ctx: *mut c_void,
        sigret: *mut c_uchar,
        siglen: *mut size_t,
        sigsize: size_t,
        tbs: *const c_uchar,
        tbslen: size_t,
    ) -> c_int,
>;
/// Frees a context.
pub type OSSL_FUNC_signature_freectx_fn = Option<unsafe extern "C" fn(ctx: *mut c_void)>;
/// A copy of a context.
pub type OSSL_FUNC_signature_dupctx_fn = Option<unsafe extern "C" fn(ctx: *mut c_void) -> *mut c_void>;
/// Answers questions about a context.
pub type OSSL_FUNC_signature_get_ctx_params_fn =
    Option<unsafe extern "C" fn(ctx: *mut c_void, params: *mut OSSL_PARAM) -> c_int>;
/// What can be asked about a context.
pub type OSSL_FUNC_signature_gettable_ctx_params_fn =
    Option<unsafe extern "C" fn(ctx: *mut c_void, provctx: *mut c_void) -> *const OSSL_PARAM>;
/// Configures a context.
pub type OSSL_FUNC_signature_set_ctx_params_fn =
    Option<unsafe extern "C" fn(ctx: *mut c_void, params: *const OSSL_PARAM) -> c_int>;
/// What can be configured in a context.
pub type OSSL_FUNC_signature_settable_ctx_params_fn =
    Option<unsafe extern "C" fn(ctx: *mut c_void, provctx: *mut c_void) -> *const OSSL_PARAM>;
