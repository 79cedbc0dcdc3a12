//! Key management. `selection` is made of `OSSL_KEYMGMT_SELECT_*`; functions that return `c_int` return 0 on failure.

use super::OSSL_CALLBACK;
use libc::size_t;
use openssl_sys::{
    OSSL_KEYMGMT_SELECT_ALL_PARAMETERS, OSSL_KEYMGMT_SELECT_PRIVATE_KEY, OSSL_KEYMGMT_SELECT_PUBLIC_KEY, OSSL_PARAM,
};
use std::ffi::{c_char, c_int, c_void};

/// Both halves.
pub const OSSL_KEYMGMT_SELECT_KEYPAIR: c_int = OSSL_KEYMGMT_SELECT_PRIVATE_KEY | OSSL_KEYMGMT_SELECT_PUBLIC_KEY;
/// Both halves and all parameters.
pub const OSSL_KEYMGMT_SELECT_ALL: c_int = OSSL_KEYMGMT_SELECT_KEYPAIR | OSSL_KEYMGMT_SELECT_ALL_PARAMETERS;

/// Number of [`OSSL_FUNC_keymgmt_new_fn`].
pub const OSSL_FUNC_KEYMGMT_NEW: c_int = 1;
/// Number of [`OSSL_FUNC_keymgmt_gen_init_fn`].
pub const OSSL_FUNC_KEYMGMT_GEN_INIT: c_int = 2;
/// Number of [`OSSL_FUNC_keymgmt_gen_set_params_fn`].
pub const OSSL_FUNC_KEYMGMT_GEN_SET_PARAMS: c_int = 4;
/// Number of [`OSSL_FUNC_keymgmt_gen_settable_params_fn`].
pub const OSSL_FUNC_KEYMGMT_GEN_SETTABLE_PARAMS: c_int = 5;
/// Number of [`OSSL_FUNC_keymgmt_gen_fn`].
pub const OSSL_FUNC_KEYMGMT_GEN: c_int = 6;
/// Number of [`OSSL_FUNC_keymgmt_gen_cleanup_fn`].
pub const OSSL_FUNC_KEYMGMT_GEN_CLEANUP: c_int = 7;
/// Number of [`OSSL_FUNC_keymgmt_load_fn`].
pub const OSSL_FUNC_KEYMGMT_LOAD: c_int = 8;
/// Number of [`OSSL_FUNC_keymgmt_free_fn`].
pub const OSSL_FUNC_KEYMGMT_FREE: c_int = 10;
/// Number of [`OSSL_FUNC_keymgmt_get_params_fn`].
pub const OSSL_FUNC_KEYMGMT_GET_PARAMS: c_int = 11;
/// Number of [`OSSL_FUNC_keymgmt_gettable_params_fn`].
pub const OSSL_FUNC_KEYMGMT_GETTABLE_PARAMS: c_int = 12;
/// Number of [`OSSL_FUNC_keymgmt_set_params_fn`].
pub const OSSL_FUNC_KEYMGMT_SET_PARAMS: c_int = 13;
/// Number of [`OSSL_FUNC_keymgmt_settable_params_fn`].
pub const OSSL_FUNC_KEYMGMT_SETTABLE_PARAMS: c_int = 14;
/// Number of [`OSSL_FUNC_keymgmt_query_operation_name_fn`].
pub const OSSL_FUNC_KEYMGMT_QUERY_OPERATION_NAME: c_int = 20;
/// Number of [`OSSL_FUNC_keymgmt_has_fn`].
pub const OSSL_FUNC_KEYMGMT_HAS: c_int = 21;
/// Number of [`OSSL_FUNC_keymgmt_validate_fn`].
pub const OSSL_FUNC_KEYMGMT_VALIDATE: c_int = 22;
/// Number of [`OSSL_FUNC_keymgmt_match_fn`].
pub const OSSL_FUNC_KEYMGMT_MATCH: c_int = 23;
/// Number of [`OSSL_FUNC_keymgmt_import_fn`].
pub const OSSL_FUNC_KEYMGMT_IMPORT: c_int = 40;
/// Number of [`OSSL_FUNC_keymgmt_import_types_fn`].
pub const OSSL_FUNC_KEYMGMT_IMPORT_TYPES: c_int = 41;
/// Number of [`OSSL_FUNC_keymgmt_export_fn`].
pub const OSSL_FUNC_KEYMGMT_EXPORT: c_int = 42;
/// Number of [`OSSL_FUNC_keymgmt_export_types_fn`].
pub const OSSL_FUNC_KEYMGMT_EXPORT_TYPES: c_int = 43;
/// Number of [`OSSL_FUNC_keymgmt_dup_fn`].
pub const OSSL_FUNC_KEYMGMT_DUP: c_int = 44;
/// Number of [`OSSL_FUNC_keymgmt_import_types_ex_fn`].
#[cfg(ossl320)]
pub const OSSL_FUNC_KEYMGMT_IMPORT_TYPES_EX: c_int = 45;
/// Number of [`OSSL_FUNC_keymgmt_export_types_ex_fn`].
#[cfg(ossl320)]
pub const OSSL_FUNC_KEYMGMT_EXPORT_TYPES_EX: c_int = 46;

/// An empty key.
pub type OSSL_FUNC_keymgmt_new_fn = Option<unsafe extern "C" fn(provctx: *mut c_void) -> *mut c_void>;
/// Begins to make a key, with the parts of `selection`.
pub type OSSL_FUNC_keymgmt_gen_init_fn =
    Option<unsafe extern "C" fn(provctx: *mut c_void, selection: c_int, params: *const OSSL_PARAM) -> *mut c_void>;
/// Configures a key in the making.
pub type OSSL_FUNC_keymgmt_gen_set_params_fn =
    Option<unsafe extern "C" fn(genctx: *mut c_void, params: *const OSSL_PARAM) -> c_int>;
/// What can be configured in a key in the making.
pub type OSSL_FUNC_keymgmt_gen_settable_params_fn =
    Option<unsafe extern "C" fn(genctx: *mut c_void, provctx: *mut c_void) -> *const OSSL_PARAM>;
/// Makes the key.
pub type OSSL_FUNC_keymgmt_gen_fn =
    Option<unsafe extern "C" fn(genctx: *mut c_void, cb: OSSL_CALLBACK, cbarg: *mut c_void) -> *mut c_void>;
/// Frees what [`OSSL_FUNC_keymgmt_gen_init_fn`] returned.
pub type OSSL_FUNC_keymgmt_gen_cleanup_fn = Option<unsafe extern "C" fn(genctx: *mut c_void)>;
/// The key that the provider's own reference stands for.
pub type OSSL_FUNC_keymgmt_load_fn =
    Option<unsafe extern "C" fn(reference: *const c_void, reference_sz: size_t) -> *mut c_void>;
/// Frees a key.
pub type OSSL_FUNC_keymgmt_free_fn = Option<unsafe extern "C" fn(keydata: *mut c_void)>;
/// Answers questions about a key.
pub type OSSL_FUNC_keymgmt_get_params_fn =
    Option<unsafe extern "C" fn(keydata: *mut c_void, params: *mut OSSL_PARAM) -> c_int>;
/// What can be asked about a key.
pub type OSSL_FUNC_keymgmt_gettable_params_fn = Option<unsafe extern "C" fn(provctx: *mut c_void) -> *const OSSL_PARAM>;
/// Changes a key.
pub type OSSL_FUNC_keymgmt_set_params_fn =
    Option<unsafe extern "C" fn(keydata: *mut c_void, params: *const OSSL_PARAM) -> c_int>;
/// What can be changed in a key.
pub type OSSL_FUNC_keymgmt_settable_params_fn = Option<unsafe extern "C" fn(provctx: *mut c_void) -> *const OSSL_PARAM>;
/// The name of the algorithm that does one of `OSSL_OP_*` with such keys, or null if it is the key type's.
pub type OSSL_FUNC_keymgmt_query_operation_name_fn = Option<unsafe extern "C" fn(operation_id: c_int) -> *const c_char>;
/// 1 if the key has all of `selection`.
pub type OSSL_FUNC_keymgmt_has_fn = Option<unsafe extern "C" fn(keydata: *const c_void, selection: c_int) -> c_int>;
/// 1 if the selected parts of the key are sound.
pub type OSSL_FUNC_keymgmt_validate_fn =
    Option<unsafe extern "C" fn(keydata: *const c_void, selection: c_int, checktype: c_int) -> c_int>;
/// 1 if the selected parts of two keys are equal.
pub type OSSL_FUNC_keymgmt_match_fn =
    Option<unsafe extern "C" fn(keydata1: *const c_void, keydata2: *const c_void, selection: c_int) -> c_int>;
/// Fills a key from parameters.
pub type OSSL_FUNC_keymgmt_import_fn =
    Option<unsafe extern "C" fn(keydata: *mut c_void, selection: c_int, params: *const OSSL_PARAM) -> c_int>;
/// What [`OSSL_FUNC_keymgmt_import_fn`] takes for `selection`.
pub type OSSL_FUNC_keymgmt_import_types_fn = Option<unsafe extern "C" fn(selection: c_int) -> *const OSSL_PARAM>;
/// Passes the selected parts of a key to `param_cb`.
pub type OSSL_FUNC_keymgmt_export_fn = Option<
    unsafe extern "C" fn(keydata: *mut c_void, selection: c_int, param_cb: OSSL_CALLBACK, cbarg: *mut c_void) -> c_int,
>;
/// What [`OSSL_FUNC_keymgmt_export_fn`] gives for `selection`.
pub type OSSL_FUNC_keymgmt_export_types_fn = Option<unsafe extern "C" fn(selection: c_int) -> *const OSSL_PARAM>;
/// A copy of the selected parts of a key.
pub type OSSL_FUNC_keymgmt_dup_fn =
    Option<unsafe extern "C" fn(keydata_from: *const c_void, selection: c_int) -> *mut c_void>;
/// As [`OSSL_FUNC_keymgmt_import_types_fn`], with the provider's context.
#[cfg(ossl320)]
pub type OSSL_FUNC_keymgmt_import_types_ex_fn =
    Option<unsafe extern "C" fn(provctx: *mut c_void, selection: c_int) -> *const OSSL_PARAM>;
/// As [`OSSL_FUNC_keymgmt_export_types_fn`], with the provider's context.
#[cfg(ossl320)]
pub type OSSL_FUNC_keymgmt_export_types_ex_fn =
    Option<unsafe extern "C" fn(provctx: *mut c_void, selection: c_int) -> *const OSSL_PARAM>;
