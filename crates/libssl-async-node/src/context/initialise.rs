//! The start of libcrypto.

use std::env;
use std::ffi::CString;
use std::ptr;
use std::sync::OnceLock;

use libssl_async_sys as sys;
use openssl::error::ErrorStack;
use openssl_sys as ffi;

use crate::error::{Checked, NativeError};

/// Initialises libcrypto, once a process and before anything else uses it. It reads `openssl.cnf` only if the variable
/// `OPENSSL_CONF` says where it is, and does not clean up at exit, which would race the workers (rule 29).
///
/// Corresponds to `OPENSSL_init_crypto`.
pub(crate) fn initialise() -> Checked<()> {
    static RESULT: OnceLock<Result<(), ErrorStack>> = OnceLock::new();
    RESULT
        .get_or_init(|| {
            let configure = env::var_os("OPENSSL_CONF").is_some_and(|file| !file.is_empty());
            let config = if configure { sys::OPENSSL_INIT_LOAD_CONFIG } else { sys::OPENSSL_INIT_NO_LOAD_CONFIG };
            // SAFETY: settings may be null.
            match unsafe { sys::OPENSSL_init_crypto(config | ffi::OPENSSL_INIT_NO_ATEXIT, ptr::null()) } {
                1 => Ok(()),
                _ => Err(ErrorStack::get()),
            }
        })
        .clone()
        .map_err(Into::into)
}

/// Applies an `openssl.cnf`, for what is made from now on; every error in it is one here.
///
/// Corresponds to `CONF_modules_load_file`.
pub(crate) fn load_config(path: &str) -> Checked<()> {
    initialise()?;
    let refused = |stack: &ErrorStack| Box::new(NativeError::refused("opensslConfig", stack));
    let Ok(file) = CString::new(path) else {
        return Err(Box::new(NativeError::option("ERR_INVALID_ARG_VALUE", "opensslConfig", "a path has no NUL")));
    };
    // SAFETY: the name is valid; none means the default section.
    match unsafe { sys::CONF_modules_load_file(file.as_ptr(), ptr::null(), 0) } {
        result if result > 0 => Ok(()),
        _ => Err(refused(&ErrorStack::get())),
    }
}
