//! What providers that are compiled in are made of.

pub(crate) mod params;

use std::ffi::CStr;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::ptr;

use libssl_async_sys as sys;

/// One line of the table of a provider's algorithms; `names` are separated by colons.
pub(crate) const fn algorithm(
    names: &'static CStr,
    properties: &'static CStr,
    functions: &'static [sys::OSSL_DISPATCH],
) -> sys::OSSL_ALGORITHM {
    sys::OSSL_ALGORITHM {
        algorithm_names: names.as_ptr(),
        property_definition: properties.as_ptr(),
        implementation: functions.as_ptr(),
        algorithm_description: ptr::null(),
    }
}

/// One line of a dispatch table, whose function must have the type that belongs to the number.
macro_rules! dispatch {
    ($id:ident, $type:ident, $function:expr) => {
        libssl_async_sys::OSSL_DISPATCH {
            function_id: libssl_async_sys::$id,
            // SAFETY: libcrypto turns the pointer back into the type of the number before it calls it.
            function: unsafe {
                std::mem::transmute::<libssl_async_sys::$type, Option<unsafe extern "C" fn()>>(Some($function))
            },
        }
    };
}
pub(crate) use dispatch;

/// Runs a function that libcrypto called; nothing unwinds into C. A panic, already reported, is a failure.
pub(crate) fn guard<T>(failure: T, function: impl FnOnce() -> T) -> T {
    catch_unwind(AssertUnwindSafe(function)).unwrap_or(failure)
}
