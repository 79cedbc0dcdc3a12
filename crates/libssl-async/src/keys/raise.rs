//! Errors in OpenSSL's queue.

use std::ffi::{CStr, CString, c_int};
use std::ptr;
use std::sync::OnceLock;

use openssl_sys as ffi;

use super::KeyError;

/// The one reason, to which the text of a [`KeyError`] is added.
const REASON: c_int = 1;

/// Adds `error` to the error queue of the thread, for those who see nothing else of it.
pub(super) fn raise(error: &KeyError) {
    let text = CString::new(error.to_string().replace('\0', "")).unwrap_or_default();
    raise_text(&text);
}

/// As [`raise`], for misuse that no request comes of.
pub(super) fn raise_text(text: &CStr) {
    // SAFETY: format and argument are strings, and the format takes one.
    unsafe {
        ffi::ERR_new();
        ffi::ERR_set_debug(c"libssl-async".as_ptr(), 0, ptr::null());
        ffi::ERR_set_error(library(), REASON, c"%s".as_ptr(), text.as_ptr());
    }
}

/// The number that libcrypto gives to errors of ours.
fn library() -> c_int {
    static LIBRARY: OnceLock<Library> = OnceLock::new();
    LIBRARY.get_or_init(Library::new).number
}

struct Library {
    number: c_int,
    /// Libcrypto reads them as long as the process lives.
    _strings: Box<[ffi::ERR_STRING_DATA; 3]>,
}

// SAFETY: the strings are constants.
unsafe impl Send for Library {}
// SAFETY: as above, and only libcrypto reads the table.
unsafe impl Sync for Library {}

impl Library {
    fn new() -> Self {
        // SAFETY: takes a free number, and a table that is never freed, as the only value of this type is static.
        unsafe {
            let number = ffi::ERR_get_next_error_library();
            let string = |reason, text: &'static CStr| ffi::ERR_STRING_DATA {
                error: ffi::ERR_PACK(number, 0, reason),
                string: text.as_ptr(),
            };
            let end = ffi::ERR_STRING_DATA { error: 0, string: ptr::null() };
            let mut strings = Box::new([string(0, c"libssl-async"), string(REASON, c"remote key failed"), end]);
            ffi::ERR_load_strings(number, strings.as_mut_ptr());
            Self { number, _strings: strings }
        }
    }
}
