//! The provider, in the default library context, where a property query finds it.

use std::ffi::{CStr, c_int, c_void};
use std::ptr;
use std::sync::OnceLock;

use libssl_async_sys as sys;
use openssl::error::ErrorStack;
use openssl::provider::Provider;

use super::hybrid::Hybrid;
use super::keymgmt::KeyManagement;
use super::x25519::X25519;
use super::{agreement, encapsulation};
use crate::builtin::{algorithm, dispatch};

const NAME: &CStr = c"libssl-async-exchange";
const PROPERTIES: &CStr = c"provider=libssl-async-exchange";

/// The property query that finds this provider where it has the algorithm, and any other where not.
pub(super) const PREFERRED: &CStr = c"?provider=libssl-async-exchange";

/// Loads the provider, once a process. Without the query nobody gets it: libcrypto asks providers in the order of their
/// names, and the default one's comes first.
pub(super) fn load() -> Result<(), ErrorStack> {
    static PROVIDER: OnceLock<Result<Provider, ErrorStack>> = OnceLock::new();
    let provider = PROVIDER.get_or_init(|| {
        openssl::init();
        // SAFETY: null is the default context, and `initialise` keeps the contract of a provider's first function.
        if unsafe { sys::OSSL_PROVIDER_add_builtin(ptr::null_mut(), NAME.as_ptr(), Some(initialise)) } != 1 {
            return Err(ErrorStack::get());
        }
        let name = NAME.to_str().expect("the name is ASCII");
        // The default provider is still loaded when it is first needed.
        Provider::try_load(None, name, true)
    });
    provider.as_ref().map(drop).map_err(Clone::clone)
}

unsafe extern "C" fn initialise(
    handle: *const sys::OSSL_CORE_HANDLE,
    _core: *const sys::OSSL_DISPATCH,
    functions: *mut *const sys::OSSL_DISPATCH,
    context: *mut *mut c_void,
) -> c_int {
    static FUNCTIONS: [sys::OSSL_DISPATCH; 2] = [
        dispatch!(OSSL_FUNC_PROVIDER_QUERY_OPERATION, OSSL_FUNC_provider_query_operation_fn, query_operation),
        sys::OSSL_DISPATCH::END,
    ];
    // SAFETY: libcrypto passes places for the two results. The context is never used, but must not be null.
    unsafe {
        *functions = FUNCTIONS.as_ptr();
        *context = handle.cast_mut().cast();
    }
    1
}

unsafe extern "C" fn query_operation(
    _context: *mut c_void,
    operation: c_int,
    no_store: *mut c_int,
) -> *const sys::OSSL_ALGORITHM {
    static KEY_MANAGEMENT: [sys::OSSL_ALGORITHM; 3] = [
        algorithm(X25519_NAMES, PROPERTIES, &KeyManagement::<X25519>::FUNCTIONS),
        algorithm(HYBRID_NAMES, PROPERTIES, &KeyManagement::<Hybrid>::FUNCTIONS),
        sys::OSSL_ALGORITHM::END,
    ];
    static AGREEMENT: [sys::OSSL_ALGORITHM; 2] =
        [algorithm(X25519_NAMES, PROPERTIES, &agreement::FUNCTIONS), sys::OSSL_ALGORITHM::END];
    static ENCAPSULATION: [sys::OSSL_ALGORITHM; 2] =
        [algorithm(HYBRID_NAMES, PROPERTIES, &encapsulation::FUNCTIONS), sys::OSSL_ALGORITHM::END];
    // SAFETY: libcrypto passes a place for the flag. The tables are constant, so it may keep them.
    unsafe { *no_store = 0 };
    match operation {
        sys::OSSL_OP_KEYMGMT => KEY_MANAGEMENT.as_ptr(),
        sys::OSSL_OP_KEYEXCH => AGREEMENT.as_ptr(),
        sys::OSSL_OP_KEM => ENCAPSULATION.as_ptr(),
        _ => ptr::null(),
    }
}

const X25519_NAMES: &CStr = c"X25519:1.3.101.110";
const HYBRID_NAMES: &CStr = c"X25519MLKEM768";
