//! The provider's key agreement: X25519.

use std::ffi::{c_int, c_uchar, c_void};
use std::slice;

use libc::size_t;
use libssl_async_sys as sys;
use openssl_sys as ffi;

use super::key::Key;
use super::x25519::{LENGTH, X25519};
use crate::builtin::{dispatch, guard};

pub(super) static FUNCTIONS: [sys::OSSL_DISPATCH; 6] = [
    dispatch!(OSSL_FUNC_KEYEXCH_NEWCTX, OSSL_FUNC_keyexch_newctx_fn, new),
    dispatch!(OSSL_FUNC_KEYEXCH_INIT, OSSL_FUNC_keyexch_init_fn, initialise),
    dispatch!(OSSL_FUNC_KEYEXCH_SET_PEER, OSSL_FUNC_keyexch_set_peer_fn, set_peer),
    dispatch!(OSSL_FUNC_KEYEXCH_DERIVE, OSSL_FUNC_keyexch_derive_fn, derive),
    dispatch!(OSSL_FUNC_KEYEXCH_FREECTX, OSSL_FUNC_keyexch_freectx_fn, free),
    sys::OSSL_DISPATCH::END,
];

/// An agreement in the making.
#[derive(Default)]
struct Context {
    own: Option<Key<X25519>>,
    peer: Option<Key<X25519>>,
}

unsafe extern "C" fn new(_provider: *mut c_void) -> *mut c_void {
    Box::into_raw(Box::<Context>::default()).cast()
}

unsafe extern "C" fn initialise(context: *mut c_void, key: *mut c_void, _parameters: *const ffi::OSSL_PARAM) -> c_int {
    // SAFETY: libcrypto passes a context and a key of ours.
    let (context, key) = unsafe { (&mut *context.cast::<Context>(), &*key.cast::<Key<X25519>>()) };
    context.own = Some(key.clone());
    1
}

unsafe extern "C" fn set_peer(context: *mut c_void, key: *mut c_void) -> c_int {
    // SAFETY: libcrypto passes a context and a key of ours.
    let (context, key) = unsafe { (&mut *context.cast::<Context>(), &*key.cast::<Key<X25519>>()) };
    context.peer = Some(key.clone());
    1
}

unsafe extern "C" fn derive(
    context: *mut c_void,
    secret: *mut c_uchar,
    length: *mut size_t,
    capacity: size_t,
) -> c_int {
    // SAFETY: libcrypto passes a context of ours and a place for the length.
    let context = unsafe {
        *length = LENGTH;
        &*context.cast::<Context>()
    };
    if secret.is_null() {
        return 1;
    }
    let own = context.own.as_ref().and_then(|key| key.private.as_ref());
    let peer = context.peer.as_ref().and_then(|key| key.public.as_ref());
    let (Some(own), Some(peer), true) = (own, peer, capacity >= LENGTH) else { return 0 };
    // SAFETY: there is room for `capacity` bytes, which nobody else uses.
    let secret = unsafe { slice::from_raw_parts_mut(secret, LENGTH) };
    guard(0, || c_int::from(own.agree(peer, secret).is_ok()))
}

unsafe extern "C" fn free(context: *mut c_void) {
    if !context.is_null() {
        // SAFETY: libcrypto frees what `new` returned, once.
        guard((), || drop(unsafe { Box::from_raw(context.cast::<Context>()) }));
    }
}
