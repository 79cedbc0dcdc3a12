//! The provider's key management: one dispatch table for each type of key.
//!
//! All that concerns the public half is left to the default provider, which holds a key with that half.

use std::ffi::{c_char, c_int, c_void};
use std::ptr;
use std::sync::Arc;

use foreign_types::{ForeignType, ForeignTypeRef};
use libssl_async_sys as sys;
use openssl::pkey::{PKey, PKeyRef, Public};
use openssl_sys as ffi;

use super::backend::Backend;
use super::kind::Kind;
use super::provider;
use super::schemes;
use crate::builtin::params::{Descriptions, END, description};
use crate::builtin::{dispatch, guard};

/// What libcrypto holds for a key.
pub(super) struct Key {
    kind: Kind,
    half: Half,
}

enum Half {
    /// Not filled yet.
    None,
    /// A plain public key, which libcrypto makes to compare it with another key of this provider.
    Public(PKey<Public>),
    Remote(Arc<Backend>),
}

impl Key {
    pub(super) fn kind(&self) -> Kind {
        self.kind
    }

    /// The private half.
    pub(super) fn backend(&self) -> Option<&Arc<Backend>> {
        match &self.half {
            Half::Remote(backend) => Some(backend),
            Half::None | Half::Public(_) => None,
        }
    }

    fn public(&self) -> Option<&PKeyRef<Public>> {
        match &self.half {
            Half::None => None,
            Half::Public(key) => Some(key),
            Half::Remote(backend) => Some(&backend.public.key),
        }
    }
}

/// The functions for keys of `kind`.
pub(super) const fn functions(kind: Kind) -> &'static [sys::OSSL_DISPATCH] {
    match kind {
        Kind::Ec => &OfKind::<{ Kind::Ec as usize }>::FUNCTIONS,
        Kind::Ed25519 => &OfKind::<{ Kind::Ed25519 as usize }>::FUNCTIONS,
        Kind::Ed448 => &OfKind::<{ Kind::Ed448 as usize }>::FUNCTIONS,
        Kind::MlDsa44 => &OfKind::<{ Kind::MlDsa44 as usize }>::FUNCTIONS,
        Kind::MlDsa65 => &OfKind::<{ Kind::MlDsa65 as usize }>::FUNCTIONS,
        Kind::MlDsa87 => &OfKind::<{ Kind::MlDsa87 as usize }>::FUNCTIONS,
        Kind::Rsa => &OfKind::<{ Kind::Rsa as usize }>::FUNCTIONS,
        Kind::RsaPss => &OfKind::<{ Kind::RsaPss as usize }>::FUNCTIONS,
    }
}

/// The functions that have to know the type of a key without being given one.
struct OfKind<const KIND: usize>;

impl<const KIND: usize> OfKind<KIND> {
    const FUNCTIONS: [sys::OSSL_DISPATCH; 13] = [
        dispatch!(OSSL_FUNC_KEYMGMT_NEW, OSSL_FUNC_keymgmt_new_fn, Self::empty),
        dispatch!(OSSL_FUNC_KEYMGMT_FREE, OSSL_FUNC_keymgmt_free_fn, free),
        dispatch!(OSSL_FUNC_KEYMGMT_GET_PARAMS, OSSL_FUNC_keymgmt_get_params_fn, get_params),
        dispatch!(OSSL_FUNC_KEYMGMT_GETTABLE_PARAMS, OSSL_FUNC_keymgmt_gettable_params_fn, gettable_params),
        dispatch!(
            OSSL_FUNC_KEYMGMT_QUERY_OPERATION_NAME,
            OSSL_FUNC_keymgmt_query_operation_name_fn,
            Self::query_operation_name
        ),
        dispatch!(OSSL_FUNC_KEYMGMT_HAS, OSSL_FUNC_keymgmt_has_fn, has),
        dispatch!(OSSL_FUNC_KEYMGMT_MATCH, OSSL_FUNC_keymgmt_match_fn, equal),
        dispatch!(OSSL_FUNC_KEYMGMT_IMPORT, OSSL_FUNC_keymgmt_import_fn, import),
        dispatch!(OSSL_FUNC_KEYMGMT_IMPORT_TYPES, OSSL_FUNC_keymgmt_import_types_fn, Self::types),
        dispatch!(OSSL_FUNC_KEYMGMT_EXPORT, OSSL_FUNC_keymgmt_export_fn, export),
        dispatch!(OSSL_FUNC_KEYMGMT_EXPORT_TYPES, OSSL_FUNC_keymgmt_export_types_fn, Self::types),
        dispatch!(OSSL_FUNC_KEYMGMT_DUP, OSSL_FUNC_keymgmt_dup_fn, duplicate),
        sys::OSSL_DISPATCH::END,
    ];

    unsafe extern "C" fn empty(_context: *mut c_void) -> *mut c_void {
        Box::into_raw(Box::new(Key { kind: Kind::ALL[KIND], half: Half::None })).cast()
    }

    unsafe extern "C" fn query_operation_name(operation: c_int) -> *const c_char {
        match operation {
            sys::OSSL_OP_SIGNATURE => Kind::ALL[KIND].signature().as_ptr(),
            _ => ptr::null(),
        }
    }

    /// What public keys consist of.
    unsafe extern "C" fn types(_selection: c_int) -> *const ffi::OSSL_PARAM {
        // SAFETY: the context lives as long as it is used; the table that it knows is the default provider's for ever.
        unsafe {
            let context = public_context(Kind::ALL[KIND]);
            if context.is_null() {
                return ptr::null();
            }
            let types = sys::EVP_PKEY_fromdata_settable(context, ffi::EVP_PKEY_PUBLIC_KEY);
            ffi::EVP_PKEY_CTX_free(context);
            types
        }
    }
}

unsafe extern "C" fn free(key: *mut c_void) {
    if !key.is_null() {
        // SAFETY: libcrypto frees what `empty` or `duplicate` returned, once. What hangs on it may be the user's code.
        guard((), || drop(unsafe { Box::from_raw(key.cast::<Key>()) }));
    }
}

unsafe extern "C" fn get_params(key: *mut c_void, parameters: *mut ffi::OSSL_PARAM) -> c_int {
    // SAFETY: libcrypto passes a key of ours.
    let key = unsafe { &*key.cast::<Key>() };
    guard(0, || {
        let Some(public) = key.public() else { return 0 };
        // SAFETY: the key is valid, and the parameters are libcrypto's.
        unsafe {
            match key.backend() {
                Some(backend) if !schemes::answer(backend, parameters) => 0,
                _ => ffi::EVP_PKEY_get_params(public.as_ptr(), parameters),
            }
        }
    })
}

unsafe extern "C" fn gettable_params(_context: *mut c_void) -> *const ffi::OSSL_PARAM {
    static GETTABLE: Descriptions<6> = Descriptions([
        description(sys::OSSL_PKEY_PARAM_BITS, sys::OSSL_PARAM_INTEGER),
        description(sys::OSSL_PKEY_PARAM_SECURITY_BITS, sys::OSSL_PARAM_INTEGER),
        description(sys::OSSL_PKEY_PARAM_MAX_SIZE, sys::OSSL_PARAM_INTEGER),
        description(sys::OSSL_PKEY_PARAM_DEFAULT_DIGEST, sys::OSSL_PARAM_UTF8_STRING),
        description(sys::OSSL_PKEY_PARAM_MANDATORY_DIGEST, sys::OSSL_PARAM_UTF8_STRING),
        END,
    ]);
    GETTABLE.as_ptr()
}

unsafe extern "C" fn has(key: *const c_void, selection: c_int) -> c_int {
    // SAFETY: libcrypto passes a key of ours, or null for one that only has its type.
    let Some(key) = (unsafe { key.cast::<Key>().as_ref() }) else { return 0 };
    let private = selection & ffi::OSSL_KEYMGMT_SELECT_PRIVATE_KEY != 0;
    c_int::from(key.public().is_some() && (!private || key.backend().is_some()))
}

unsafe extern "C" fn equal(one: *const c_void, other: *const c_void, selection: c_int) -> c_int {
    // SAFETY: libcrypto passes keys of ours.
    let (one, other) = unsafe { (&*one.cast::<Key>(), &*other.cast::<Key>()) };
    let (Some(one), Some(other)) = (one.public(), other.public()) else { return 0 };
    // SAFETY: the keys are valid. Where the private halves are to be compared, the public ones tell.
    let equal = unsafe {
        if selection & sys::OSSL_KEYMGMT_SELECT_KEYPAIR == 0 {
            ffi::EVP_PKEY_parameters_eq(one.as_ptr(), other.as_ptr())
        } else {
            ffi::EVP_PKEY_eq(one.as_ptr(), other.as_ptr())
        }
    };
    c_int::from(equal == 1)
}

/// Fills a key: with a backend, if the parameters name one, or else with a plain public key.
unsafe extern "C" fn import(key: *mut c_void, _selection: c_int, parameters: *const ffi::OSSL_PARAM) -> c_int {
    // SAFETY: libcrypto passes a key of ours, which it is about to make, and parameters that live as long as the call.
    let (key, id) =
        unsafe { (&mut *key.cast::<Key>(), ffi::OSSL_PARAM_locate_const(parameters, provider::ID.as_ptr())) };
    guard(0, || {
        let half = if id.is_null() { import_public(key.kind, parameters).map(Half::Public) } else { import_remote(id) };
        let Some(half) = half else { return 0 };
        key.half = half;
        1
    })
}

fn import_remote(id: *const ffi::OSSL_PARAM) -> Option<Half> {
    let mut number = 0;
    // SAFETY: the parameter is valid.
    let known = unsafe { sys::OSSL_PARAM_get_size_t(id, &mut number) } == 1;
    known.then(|| provider::take(number)).flatten().map(Half::Remote)
}

fn import_public(kind: Kind, parameters: *const ffi::OSSL_PARAM) -> Option<PKey<Public>> {
    let mut key = ptr::null_mut();
    // SAFETY: the context lives as long as it is used, libcrypto does not change the parameters, and what it makes is
    // owned by nobody else.
    unsafe {
        let context = public_context(kind);
        if context.is_null() {
            return None;
        }
        let made = ffi::EVP_PKEY_fromdata(context, &mut key, ffi::EVP_PKEY_PUBLIC_KEY, parameters.cast_mut()) == 1;
        ffi::EVP_PKEY_CTX_free(context);
        made.then(|| PKey::from_ptr(key))
    }
}

/// A context for making public keys of the default provider, to be freed by the caller; null on failure.
///
/// # Safety
/// None but that.
unsafe fn public_context(kind: Kind) -> *mut ffi::EVP_PKEY_CTX {
    // SAFETY: the name is valid; a context that cannot be used is freed.
    unsafe {
        let context = ffi::EVP_PKEY_CTX_new_from_name(ptr::null_mut(), kind.name().as_ptr(), ptr::null());
        if !context.is_null() && ffi::EVP_PKEY_fromdata_init(context) != 1 {
            ffi::EVP_PKEY_CTX_free(context);
            return ptr::null_mut();
        }
        context
    }
}

/// Passes the public half on. There is no private one to be passed on, so libcrypto signs here and nowhere else.
unsafe extern "C" fn export(
    key: *mut c_void,
    selection: c_int,
    callback: sys::OSSL_CALLBACK,
    argument: *mut c_void,
) -> c_int {
    // SAFETY: libcrypto passes a key of ours.
    let key = unsafe { &*key.cast::<Key>() };
    let private = selection & ffi::OSSL_KEYMGMT_SELECT_PRIVATE_KEY != 0;
    match key.public() {
        Some(public) if !(private && key.backend().is_some()) => {
            // SAFETY: the key is valid; callback and argument are libcrypto's.
            unsafe { sys::EVP_PKEY_export(public.as_ptr(), selection, callback, argument) }
        }
        _ => 0,
    }
}

unsafe extern "C" fn duplicate(key: *const c_void, selection: c_int) -> *mut c_void {
    // SAFETY: libcrypto passes a key of ours.
    let key = unsafe { &*key.cast::<Key>() };
    let private = selection & ffi::OSSL_KEYMGMT_SELECT_PRIVATE_KEY != 0;
    let half = match (&key.half, key.public()) {
        (Half::Remote(backend), _) if private => Half::Remote(Arc::clone(backend)),
        (_, Some(public)) => Half::Public(public.to_owned()),
        (_, None) => Half::None,
    };
    Box::into_raw(Box::new(Key { kind: key.kind, half })).cast()
}
