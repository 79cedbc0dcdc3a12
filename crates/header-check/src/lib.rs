//! Compiles only if every declaration of `libssl-async-sys` is what OpenSSL's headers say.
//!
//! The checks and their list come from the crate's own source (`build/declarations.rs`), so that none can be forgotten.
//! Functions and function pointers must have identical types: `[a, b]` needs one type for both.

// Not an error by itself yet, between crates.
#![deny(ambiguous_glob_imports)]

use std::ffi::CStr;
use std::mem::offset_of;

/// What Rust declares. A name that `openssl-sys` declares, too, is ambiguous here.
mod sys {
    pub(crate) use libssl_async_sys::*;
    #[allow(unused_imports, reason = "only for the ambiguity")]
    pub(crate) use openssl_sys::*;
}

/// What the headers declare, in the types that `libssl-async-sys` exports.
mod signatures {
    // The values of an enumeration come with its type.
    #![allow(dead_code, non_camel_case_types, non_upper_case_globals, unreachable_pub)]
    use libssl_async_sys::*;

    include!(concat!(env!("OUT_DIR"), "/signatures.rs"));
}

/// The types that the headers define.
mod layouts {
    // What is not declared for this version is not compared.
    #![allow(dead_code, non_camel_case_types, unreachable_pub)]

    include!(concat!(env!("OUT_DIR"), "/layouts.rs"));
}

include!(concat!(env!("OUT_DIR"), "/checks.rs"));

const fn same_text(a: &CStr, b: &CStr) -> bool {
    let (a, b) = (a.to_bytes(), b.to_bytes());
    let mut same = a.len() == b.len();
    let mut at = 0;
    while same && at < a.len() {
        same = a[at] == b[at];
        at += 1;
    }
    same
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_declarations_were_found() {
        for name in ["ASYNC_JOB", "OSSL_ALGORITHM", "SSL_MODE_ASYNC", "SSL_async_callback_fn", "SSL_get_async_status"] {
            assert!(CHECKED.contains(&name), "{name} is not among {CHECKED:?}");
        }
    }
}
