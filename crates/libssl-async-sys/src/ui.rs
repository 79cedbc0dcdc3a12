//! `<openssl/ui.h>`: how passphrases are asked for.

use std::ffi::{c_char, c_int, c_uint, c_void};

/// One dialogue.
pub enum UI {}
/// One question or message of a dialogue.
pub enum UI_STRING {}
/// How dialogues are held.
pub enum UI_METHOD {}

/// What a [`UI_STRING`] is: 1 a question, 2 the same once more.
pub type UI_string_types = c_uint;

unsafe extern "C" {
    /// A method that does nothing yet.
    pub fn UI_create_method(name: *const c_char) -> *mut UI_METHOD;
    /// Sets what answers questions: 1 on success, -1 for a dialogue that was cancelled.
    pub fn UI_method_set_reader(
        method: *mut UI_METHOD,
        reader: Option<unsafe extern "C" fn(ui: *mut UI, uis: *mut UI_STRING) -> c_int>,
    ) -> c_int;
    /// What this is.
    pub fn UI_get_string_type(uis: *mut UI_STRING) -> UI_string_types;
    /// The text of a question.
    pub fn UI_get0_output_string(uis: *mut UI_STRING) -> *const c_char;
    /// The data that was given with the method.
    pub fn UI_get0_user_data(ui: *mut UI) -> *mut c_void;
    /// Answers a question; fails if the answer is too short or too long.
    pub fn UI_set_result(ui: *mut UI, uis: *mut UI_STRING, result: *const c_char) -> c_int;
}
