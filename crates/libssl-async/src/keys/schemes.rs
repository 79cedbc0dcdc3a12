//! How others learn what the signer of a remote key can do.

use std::ffi::{CStr, CString, c_char};

use foreign_types::ForeignTypeRef;
use libssl_async_sys as sys;
use openssl::error::ErrorStack;
use openssl::pkey::{PKeyRef, Private};
use openssl_sys as ffi;

use super::SignatureScheme;
use super::backend::Backend;

/// The parameter of a key that tells.
const SIGALGS: &CStr = c"libssl-async-sigalgs";

/// The signature algorithms that a connection with this key must not negotiate beyond, separated by colons, for
/// `SSL_CTX_set1_sigalgs_list`; `None` for a key that was not told its
/// [`schemes`](super::RemoteKeyBuilder::schemes), and for one that is not remote.
///
/// On a server, that list is also what it asks client certificates to sign with, unless
/// `SSL_CTX_set1_client_sigalgs_list` says otherwise. On a client, the latter is the one to narrow.
pub fn sigalgs_list(key: &PKeyRef<Private>) -> Option<String> {
    let mut buffer = [0 as c_char; 1024];
    // SAFETY: the key is valid, and at most so many bytes are written, a NUL included.
    let told = unsafe {
        let length = &mut 0;
        ffi::EVP_PKEY_get_utf8_string_param(key.as_ptr(), SIGALGS.as_ptr(), buffer.as_mut_ptr(), buffer.len(), length)
    };
    if told != 1 {
        // Keys of other providers do not know the parameter, which is no error of anybody.
        let _ = ErrorStack::get();
        return None;
    }
    // SAFETY: on success the buffer holds a string with its NUL.
    unsafe { CStr::from_ptr(buffer.as_ptr()) }.to_str().ok().map(str::to_owned)
}

/// Answers the parameter, if libcrypto asks for it. Returns whether nothing failed.
///
/// # Safety
/// `parameters` is null or a valid table.
pub(super) unsafe fn answer(backend: &Backend, parameters: *mut ffi::OSSL_PARAM) -> bool {
    // SAFETY: the table is valid, as the caller says.
    let parameter = unsafe { ffi::OSSL_PARAM_locate(parameters, SIGALGS.as_ptr()) };
    if parameter.is_null() || !backend.narrowed {
        return true;
    }
    let listed = backend.schemes.iter().filter(|scheme| **scheme != SignatureScheme::RsaPkcs1Md5Sha1);
    let list = listed.map(|scheme| scheme.name()).collect::<Vec<_>>().join(":");
    let list = CString::new(list).unwrap_or_default();
    // SAFETY: parameter and string are valid; the string is copied.
    unsafe { sys::OSSL_PARAM_set_utf8_string(parameter, list.as_ptr()) == 1 }
}
