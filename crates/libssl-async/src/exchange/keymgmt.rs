//! The provider's key management: one dispatch table for each group.

use std::ffi::{CStr, c_int, c_void};
use std::marker::PhantomData;
use std::{ptr, slice};

use libssl_async_sys as sys;
use openssl_sys as ffi;

use super::key::{Key, Private};
use crate::builtin::params::{Descriptions, END, description};
use crate::builtin::{dispatch, guard};

/// The functions for keys of one group. Which one that is, its parameters never say anew: they are not read.
pub(super) struct KeyManagement<P>(PhantomData<P>);

impl<P: Private> KeyManagement<P> {
    pub(super) const FUNCTIONS: [sys::OSSL_DISPATCH; 14] = [
        dispatch!(OSSL_FUNC_KEYMGMT_NEW, OSSL_FUNC_keymgmt_new_fn, Self::empty),
        dispatch!(OSSL_FUNC_KEYMGMT_FREE, OSSL_FUNC_keymgmt_free_fn, Self::free),
        dispatch!(OSSL_FUNC_KEYMGMT_GEN_INIT, OSSL_FUNC_keymgmt_gen_init_fn, begin),
        dispatch!(OSSL_FUNC_KEYMGMT_GEN_SET_PARAMS, OSSL_FUNC_keymgmt_gen_set_params_fn, configure),
        dispatch!(OSSL_FUNC_KEYMGMT_GEN_SETTABLE_PARAMS, OSSL_FUNC_keymgmt_gen_settable_params_fn, configurable),
        dispatch!(OSSL_FUNC_KEYMGMT_GEN, OSSL_FUNC_keymgmt_gen_fn, Self::generate),
        dispatch!(OSSL_FUNC_KEYMGMT_GEN_CLEANUP, OSSL_FUNC_keymgmt_gen_cleanup_fn, end),
        dispatch!(OSSL_FUNC_KEYMGMT_GET_PARAMS, OSSL_FUNC_keymgmt_get_params_fn, Self::get_params),
        dispatch!(OSSL_FUNC_KEYMGMT_GETTABLE_PARAMS, OSSL_FUNC_keymgmt_gettable_params_fn, gettable_params),
        dispatch!(OSSL_FUNC_KEYMGMT_SET_PARAMS, OSSL_FUNC_keymgmt_set_params_fn, Self::set_params),
        dispatch!(OSSL_FUNC_KEYMGMT_SETTABLE_PARAMS, OSSL_FUNC_keymgmt_settable_params_fn, settable_params),
        dispatch!(OSSL_FUNC_KEYMGMT_HAS, OSSL_FUNC_keymgmt_has_fn, Self::has),
        dispatch!(OSSL_FUNC_KEYMGMT_DUP, OSSL_FUNC_keymgmt_dup_fn, Self::duplicate),
        sys::OSSL_DISPATCH::END,
    ];

    unsafe extern "C" fn empty(_context: *mut c_void) -> *mut c_void {
        Box::into_raw(Box::new(Key::<P>::empty())).cast()
    }

    unsafe extern "C" fn free(key: *mut c_void) {
        if !key.is_null() {
            // SAFETY: libcrypto frees what `empty` or `generate` returned, once.
            guard((), || drop(unsafe { Box::from_raw(key.cast::<Key<P>>()) }));
        }
    }

    /// A key, or an empty one where only the parameters were asked for, which libssl fills with what the peer sent.
    unsafe extern "C" fn generate(
        selection: *mut c_void,
        _callback: sys::OSSL_CALLBACK,
        _argument: *mut c_void,
    ) -> *mut c_void {
        // SAFETY: libcrypto passes what `begin` returned.
        let pair = unsafe { *selection.cast::<c_int>() } & sys::OSSL_KEYMGMT_SELECT_KEYPAIR != 0;
        let key = guard(None, || if pair { Key::<P>::generate().ok() } else { Some(Key::empty()) });
        key.map_or(ptr::null_mut(), |key| Box::into_raw(Box::new(key)).cast())
    }

    unsafe extern "C" fn get_params(key: *mut c_void, parameters: *mut ffi::OSSL_PARAM) -> c_int {
        // SAFETY: libcrypto passes a key of ours, and parameters that live as long as the call.
        unsafe {
            let key = &*key.cast::<Key<P>>();
            let locate = |name: &CStr| ffi::OSSL_PARAM_locate(parameters, name.as_ptr());
            let numbers = [
                (sys::OSSL_PKEY_PARAM_BITS, P::BITS),
                (sys::OSSL_PKEY_PARAM_SECURITY_BITS, P::SECURITY_BITS),
                (sys::OSSL_PKEY_PARAM_MAX_SIZE, P::LARGEST as c_int),
            ];
            let number = |(name, value)| {
                let parameter = locate(name);
                parameter.is_null() || sys::OSSL_PARAM_set_int(parameter, value) == 1
            };
            let bytes = |name| {
                let parameter = locate(name);
                parameter.is_null()
                    || key.public.as_ref().is_some_and(|public| {
                        sys::OSSL_PARAM_set_octet_string(parameter, public.as_ptr().cast(), public.len()) == 1
                    })
            };
            let answered = numbers.into_iter().all(number)
                && [sys::OSSL_PKEY_PARAM_PUB_KEY, sys::OSSL_PKEY_PARAM_ENCODED_PUBLIC_KEY].into_iter().all(bytes);
            c_int::from(answered)
        }
    }

    /// Takes the public key that the peer sent.
    unsafe extern "C" fn set_params(key: *mut c_void, parameters: *const ffi::OSSL_PARAM) -> c_int {
        let mut start = ptr::null();
        let mut length = 0;
        // SAFETY: libcrypto passes a key of ours, and parameters that live as long as the call.
        let (key, bytes) = unsafe {
            let name = sys::OSSL_PKEY_PARAM_ENCODED_PUBLIC_KEY.as_ptr();
            let parameter = ffi::OSSL_PARAM_locate_const(parameters, name);
            if parameter.is_null() {
                return 1;
            }
            if ffi::OSSL_PARAM_get_octet_string_ptr(parameter, &mut start, &mut length) != 1 || start.is_null() {
                return 0;
            }
            (&mut *key.cast::<Key<P>>(), slice::from_raw_parts(start.cast::<u8>(), length))
        };
        guard(0, || c_int::from(key.set_public(bytes)))
    }

    unsafe extern "C" fn has(key: *const c_void, selection: c_int) -> c_int {
        // SAFETY: libcrypto passes a key of ours, or null for one that only has its type.
        let Some(key) = (unsafe { key.cast::<Key<P>>().as_ref() }) else { return 0 };
        let public = selection & ffi::OSSL_KEYMGMT_SELECT_PUBLIC_KEY == 0 || key.public.is_some();
        let private = selection & ffi::OSSL_KEYMGMT_SELECT_PRIVATE_KEY == 0 || key.private.is_some();
        c_int::from(public && private)
    }

    /// A copy, or an empty key of the same group where only the parameters are asked for.
    unsafe extern "C" fn duplicate(key: *const c_void, selection: c_int) -> *mut c_void {
        // SAFETY: libcrypto passes a key of ours.
        let key = unsafe { &*key.cast::<Key<P>>() };
        let selected = |part| selection & part != 0;
        let copy = Key {
            private: key.private.clone().filter(|_| selected(ffi::OSSL_KEYMGMT_SELECT_PRIVATE_KEY)),
            public: key.public.clone().filter(|_| selected(ffi::OSSL_KEYMGMT_SELECT_PUBLIC_KEY)),
        };
        Box::into_raw(Box::new(copy)).cast()
    }
}

unsafe extern "C" fn begin(
    _provider: *mut c_void,
    selection: c_int,
    _parameters: *const ffi::OSSL_PARAM,
) -> *mut c_void {
    Box::into_raw(Box::new(selection)).cast()
}

unsafe extern "C" fn configure(_selection: *mut c_void, _parameters: *const ffi::OSSL_PARAM) -> c_int {
    1
}

unsafe extern "C" fn configurable(_selection: *mut c_void, _provider: *mut c_void) -> *const ffi::OSSL_PARAM {
    static CONFIGURABLE: Descriptions<2> =
        Descriptions([description(sys::OSSL_PKEY_PARAM_GROUP_NAME, sys::OSSL_PARAM_UTF8_STRING), END]);
    CONFIGURABLE.as_ptr()
}

unsafe extern "C" fn end(selection: *mut c_void) {
    if !selection.is_null() {
        // SAFETY: libcrypto frees what `begin` returned, once.
        drop(unsafe { Box::from_raw(selection.cast::<c_int>()) });
    }
}

unsafe extern "C" fn gettable_params(_provider: *mut c_void) -> *const ffi::OSSL_PARAM {
    static GETTABLE: Descriptions<6> = Descriptions([
        description(sys::OSSL_PKEY_PARAM_BITS, sys::OSSL_PARAM_INTEGER),
        description(sys::OSSL_PKEY_PARAM_SECURITY_BITS, sys::OSSL_PARAM_INTEGER),
        description(sys::OSSL_PKEY_PARAM_MAX_SIZE, sys::OSSL_PARAM_INTEGER),
        description(sys::OSSL_PKEY_PARAM_PUB_KEY, sys::OSSL_PARAM_OCTET_STRING),
        description(sys::OSSL_PKEY_PARAM_ENCODED_PUBLIC_KEY, sys::OSSL_PARAM_OCTET_STRING),
        END,
    ]);
    GETTABLE.as_ptr()
}

unsafe extern "C" fn settable_params(_provider: *mut c_void) -> *const ffi::OSSL_PARAM {
    static SETTABLE: Descriptions<2> =
        Descriptions([description(sys::OSSL_PKEY_PARAM_ENCODED_PUBLIC_KEY, sys::OSSL_PARAM_OCTET_STRING), END]);
    SETTABLE.as_ptr()
}
