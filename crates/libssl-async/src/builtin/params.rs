//! Parameters of libcrypto.

use std::ffi::{CStr, c_char, c_int, c_uint};
use std::ptr;

use libssl_async_sys as sys;
use openssl_sys as ffi;

/// Parameters that libcrypto sets with one call.
#[derive(Clone, Copy)]
pub(crate) struct Parameters(*const ffi::OSSL_PARAM);

pub(crate) enum Value {
    Integer(c_int),
    Text(String),
}

/// The value of a parameter is not of its type.
pub(crate) struct Unfit;

impl Parameters {
    /// # Safety
    /// `parameters` is null or a table that outlives the value.
    pub(crate) unsafe fn new(parameters: *const ffi::OSSL_PARAM) -> Self {
        Self(parameters)
    }

    pub(crate) fn get(self, name: &CStr) -> Result<Option<Value>, Unfit> {
        // SAFETY: the table is null or valid, as `new` demands.
        let parameter = unsafe { ffi::OSSL_PARAM_locate_const(self.0, name.as_ptr()).as_ref() };
        let Some(parameter) = parameter else { return Ok(None) };
        let value = match parameter.data_type {
            sys::OSSL_PARAM_UTF8_STRING | sys::OSSL_PARAM_UTF8_PTR => text(parameter).map(Value::Text),
            _ => integer(parameter).map(Value::Integer),
        };
        value.map(Some).ok_or(Unfit)
    }

    pub(crate) fn integer(self, name: &CStr) -> Result<Option<c_int>, Unfit> {
        match self.get(name)? {
            Some(Value::Integer(value)) => Ok(Some(value)),
            Some(Value::Text(_)) => Err(Unfit),
            None => Ok(None),
        }
    }

    pub(crate) fn text(self, name: &CStr) -> Result<Option<String>, Unfit> {
        match self.get(name)? {
            Some(Value::Text(value)) => Ok(Some(value)),
            Some(Value::Integer(_)) => Err(Unfit),
            None => Ok(None),
        }
    }
}

fn text(parameter: &ffi::OSSL_PARAM) -> Option<String> {
    let mut buffer = [0 as c_char; 64];
    let mut start = buffer.as_mut_ptr();
    // SAFETY: the parameter is valid, and at most so many bytes are written, a NUL included.
    let fits = unsafe { ffi::OSSL_PARAM_get_utf8_string(parameter, &mut start, buffer.len()) } == 1;
    // SAFETY: on success the buffer holds a string with its NUL.
    fits.then(|| unsafe { CStr::from_ptr(buffer.as_ptr()) }.to_str().ok().map(str::to_owned)).flatten()
}

fn integer(parameter: &ffi::OSSL_PARAM) -> Option<c_int> {
    let mut value = 0;
    // SAFETY: the parameter is valid.
    let fits = unsafe { sys::OSSL_PARAM_get_int(parameter, &mut value) } == 1;
    fits.then_some(value)
}

/// A table of what parameters there are.
pub(crate) struct Descriptions<const N: usize>(pub(crate) [ffi::OSSL_PARAM; N]);

// SAFETY: the pointers lead to constant names, and libcrypto only reads.
unsafe impl<const N: usize> Sync for Descriptions<N> {}

impl<const N: usize> Descriptions<N> {
    pub(crate) fn as_ptr(&self) -> *const ffi::OSSL_PARAM {
        self.0.as_ptr()
    }
}

pub(crate) const fn description(name: &'static CStr, data_type: c_uint) -> ffi::OSSL_PARAM {
    ffi::OSSL_PARAM { key: name.as_ptr(), data_type, data: ptr::null_mut(), data_size: 0, return_size: 0 }
}

/// The end of a table.
pub(crate) const END: ffi::OSSL_PARAM =
    ffi::OSSL_PARAM { key: ptr::null(), data_type: 0, data: ptr::null_mut(), data_size: 0, return_size: 0 };
