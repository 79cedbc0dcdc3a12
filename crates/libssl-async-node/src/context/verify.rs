//! How peers are verified.

use std::ffi::{c_int, c_void};
use std::ptr;

use foreign_types::ForeignTypeRef;
use libssl_async_sys as sys;
use openssl::ssl::{SslContextBuilder, SslRef};
use openssl::x509::{X509StoreContextRef, X509VerifyResult};
use openssl_sys as ffi;

use super::observer::observer;
use crate::error::verify_code;

/// A peer whose handshake waits for somebody to accept it.
pub(crate) struct Unverified {
    /// Its chain in DER, its own certificate first, as far as OpenSSL could complete it.
    pub(crate) certificates: Vec<Vec<u8>>,
    /// Why OpenSSL does not accept it.
    pub(crate) error: Option<&'static str>,
}

/// Has a context find out all that is wrong with a peer, not only the first thing: like Node, it reports the last, which
/// says most. `UNABLE_TO_VERIFY_LEAF_SIGNATURE`, for instance, comes after `UNABLE_TO_GET_ISSUER_CERT_LOCALLY`.
///
/// Corresponds to `SSL_CTX_set_cert_verify_callback`.
pub(super) fn install(builder: &SslContextBuilder) {
    // SAFETY: the context is valid, and the callback needs no argument.
    unsafe { sys::SSL_CTX_set_cert_verify_callback(builder.as_ptr(), Some(verify), ptr::null_mut()) };
}

/// Returns 1 for a peer that is accepted.
unsafe extern "C" fn verify(store: *mut ffi::X509_STORE_CTX, _arg: *mut c_void) -> c_int {
    // SAFETY: libssl calls this for a chain of its own, which has the SSL with it.
    unsafe {
        sys::X509_STORE_CTX_set_verify_cb(store, Some(go_on));
        let result = ffi::X509_verify_cert(store);
        if result != 1 {
            return result;
        }
        let is_trusted = ffi::X509_STORE_CTX_get_error(store) == ffi::X509_V_OK;
        let ssl = ffi::X509_STORE_CTX_get_ex_data(store, ffi::SSL_get_ex_data_X509_STORE_CTX_idx()).cast();
        let Some(observer) = observer(SslRef::from_ptr(ssl)) else { return c_int::from(is_trusted || !refuses(ssl)) };
        if !is_trusted && refuses(ssl) && !observer.tolerates() {
            return 0;
        }
        match observer.verify(&|| Unverified::of(X509StoreContextRef::from_ptr(store))) {
            Ok(()) => 1,
            Err(_) => {
                ffi::X509_STORE_CTX_set_error(store, ffi::X509_V_ERR_CERT_REJECTED);
                0
            }
        }
    }
}

/// Errors are sticky: whatever comes later, the verification has one in the end.
unsafe extern "C" fn go_on(_ok: c_int, _store: *mut ffi::X509_STORE_CTX) -> c_int {
    1
}

/// Whether a peer that does not verify is refused. Of a client, libssl asks only where it is (`SSL_VERIFY_PEER`).
///
/// # Safety
/// The SSL is valid.
unsafe fn refuses(ssl: *mut ffi::SSL) -> bool {
    // SAFETY: the caller's.
    unsafe { ffi::SSL_is_server(ssl) != 1 || ffi::SSL_get_verify_mode(ssl) & ffi::SSL_VERIFY_FAIL_IF_NO_PEER_CERT != 0 }
}

impl Unverified {
    fn of(store: &X509StoreContextRef) -> Self {
        let error = store.error();
        Self {
            certificates: store.chain().into_iter().flatten().filter_map(|one| one.to_der().ok()).collect(),
            error: (error != X509VerifyResult::OK).then(|| verify_code(error)),
        }
    }
}
