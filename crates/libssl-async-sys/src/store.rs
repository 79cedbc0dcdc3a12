//! `<openssl/store.h>`: keys and certificates by URI.

use crate::ui::UI_METHOD;
use openssl_sys::{EVP_PKEY, OSSL_LIB_CTX, OSSL_PARAM};
use std::ffi::{c_char, c_int, c_void};

/// An opened URI.
pub enum OSSL_STORE_CTX {}
/// One thing that was found there.
pub enum OSSL_STORE_INFO {}

/// Looks at what was found, and passes it on, or null.
pub type OSSL_STORE_post_process_info_fn =
    Option<unsafe extern "C" fn(info: *mut OSSL_STORE_INFO, data: *mut c_void) -> *mut OSSL_STORE_INFO>;

/// [`OSSL_STORE_INFO_get_type`]: a private key.
pub const OSSL_STORE_INFO_PKEY: c_int = 4;

unsafe extern "C" {
    /// Opens a URI with the loaders of `libctx`.
    pub fn OSSL_STORE_open_ex(
        uri: *const c_char,
        libctx: *mut OSSL_LIB_CTX,
        propq: *const c_char,
        ui_method: *const UI_METHOD,
        ui_data: *mut c_void,
        params: *const OSSL_PARAM,
        post_process: OSSL_STORE_post_process_info_fn,
        post_process_data: *mut c_void,
    ) -> *mut OSSL_STORE_CTX;
    /// Says that only one type of things is wanted.
    pub fn OSSL_STORE_expect(ctx: *mut OSSL_STORE_CTX, expected_type: c_int) -> c_int;
    /// The next thing, or null.
    pub fn OSSL_STORE_load(ctx: *mut OSSL_STORE_CTX) -> *mut OSSL_STORE_INFO;
    /// 1 if there is nothing more.
    pub fn OSSL_STORE_eof(ctx: *mut OSSL_STORE_CTX) -> c_int;
    /// Closes it.
    pub fn OSSL_STORE_close(ctx: *mut OSSL_STORE_CTX) -> c_int;
    /// What the thing is.
    pub fn OSSL_STORE_INFO_get_type(info: *const OSSL_STORE_INFO) -> c_int;
    /// A reference to the private key.
    pub fn OSSL_STORE_INFO_get1_PKEY(info: *const OSSL_STORE_INFO) -> *mut EVP_PKEY;
    /// Frees it.
    pub fn OSSL_STORE_INFO_free(info: *mut OSSL_STORE_INFO);
}
