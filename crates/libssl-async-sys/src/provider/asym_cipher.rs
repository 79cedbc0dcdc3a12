//! Asymmetric decryption. Functions that return `c_int` return 0 on failure; with a null `out` they only write the length.

use libc::size_t;
use openssl_sys::OSSL_PARAM;
use std::ffi::{c_int, c_uchar, c_void};

/// Number of [`OSSL_FUNC_asym_cipher_newctx_fn`].
pub const OSSL_FUNC_ASYM_CIPHER_NEWCTX: c_int = 1;
/// Number of [`OSSL_FUNC_asym_cipher_decrypt_init_fn`].
pub const OSSL_FUNC_ASYM_CIPHER_DECRYPT_INIT: c_int = 4;
/// Number of [`OSSL_FUNC_asym_cipher_decrypt_fn`].
pub const OSSL_FUNC_ASYM_CIPHER_DECRYPT: c_int = 5;
/// Number of [`OSSL_FUNC_asym_cipher_freectx_fn`].
pub const OSSL_FUNC_ASYM_CIPHER_FREECTX: c_int = 6;
/// Number of [`OSSL_FUNC_asym_cipher_dupctx_fn`].
pub const OSSL_FUNC_ASYM_CIPHER_DUPCTX: c_int = 7;
/// Number of [`OSSL_FUNC_asym_cipher_get_ctx_params_fn`].
pub const OSSL_FUNC_ASYM_CIPHER_GET_CTX_PARAMS: c_int = 8;
/// Number of [`OSSL_FUNC_asym_cipher_gettable_ctx_params_fn`].
pub const OSSL_FUNC_ASYM_CIPHER_GETTABLE_CTX_PARAMS: c_int = 9;
/// Number of [`OSSL_FUNC_asym_cipher_set_ctx_params_fn`].
pub const OSSL_FUNC_ASYM_CIPHER_SET_CTX_PARAMS: c_int = 10;
/// Number of [`OSSL_FUNC_asym_cipher_settable_ctx_params_fn`].
pub const OSSL_FUNC_ASYM_CIPHER_SETTABLE_CTX_PARAMS: c_int = 11;

/// A context for decryption.
pub type OSSL_FUNC_asym_cipher_newctx_fn = Option<unsafe extern "C" fn(provctx: *mut c_void) -> *mut c_void>;
/// Prepares for decryption with a key.
pub type OSSL_FUNC_asym_cipher_decrypt_init_fn =
    Option<unsafe extern "C" fn(ctx: *mut c_void, provkey: *mut c_void, params: *const OSSL_PARAM) -> c_int>;
/// Decrypts.
pub type OSSL_FUNC_asym_cipher_decrypt_fn = Option<
    unsafe extern "C" fn(
        ctx: *mut c_void,
        out: *mut c_uchar,
        outlen: *mut size_t,
        outsize: size_t,
        input: *const c_uchar,
        inlen: size_t,
    ) -> c_int,
>;
/// Frees a context.
pub type OSSL_FUNC_asym_cipher_freectx_fn = Option<unsafe extern "C" fn(ctx: *mut c_void)>;
/// A copy of a context.
pub type OSSL_FUNC_asym_cipher_dupctx_fn = Option<unsafe extern "C" fn(ctx: *mut c_void) -> *mut c_void>;
/// Answers questions about a context.
pub type OSSL_FUNC_asym_cipher_get_ctx_params_fn =
    Option<unsafe extern "C" fn(ctx: *mut c_void, params: *mut OSSL_PARAM) -> c_int>;
/// What can be asked about a context.
pub type OSSL_FUNC_asym_cipher_gettable_ctx_params_fn =
    Option<unsafe extern "C" fn(ctx: *mut c_void, provctx: *mut c_void) -> *const OSSL_PARAM>;
/// Configures a context.
pub type OSSL_FUNC_asym_cipher_set_ctx_params_fn =
    Option<unsafe extern "C" fn(ctx: *mut c_void, params: *const OSSL_PARAM) -> c_int>;
/// What can be configured in a context.
pub type OSSL_FUNC_asym_cipher_settable_ctx_params_fn =
    Option<unsafe extern "C" fn(ctx: *mut c_void, provctx: *mut c_void) -> *const OSSL_PARAM>;
