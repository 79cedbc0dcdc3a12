//! Pre-shared keys.

use std::ffi::{CStr, CString, c_char, c_uchar, c_uint};
use std::{ptr, slice};

use foreign_types::ForeignTypeRef;
use libssl_async::AskError;
use libssl_async_sys as sys;
use openssl::error::ErrorStack;
use openssl::ssl::{Ssl, SslRef};
use openssl_sys as ffi;
use zeroize::Zeroizing;

use super::observer::observer;

/// A key that both ends have.
pub(crate) struct PreSharedKey {
    /// The name that a client gives it; empty for a server's.
    pub(crate) identity: String,
    pub(crate) key: Zeroizing<Vec<u8>>,
}

/// What makes libssl fail the handshake: longer than any key. 0 would have TLS 1.3 go on without one.
const FAILED: c_uint = c_uint::MAX;
const NONE: c_uint = 0;

/// Has a client ask its observer for its key.
///
/// Corresponds to `SSL_set_psk_client_callback`.
pub(super) fn offer(ssl: &Ssl) {
    // SAFETY: the SSL is valid.
    unsafe { sys::SSL_set_psk_client_callback(ssl.as_ptr(), Some(own)) };
}

/// Has a server ask its observer for the keys of its clients, to whom it gives a hint.
///
/// Corresponds to `SSL_set_psk_server_callback` and `SSL_use_psk_identity_hint`.
pub(super) fn accept(ssl: &Ssl, hint: Option<&CStr>) -> Result<(), ErrorStack> {
    // SAFETY: the SSL is valid, and copies the hint.
    unsafe {
        sys::SSL_set_psk_server_callback(ssl.as_ptr(), Some(of_client));
        match sys::SSL_use_psk_identity_hint(ssl.as_ptr(), hint.map_or(ptr::null(), CStr::as_ptr)) {
            1 => Ok(()),
            _ => Err(ErrorStack::get()),
        }
    }
}

unsafe extern "C" fn own(
    ssl: *mut ffi::SSL,
    hint: *const c_char,
    identity: *mut c_char,
    most_of_identity: c_uint,
    key: *mut c_uchar,
    most_of_key: c_uint,
) -> c_uint {
    // SAFETY: libssl calls this with an SSL, a string or null, and two buffers with their sizes; that of the identity has a
    // place for the NUL beside them.
    unsafe {
        let Some(observer) = observer(SslRef::from_ptr(ssl)) else { return NONE };
        let hint = (!hint.is_null()).then(|| text(CStr::from_ptr(hint)));
        let own = match observer.own_psk(hint) {
            Ok(Some(own)) => own,
            Ok(None) => return NONE,
            Err(_) => return FAILED,
        };
        let Ok(name) = CString::new(own.identity.as_str()) else { return FAILED };
        let name = name.as_bytes_with_nul();
        if name.len() > most_of_identity as usize {
            return FAILED;
        }
        ptr::copy_nonoverlapping(name.as_ptr(), identity.cast(), name.len());
        give(&own, key, most_of_key)
    }
}

unsafe extern "C" fn of_client(ssl: *mut ffi::SSL, identity: *const c_char, key: *mut c_uchar, most: c_uint) -> c_uint {
    // SAFETY: libssl calls this with an SSL, a string, and a buffer with its size.
    unsafe {
        let Some(observer) = observer(SslRef::from_ptr(ssl)) else { return NONE };
        let answer: Result<Option<PreSharedKey>, AskError> = observer.psk_of(text(CStr::from_ptr(identity)));
        match answer {
            Ok(Some(psk)) => give(&psk, key, most),
            Ok(None) => NONE,
            Err(_) => FAILED,
        }
    }
}

/// Writes a key to where libssl wants it; returns its length.
///
/// # Safety
/// There is a place for `most` bytes.
unsafe fn give(psk: &PreSharedKey, target: *mut c_uchar, most: c_uint) -> c_uint {
    if psk.key.is_empty() || psk.key.len() > most as usize {
        return FAILED;
    }
    // SAFETY: the caller's.
    unsafe { slice::from_raw_parts_mut(target, psk.key.len()) }.copy_from_slice(&psk.key);
    psk.key.len() as c_uint
}

/// What is no UTF-8 is no name that anybody was given.
fn text(string: &CStr) -> String {
    string.to_string_lossy().into_owned()
}
