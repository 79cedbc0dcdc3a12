//! The provider's key encapsulation: X25519MLKEM768.

use std::ffi::{c_int, c_uchar, c_void};
use std::slice;

use libc::size_t;
use libssl_async_sys as sys;
use openssl_sys as ffi;

use super::hybrid::{self, ENCAPSULATION, Hybrid, SECRET};
use super::key::Key;
use crate::builtin::{dispatch, guard};

pub(super) static FUNCTIONS: [sys::OSSL_DISPATCH; 7] = [
    dispatch!(OSSL_FUNC_KEM_NEWCTX, OSSL_FUNC_kem_newctx_fn, new),
    dispatch!(OSSL_FUNC_KEM_ENCAPSULATE_INIT, OSSL_FUNC_kem_encapsulate_init_fn, initialise),
    dispatch!(OSSL_FUNC_KEM_ENCAPSULATE, OSSL_FUNC_kem_encapsulate_fn, encapsulate),
    dispatch!(OSSL_FUNC_KEM_DECAPSULATE_INIT, OSSL_FUNC_kem_decapsulate_init_fn, initialise),
    dispatch!(OSSL_FUNC_KEM_DECAPSULATE, OSSL_FUNC_kem_decapsulate_fn, decapsulate),
    dispatch!(OSSL_FUNC_KEM_FREECTX, OSSL_FUNC_kem_freectx_fn, free),
    sys::OSSL_DISPATCH::END,
];

/// What is encapsulated for, or decapsulated with.
type Context = Option<Key<Hybrid>>;

unsafe extern "C" fn new(_provider: *mut c_void) -> *mut c_void {
    Box::into_raw(Box::<Context>::default()).cast()
}

unsafe extern "C" fn initialise(context: *mut c_void, key: *mut c_void, _parameters: *const ffi::OSSL_PARAM) -> c_int {
    // SAFETY: libcrypto passes a context and a key of ours.
    let (context, key) = unsafe { (&mut *context.cast::<Context>(), &*key.cast::<Key<Hybrid>>()) };
    *context = Some(key.clone());
    1
}

unsafe extern "C" fn encapsulate(
    context: *mut c_void,
    out: *mut c_uchar,
    out_length: *mut size_t,
    secret: *mut c_uchar,
    secret_length: *mut size_t,
) -> c_int {
    // SAFETY: libcrypto passes a context of ours, and places for the lengths, which hold the room there is.
    let (context, out_room, secret_room) =
        unsafe { (&*context.cast::<Context>(), room(out_length, ENCAPSULATION), room(secret_length, SECRET)) };
    if out.is_null() {
        return 1;
    }
    let public = context.as_ref().and_then(|key| key.public.as_ref());
    let (Some(public), true, false) = (public, out_room >= ENCAPSULATION && secret_room >= SECRET, secret.is_null())
    else {
        return 0;
    };
    // SAFETY: there is room for so many bytes, which nobody else uses.
    let (out, secret) =
        unsafe { (slice::from_raw_parts_mut(out, ENCAPSULATION), slice::from_raw_parts_mut(secret, SECRET)) };
    guard(0, || c_int::from(hybrid::encapsulate(public, out, secret).is_ok()))
}

unsafe extern "C" fn decapsulate(
    context: *mut c_void,
    secret: *mut c_uchar,
    secret_length: *mut size_t,
    input: *const c_uchar,
    input_length: size_t,
) -> c_int {
    // SAFETY: libcrypto passes a context of ours, and a place for the length, which holds the room there is.
    let (context, secret_room) = unsafe { (&*context.cast::<Context>(), room(secret_length, SECRET)) };
    if secret.is_null() {
        return 1;
    }
    let private = context.as_ref().and_then(|key| key.private.as_ref());
    let (Some(private), true) = (private, secret_room >= SECRET && input_length == ENCAPSULATION) else { return 0 };
    // SAFETY: there are so many bytes, and room for so many, which nobody else uses.
    let (input, secret) =
        unsafe { (slice::from_raw_parts(input, ENCAPSULATION), slice::from_raw_parts_mut(secret, SECRET)) };
    guard(0, || c_int::from(private.decapsulate(input, secret).is_ok()))
}

/// Reads the room that `length` holds, and writes the `needed` one in its place. No place means no question of room.
///
/// # Safety
/// `length` is null or valid.
unsafe fn room(length: *mut size_t, needed: usize) -> usize {
    // SAFETY: the caller says so.
    match unsafe { length.as_mut() } {
        Some(length) => std::mem::replace(length, needed),
        None => usize::MAX,
    }
}

unsafe extern "C" fn free(context: *mut c_void) {
    if !context.is_null() {
        // SAFETY: libcrypto frees what `new` returned, once.
        guard((), || drop(unsafe { Box::from_raw(context.cast::<Context>()) }));
    }
}
