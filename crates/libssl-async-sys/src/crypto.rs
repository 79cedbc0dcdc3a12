//! `<openssl/crypto.h>`, `<openssl/conf.h>` and `<openssl/err.h>`: initialisation, secrets, marks in the error queue.

use libc::size_t;
use openssl_sys::{BIO, CONF, CONF_METHOD, OPENSSL_INIT_SETTINGS, OSSL_LIB_CTX};
use std::ffi::{c_char, c_int, c_long, c_ulong, c_void};

/// [`OPENSSL_init_crypto`]: read `openssl.cnf`.
pub const OPENSSL_INIT_LOAD_CONFIG: u64 = 0x40;
/// [`OPENSSL_init_crypto`]: do not read `openssl.cnf`, now or later.
pub const OPENSSL_INIT_NO_LOAD_CONFIG: u64 = 0x80;
/// [`OPENSSL_init_crypto`]: prepare for jobs.
pub const OPENSSL_INIT_ASYNC: u64 = 0x100;
/// [`OPENSSL_init_crypto`]: register the engine that loads engines from files.
#[cfg(not(any(ossl400, osslconf = "OPENSSL_NO_ENGINE")))]
pub const OPENSSL_INIT_ENGINE_DYNAMIC: u64 = 0x400;

unsafe extern "C" {
    /// Initialises libcrypto; every option takes effect only the first time.
    pub fn OPENSSL_init_crypto(opts: u64, settings: *const OPENSSL_INIT_SETTINGS) -> c_int;
    /// Applies the section `appname` of a configuration file; 1 or more on success. Null stands for the default file, the
    /// default section; no `CONF_MFLAGS_*` in `flags` make every error one of the file.
    pub fn CONF_modules_load_file(filename: *const c_char, appname: *const c_char, flags: c_ulong) -> c_int;
    /// An empty configuration for `libctx`; a null `meth` stands for the default one.
    pub fn NCONF_new_ex(libctx: *mut OSSL_LIB_CTX, meth: *mut CONF_METHOD) -> *mut CONF;
    /// Reads a configuration; writes the number of the line that it does not understand.
    pub fn NCONF_load_bio(conf: *mut CONF, bp: *mut BIO, eline: *mut c_long) -> c_int;
    /// Applies the section `appname` of a configuration; 1 or more on success.
    pub fn CONF_modules_load(cnf: *const CONF, appname: *const c_char, flags: c_ulong) -> c_int;
    /// Frees what libcrypto keeps for the calling thread, as the end of the thread does.
    pub fn OPENSSL_thread_stop();
    /// Overwrites secrets in a way that the compiler does not remove.
    pub fn OPENSSL_cleanse(ptr: *mut c_void, len: size_t);

    /// The oldest error of the thread's queue, which stays there; 0 if it is empty.
    pub fn ERR_peek_error() -> c_ulong;
    /// Marks the newest error of the thread's queue.
    pub fn ERR_set_mark() -> c_int;
    /// Removes the errors back to the newest mark, and the mark.
    pub fn ERR_pop_to_mark() -> c_int;
    /// Removes the newest mark and keeps the errors.
    pub fn ERR_clear_last_mark() -> c_int;
}
