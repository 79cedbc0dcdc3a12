//! `<openssl/engine.h>`: third-party engines. OpenSSL 4.0 has none.

use crate::ui::UI_METHOD;
use openssl_sys::{ENGINE, EVP_PKEY};
use std::ffi::{c_char, c_int, c_long, c_uint, c_void};

/// What an engine does for a type of public-key algorithm.
pub enum EVP_PKEY_METHOD {}

/// Initialises an engine, or ends it.
pub type ENGINE_GEN_INT_FUNC_PTR = Option<unsafe extern "C" fn(e: *mut ENGINE) -> c_int>;
/// Takes an engine's commands.
pub type ENGINE_CTRL_FUNC_PTR = Option<
    unsafe extern "C" fn(
        e: *mut ENGINE,
        cmd: c_int,
        i: c_long,
        p: *mut c_void,
        f: Option<unsafe extern "C" fn()>,
    ) -> c_int,
>;
/// Without a place for a method, tells the types that an engine has, and returns their number.
pub type ENGINE_PKEY_METHS_PTR = Option<
    unsafe extern "C" fn(
        e: *mut ENGINE,
        method: *mut *mut EVP_PKEY_METHOD,
        nids: *mut *const c_int,
        nid: c_int,
    ) -> c_int,
>;

/// [`ENGINE_set_default`]: RSA.
pub const ENGINE_METHOD_RSA: c_uint = 0x0001;
/// [`ENGINE_set_default`]: DSA.
pub const ENGINE_METHOD_DSA: c_uint = 0x0002;
/// [`ENGINE_set_default`]: DH.
pub const ENGINE_METHOD_DH: c_uint = 0x0004;
/// [`ENGINE_set_default`]: random numbers.
pub const ENGINE_METHOD_RAND: c_uint = 0x0008;
/// [`ENGINE_set_default`]: symmetric ciphers.
pub const ENGINE_METHOD_CIPHERS: c_uint = 0x0040;
/// [`ENGINE_set_default`]: digests.
pub const ENGINE_METHOD_DIGESTS: c_uint = 0x0080;
/// [`ENGINE_set_default`]: operations of public-key algorithms.
pub const ENGINE_METHOD_PKEY_METHS: c_uint = 0x0200;
/// [`ENGINE_set_default`]: encodings of public-key algorithms.
pub const ENGINE_METHOD_PKEY_ASN1_METHS: c_uint = 0x0400;
/// [`ENGINE_set_default`]: elliptic curves.
pub const ENGINE_METHOD_EC: c_uint = 0x0800;
/// [`ENGINE_set_default`]: everything.
pub const ENGINE_METHOD_ALL: c_uint = 0xFFFF;
/// [`ENGINE_set_default`]: nothing.
pub const ENGINE_METHOD_NONE: c_uint = 0x0000;

/// A command's input is a number.
pub const ENGINE_CMD_FLAG_NUMERIC: c_uint = 0x0001;
/// A command's input is text.
pub const ENGINE_CMD_FLAG_STRING: c_uint = 0x0002;
/// A command takes no input.
pub const ENGINE_CMD_FLAG_NO_INPUT: c_uint = 0x0004;
/// A command cannot be given as text.
pub const ENGINE_CMD_FLAG_INTERNAL: c_uint = 0x0008;

/// [`ENGINE_ctrl`]: whether the engine has commands of its own.
pub const ENGINE_CTRL_HAS_CTRL_FUNCTION: c_int = 10;
/// [`ENGINE_ctrl`]: the number of the first command.
pub const ENGINE_CTRL_GET_FIRST_CMD_TYPE: c_int = 11;
/// [`ENGINE_ctrl`]: the number of the command after `i`.
pub const ENGINE_CTRL_GET_NEXT_CMD_TYPE: c_int = 12;
/// [`ENGINE_ctrl`]: the number of the command named `p`.
pub const ENGINE_CTRL_GET_CMD_FROM_NAME: c_int = 13;
/// [`ENGINE_ctrl`]: the length of the name of the command `i`.
pub const ENGINE_CTRL_GET_NAME_LEN_FROM_CMD: c_int = 14;
/// [`ENGINE_ctrl`]: writes the name of the command `i` to `p`.
pub const ENGINE_CTRL_GET_NAME_FROM_CMD: c_int = 15;
/// [`ENGINE_ctrl`]: the length of the description of the command `i`.
pub const ENGINE_CTRL_GET_DESC_LEN_FROM_CMD: c_int = 16;
/// [`ENGINE_ctrl`]: writes the description of the command `i` to `p`.
pub const ENGINE_CTRL_GET_DESC_FROM_CMD: c_int = 17;
/// [`ENGINE_ctrl`]: the `ENGINE_CMD_FLAG_*` of the command `i`.
pub const ENGINE_CTRL_GET_CMD_FLAGS: c_int = 18;
/// The first number of an engine's own commands.
pub const ENGINE_CMD_BASE: c_int = 200;

unsafe extern "C" {
    /// A structural reference to the engine, which is loaded if need be; null if there is none.
    pub fn ENGINE_by_id(id: *const c_char) -> *mut ENGINE;
    /// Takes one more structural reference.
    pub fn ENGINE_up_ref(e: *mut ENGINE) -> c_int;
    /// Gives a structural reference back.
    pub fn ENGINE_free(e: *mut ENGINE) -> c_int;
    /// Initialises the engine; takes a functional reference.
    pub fn ENGINE_init(e: *mut ENGINE) -> c_int;
    /// Gives a functional reference back.
    pub fn ENGINE_finish(e: *mut ENGINE) -> c_int;
    /// The engine's id.
    pub fn ENGINE_get_id(e: *const ENGINE) -> *const c_char;
    /// The engine's name.
    pub fn ENGINE_get_name(e: *const ENGINE) -> *const c_char;
    /// Puts the engine into the list of engines.
    pub fn ENGINE_add(e: *mut ENGINE) -> c_int;
    /// Takes the engine out of the list of engines.
    pub fn ENGINE_remove(e: *mut ENGINE) -> c_int;

    /// Sends a command by its number.
    pub fn ENGINE_ctrl(
        e: *mut ENGINE,
        cmd: c_int,
        i: c_long,
        p: *mut c_void,
        f: Option<unsafe extern "C" fn()>,
    ) -> c_int;
    /// Sends a command by its name; with `cmd_optional` an unknown one succeeds.
    pub fn ENGINE_ctrl_cmd(
        e: *mut ENGINE,
        cmd_name: *const c_char,
        i: c_long,
        p: *mut c_void,
        f: Option<unsafe extern "C" fn()>,
        cmd_optional: c_int,
    ) -> c_int;
    /// Sends a command by its name, its input as text; with `cmd_optional` an unknown one succeeds.
    pub fn ENGINE_ctrl_cmd_string(
        e: *mut ENGINE,
        cmd_name: *const c_char,
        arg: *const c_char,
        cmd_optional: c_int,
    ) -> c_int;
    /// 1 if [`ENGINE_ctrl_cmd_string`] can send the command.
    pub fn ENGINE_cmd_is_executable(e: *mut ENGINE, cmd: c_int) -> c_int;

    /// What initialises the engine.
    pub fn ENGINE_get_init_function(e: *const ENGINE) -> ENGINE_GEN_INT_FUNC_PTR;
    /// What takes the engine's commands.
    pub fn ENGINE_get_ctrl_function(e: *const ENGINE) -> ENGINE_CTRL_FUNC_PTR;
    /// The public-key algorithms of the engine.
    pub fn ENGINE_get_pkey_meths(e: *const ENGINE) -> ENGINE_PKEY_METHS_PTR;

    /// Makes the engine the default for `ENGINE_METHOD_*`, process-wide.
    pub fn ENGINE_set_default(e: *mut ENGINE, flags: c_uint) -> c_int;
    /// Makes the engine the default for a list of names, process-wide.
    pub fn ENGINE_set_default_string(e: *mut ENGINE, def_list: *const c_char) -> c_int;
    /// The private key that the engine knows as `key_id`.
    pub fn ENGINE_load_private_key(
        e: *mut ENGINE,
        key_id: *const c_char,
        ui_method: *mut UI_METHOD,
        callback_data: *mut c_void,
    ) -> *mut EVP_PKEY;
    /// The public key that the engine knows as `key_id`.
    pub fn ENGINE_load_public_key(
        e: *mut ENGINE,
        key_id: *const c_char,
        ui_method: *mut UI_METHOD,
        callback_data: *mut c_void,
    ) -> *mut EVP_PKEY;

    /// The engine is no default any more: for RSA.
    pub fn ENGINE_unregister_RSA(e: *mut ENGINE);
    /// As before, for DSA.
    pub fn ENGINE_unregister_DSA(e: *mut ENGINE);
    /// As before, for DH.
    pub fn ENGINE_unregister_DH(e: *mut ENGINE);
    /// As before, for elliptic curves.
    pub fn ENGINE_unregister_EC(e: *mut ENGINE);
    /// As before, for random numbers.
    pub fn ENGINE_unregister_RAND(e: *mut ENGINE);
    /// As before, for symmetric ciphers.
    pub fn ENGINE_unregister_ciphers(e: *mut ENGINE);
    /// As before, for digests.
    pub fn ENGINE_unregister_digests(e: *mut ENGINE);
    /// As before, for operations of public-key algorithms.
    pub fn ENGINE_unregister_pkey_meths(e: *mut ENGINE);
    /// As before, for encodings of public-key algorithms.
    pub fn ENGINE_unregister_pkey_asn1_meths(e: *mut ENGINE);
}
