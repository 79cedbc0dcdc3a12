//! `<openssl/provider.h>`, `<openssl/core.h>` and `<openssl/core_dispatch.h>`: a provider compiled into the program.
//!
//! Each operation has a module with the numbers (`OSSL_FUNC_*`) and the types (`OSSL_FUNC_*_fn`) of its functions.

mod asym_cipher;
mod kem;
mod keyexch;
mod keymgmt;
mod signature;

pub use asym_cipher::*;
pub use kem::*;
pub use keyexch::*;
pub use keymgmt::*;
pub use signature::*;

use openssl_sys::{OSSL_LIB_CTX, OSSL_PARAM, OSSL_PROVIDER};
use std::ffi::{c_char, c_int, c_void};

/// The core's handle for a provider.
pub enum OSSL_CORE_HANDLE {}

/// One function of a dispatch table, which ends with [`OSSL_DISPATCH::END`].
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct OSSL_DISPATCH {
    /// `OSSL_FUNC_*`.
    pub function_id: c_int,
    /// A function of the type that belongs to the number.
    pub function: Option<unsafe extern "C" fn()>,
}

impl OSSL_DISPATCH {
    /// `OSSL_DISPATCH_END`.
    pub const END: Self = Self { function_id: 0, function: None };
}

/// One implementation of an algorithm; a table of them ends with [`OSSL_ALGORITHM::END`].
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct OSSL_ALGORITHM {
    /// Names, separated by colons.
    pub algorithm_names: *const c_char,
    /// Properties, as `provider=name`.
    pub property_definition: *const c_char,
    /// The dispatch table.
    pub implementation: *const OSSL_DISPATCH,
    /// A description, or null.
    pub algorithm_description: *const c_char,
}

impl OSSL_ALGORITHM {
    /// The end of a table.
    pub const END: Self = Self {
        algorithm_names: std::ptr::null(),
        property_definition: std::ptr::null(),
        implementation: std::ptr::null(),
        algorithm_description: std::ptr::null(),
    };
}

// SAFETY: the pointers lead to constant data, which a provider shares with all threads.
unsafe impl Sync for OSSL_ALGORITHM {}

/// Handed parameters that live as long as the call; 0 on failure.
pub type OSSL_CALLBACK = Option<unsafe extern "C" fn(params: *const OSSL_PARAM, arg: *mut c_void) -> c_int>;

/// Starts a provider: gets the core's functions, returns its own and its context; 0 on failure.
pub type OSSL_provider_init_fn = Option<
    unsafe extern "C" fn(
        handle: *const OSSL_CORE_HANDLE,
        input: *const OSSL_DISPATCH,
        output: *mut *const OSSL_DISPATCH,
        provctx: *mut *mut c_void,
    ) -> c_int,
>;

/// Operation: key management.
pub const OSSL_OP_KEYMGMT: c_int = 10;
/// Operation: key agreement.
pub const OSSL_OP_KEYEXCH: c_int = 11;
/// Operation: signatures.
pub const OSSL_OP_SIGNATURE: c_int = 12;
/// Operation: asymmetric encryption.
pub const OSSL_OP_ASYM_CIPHER: c_int = 13;
/// Operation: key encapsulation.
pub const OSSL_OP_KEM: c_int = 14;

/// Number of [`OSSL_FUNC_provider_teardown_fn`].
pub const OSSL_FUNC_PROVIDER_TEARDOWN: c_int = 1024;
/// Number of [`OSSL_FUNC_provider_gettable_params_fn`].
pub const OSSL_FUNC_PROVIDER_GETTABLE_PARAMS: c_int = 1025;
/// Number of [`OSSL_FUNC_provider_get_params_fn`].
pub const OSSL_FUNC_PROVIDER_GET_PARAMS: c_int = 1026;
/// Number of [`OSSL_FUNC_provider_query_operation_fn`].
pub const OSSL_FUNC_PROVIDER_QUERY_OPERATION: c_int = 1027;

/// Frees the provider's context.
pub type OSSL_FUNC_provider_teardown_fn = Option<unsafe extern "C" fn(provctx: *mut c_void)>;
/// What can be asked about the provider.
pub type OSSL_FUNC_provider_gettable_params_fn =
    Option<unsafe extern "C" fn(provctx: *mut c_void) -> *const OSSL_PARAM>;
/// Answers questions about the provider.
pub type OSSL_FUNC_provider_get_params_fn =
    Option<unsafe extern "C" fn(provctx: *mut c_void, params: *mut OSSL_PARAM) -> c_int>;
/// The algorithms for one of `OSSL_OP_*`, or null; a non-zero `*no_store` keeps the core from caching them.
pub type OSSL_FUNC_provider_query_operation_fn = Option<
    unsafe extern "C" fn(provctx: *mut c_void, operation_id: c_int, no_store: *mut c_int) -> *const OSSL_ALGORITHM,
>;

unsafe extern "C" {
    /// Makes a provider of this program known to `libctx`, to be loaded by `name`.
    pub fn OSSL_PROVIDER_add_builtin(
        libctx: *mut OSSL_LIB_CTX,
        name: *const c_char,
        init_fn: OSSL_provider_init_fn,
    ) -> c_int;
    /// The provider's name.
    pub fn OSSL_PROVIDER_get0_name(prov: *const OSSL_PROVIDER) -> *const c_char;
    /// The context that the provider's [`OSSL_provider_init_fn`] returned.
    pub fn OSSL_PROVIDER_get0_provider_ctx(prov: *const OSSL_PROVIDER) -> *mut c_void;
    /// Asks the provider about itself.
    pub fn OSSL_PROVIDER_get_params(prov: *const OSSL_PROVIDER, params: *mut OSSL_PARAM) -> c_int;
}
