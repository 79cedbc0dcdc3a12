//! The provider that holds remote keys: compiled in, in a library context of its own, where nobody's fetches find it.
//!
//! A key made here works in an `SSL_CTX` of any library context, because libcrypto falls back to the provider of the
//! key when no other takes the key over, and none does: it cannot be exported.

use std::collections::HashMap;
use std::ffi::{CStr, c_int, c_void};
use std::ptr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock};

use foreign_types::ForeignType;
use libssl_async_sys as sys;
use openssl::error::ErrorStack;
use openssl::lib_ctx::LibCtx;
use openssl::pkey::{PKey, Private};
use openssl::provider::Provider;
use openssl_sys as ffi;

use super::backend::Backend;
use super::kind::Kind;
use super::{decrypt, keymgmt, signature};
use crate::builtin::{self, dispatch};

const NAME: &CStr = c"libssl-async";
const PROPERTIES: &CStr = c"provider=libssl-async";

/// The parameter that a remote key is made from: its number in the registry.
pub(super) const ID: &CStr = c"libssl-async-id";

/// Makes a key of `backend`, which lives as long as the key and its copies.
pub(super) fn make(backend: Arc<Backend>) -> Result<PKey<Private>, ErrorStack> {
    let library = library()?;
    let kind = backend.public.kind;
    let mut entry = Entry::new(backend);
    let mut key = ptr::null_mut();
    // SAFETY: the context is made, used and freed here; the parameters live throughout, and `key` is given away.
    unsafe {
        let context = ffi::EVP_PKEY_CTX_new_from_name(library.as_ptr(), kind.name().as_ptr(), PROPERTIES.as_ptr());
        if context.is_null() {
            return Err(ErrorStack::get());
        }
        let mut parameters =
            [sys::OSSL_PARAM_construct_size_t(ID.as_ptr(), &mut entry.id), ffi::OSSL_PARAM_construct_end()];
        let made = ffi::EVP_PKEY_fromdata_init(context) == 1
            && ffi::EVP_PKEY_fromdata(context, &mut key, ffi::EVP_PKEY_KEYPAIR, parameters.as_mut_ptr()) == 1;
        ffi::EVP_PKEY_CTX_free(context);
        if !made {
            return Err(ErrorStack::get());
        }
        Ok(PKey::from_ptr(key))
    }
}

/// Takes the backend with this number, whose key is being made.
pub(super) fn take(id: usize) -> Option<Arc<Backend>> {
    registry().remove(&id)
}

/// A backend on its way into a key.
struct Entry {
    id: usize,
}

impl Entry {
    fn new(backend: Arc<Backend>) -> Self {
        static NEXT: AtomicUsize = AtomicUsize::new(1);
        let id = NEXT.fetch_add(1, Ordering::Relaxed);
        registry().insert(id, backend);
        Self { id }
    }
}

impl Drop for Entry {
    fn drop(&mut self) {
        // Dropped outside the lock.
        let _untaken = take(self.id);
    }
}

fn registry() -> MutexGuard<'static, HashMap<usize, Arc<Backend>>> {
    static REGISTRY: OnceLock<Mutex<HashMap<usize, Arc<Backend>>>> = OnceLock::new();
    REGISTRY.get_or_init(Mutex::default).lock().unwrap_or_else(|poisoned| poisoned.into_inner())
}

/// The library context of the provider, never freed.
fn library() -> Result<&'static LibCtx, ErrorStack> {
    static LIBRARY: OnceLock<Result<(LibCtx, [Provider; 2]), ErrorStack>> = OnceLock::new();
    let library = LIBRARY.get_or_init(|| {
        let library = LibCtx::new()?;
        // SAFETY: the context is valid, and `initialise` keeps the contract of a provider's first function.
        if unsafe { sys::OSSL_PROVIDER_add_builtin(library.as_ptr(), NAME.as_ptr(), Some(initialise)) } != 1 {
            return Err(ErrorStack::get());
        }
        // The default provider encodes public keys of ours.
        let providers = ["libssl-async", "default"].map(|name| Provider::load(Some(&library), name));
        let [ours, default] = providers;
        Ok((library, [ours?, default?]))
    });
    library.as_ref().map(|(library, _)| library).map_err(Clone::clone)
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
    static KEY_MANAGEMENT: [sys::OSSL_ALGORITHM; 9] = [
        algorithm(Kind::Ec.names(), keymgmt::functions(Kind::Ec)),
        algorithm(Kind::Ed25519.names(), keymgmt::functions(Kind::Ed25519)),
        algorithm(Kind::Ed448.names(), keymgmt::functions(Kind::Ed448)),
        algorithm(Kind::MlDsa44.names(), keymgmt::functions(Kind::MlDsa44)),
        algorithm(Kind::MlDsa65.names(), keymgmt::functions(Kind::MlDsa65)),
        algorithm(Kind::MlDsa87.names(), keymgmt::functions(Kind::MlDsa87)),
        algorithm(Kind::Rsa.names(), keymgmt::functions(Kind::Rsa)),
        algorithm(Kind::RsaPss.names(), keymgmt::functions(Kind::RsaPss)),
        sys::OSSL_ALGORITHM::END,
    ];
    static SIGNATURE: [sys::OSSL_ALGORITHM; 8] = [
        algorithm(c"ECDSA", &signature::FUNCTIONS),
        algorithm(Kind::Ed25519.names(), &signature::FUNCTIONS),
        algorithm(Kind::Ed448.names(), &signature::FUNCTIONS),
        algorithm(Kind::MlDsa44.names(), &signature::FUNCTIONS),
        algorithm(Kind::MlDsa65.names(), &signature::FUNCTIONS),
        algorithm(Kind::MlDsa87.names(), &signature::FUNCTIONS),
        algorithm(Kind::Rsa.names(), &signature::FUNCTIONS),
        sys::OSSL_ALGORITHM::END,
    ];
    static DECRYPTION: [sys::OSSL_ALGORITHM; 2] =
        [algorithm(Kind::Rsa.names(), &decrypt::FUNCTIONS), sys::OSSL_ALGORITHM::END];
    // SAFETY: libcrypto passes a place for the flag. The tables are constant, so it may keep them.
    unsafe { *no_store = 0 };
    match operation {
        sys::OSSL_OP_KEYMGMT => KEY_MANAGEMENT.as_ptr(),
        sys::OSSL_OP_SIGNATURE => SIGNATURE.as_ptr(),
        sys::OSSL_OP_ASYM_CIPHER => DECRYPTION.as_ptr(),
        _ => ptr::null(),
    }
}

const fn algorithm(names: &'static CStr, functions: &'static [sys::OSSL_DISPATCH]) -> sys::OSSL_ALGORITHM {
    builtin::algorithm(names, PROPERTIES, functions)
}
