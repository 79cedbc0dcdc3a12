//! The provider's signature algorithms: one dispatch table for all types of keys.

use std::ffi::{CStr, c_char, c_int, c_uchar, c_void};
use std::slice;
use std::sync::Arc;

use libc::size_t;
use libssl_async_sys as sys;
use openssl_sys as ffi;

use super::DigestAlgorithm;
use super::backend::Backend;
use super::keymgmt::Key;
use super::kind::Kind;
use super::raise::{raise, raise_text};
use super::scheme::{Padding, SignatureScheme};
use crate::builtin::params::{Descriptions, END, Parameters, Unfit, Value, description};
use crate::builtin::{dispatch, guard};

pub(super) static FUNCTIONS: [sys::OSSL_DISPATCH; 12] = [
    dispatch!(OSSL_FUNC_SIGNATURE_NEWCTX, OSSL_FUNC_signature_newctx_fn, new),
    dispatch!(OSSL_FUNC_SIGNATURE_FREECTX, OSSL_FUNC_signature_freectx_fn, free),
    dispatch!(OSSL_FUNC_SIGNATURE_DUPCTX, OSSL_FUNC_signature_dupctx_fn, duplicate),
    dispatch!(OSSL_FUNC_SIGNATURE_DIGEST_SIGN_INIT, OSSL_FUNC_signature_digest_sign_init_fn, initialise),
    dispatch!(OSSL_FUNC_SIGNATURE_DIGEST_SIGN, OSSL_FUNC_signature_digest_sign_fn, sign),
    dispatch!(OSSL_FUNC_SIGNATURE_DIGEST_SIGN_UPDATE, OSSL_FUNC_signature_digest_sign_update_fn, update),
    dispatch!(OSSL_FUNC_SIGNATURE_DIGEST_SIGN_FINAL, OSSL_FUNC_signature_digest_sign_final_fn, finish),
    dispatch!(OSSL_FUNC_SIGNATURE_GET_CTX_PARAMS, OSSL_FUNC_signature_get_ctx_params_fn, get_params),
    dispatch!(OSSL_FUNC_SIGNATURE_GETTABLE_CTX_PARAMS, OSSL_FUNC_signature_gettable_ctx_params_fn, gettable_params),
    dispatch!(OSSL_FUNC_SIGNATURE_SET_CTX_PARAMS, OSSL_FUNC_signature_set_ctx_params_fn, set_params),
    dispatch!(OSSL_FUNC_SIGNATURE_SETTABLE_CTX_PARAMS, OSSL_FUNC_signature_settable_ctx_params_fn, settable_params),
    sys::OSSL_DISPATCH::END,
];

/// One signature in the making.
#[derive(Clone)]
struct Context {
    key: Option<Arc<Backend>>,
    digest: Option<DigestAlgorithm>,
    padding: Padding,
    /// The bytes of the PSS salt; as many as the digest's unless it was set.
    salt: Option<usize>,
    /// The digest of the PSS mask generation; the one of the message unless it was set.
    mask_digest: Option<DigestAlgorithm>,
    /// What came in pieces.
    message: Vec<u8>,
}

impl Context {
    /// The scheme that all settings together are; none of TLS, or none of the signer, is an error.
    fn scheme(&self, key: &Backend) -> Option<SignatureScheme> {
        let scheme = key.scheme(self.digest, self.padding)?;
        let digest = self.digest.map(DigestAlgorithm::message_digest);
        let plain_pss = self.salt.is_none_or(|salt| digest.is_some_and(|digest| digest.size() == salt))
            && self.mask_digest.is_none_or(|mask| self.digest == Some(mask));
        (scheme.padding() != Some(Padding::Pss) || plain_pss).then_some(scheme)
    }

    /// Signs `message` into `out`, of `size` bytes; where that is null, only tells how many it takes.
    ///
    /// # Safety
    /// `out` is null or has that many bytes; `length` can be written.
    unsafe fn sign(&self, message: &[u8], out: *mut c_uchar, length: *mut size_t, size: size_t) -> c_int {
        let Some(key) = &self.key else {
            raise_text(c"no key is set");
            return 0;
        };
        let most = key.public.size();
        if out.is_null() {
            // SAFETY: the caller says so.
            unsafe { *length = most };
            return 1;
        }
        if size < most {
            raise_text(c"the buffer is too small");
            return 0;
        }
        let Some(scheme) = self.scheme(key) else {
            raise_text(UNSUPPORTED);
            return 0;
        };
        let signature = match key.sign(scheme, message) {
            Ok(Ok(signature)) => signature,
            Ok(Err(error)) => {
                raise(&error);
                return 0;
            }
            Err(stack) => {
                stack.put();
                return 0;
            }
        };
        debug_assert!(signature.len() <= most, "the form of signatures is checked");
        // SAFETY: the caller says so, and a signature of the right form is not longer than `most`.
        unsafe {
            out.copy_from_nonoverlapping(signature.as_ptr(), signature.len());
            *length = signature.len();
        }
        1
    }

    fn set(&mut self, parameters: Parameters) -> Result<(), Unfit> {
        if let Some(name) = parameters.text(sys::OSSL_SIGNATURE_PARAM_DIGEST)? {
            self.digest = Some(DigestAlgorithm::from_name(&name).ok_or(Unfit)?);
        }
        if let Some(name) = parameters.text(sys::OSSL_SIGNATURE_PARAM_MGF1_DIGEST)? {
            self.mask_digest = Some(DigestAlgorithm::from_name(&name).ok_or(Unfit)?);
        }
        if let Some(padding) = parameters.get(sys::OSSL_SIGNATURE_PARAM_PAD_MODE)? {
            self.padding = match padding {
                Value::Integer(ffi::RSA_PKCS1_PADDING) => Padding::Pkcs1,
                Value::Integer(ffi::RSA_PKCS1_PSS_PADDING) => Padding::Pss,
                Value::Text(name) if is(&name, sys::OSSL_PKEY_RSA_PAD_MODE_PKCSV15) => Padding::Pkcs1,
                Value::Text(name) if is(&name, sys::OSSL_PKEY_RSA_PAD_MODE_PSS) => Padding::Pss,
                _ => return Err(Unfit),
            };
        }
        if let Some(salt) = parameters.get(sys::OSSL_SIGNATURE_PARAM_PSS_SALTLEN)? {
            self.salt = match salt {
                Value::Integer(sys::RSA_PSS_SALTLEN_DIGEST | AUTO_DIGEST_MAX) => None,
                Value::Text(name) if is(&name, sys::OSSL_PKEY_RSA_PSS_SALT_LEN_DIGEST) => None,
                Value::Text(name) if is(&name, c"auto-digestmax") => None,
                Value::Text(name) => Some(name.parse().map_err(|_| Unfit)?),
                Value::Integer(length) => Some(length.try_into().map_err(|_| Unfit)?),
            };
        }
        Ok(())
    }
}

/// `RSA_PSS_SALTLEN_AUTO_DIGEST_MAX`, which OpenSSL 3.0 does not know.
const AUTO_DIGEST_MAX: c_int = -4;

const UNSUPPORTED: &CStr = c"the key does not sign like this";

fn is(name: &str, expected: &CStr) -> bool {
    name.as_bytes() == expected.to_bytes()
}

unsafe extern "C" fn new(_provider: *mut c_void, _properties: *const c_char) -> *mut c_void {
    let context = Context {
        key: None,
        digest: None,
        padding: Padding::Pkcs1,
        salt: None,
        mask_digest: None,
        message: Vec::new(),
    };
    Box::into_raw(Box::new(context)).cast()
}

unsafe extern "C" fn free(context: *mut c_void) {
    if !context.is_null() {
        // SAFETY: libcrypto frees what `new` or `duplicate` returned, once. What hangs on it may be the user's code.
        guard((), || drop(unsafe { Box::from_raw(context.cast::<Context>()) }));
    }
}

unsafe extern "C" fn duplicate(context: *mut c_void) -> *mut c_void {
    // SAFETY: libcrypto passes a context of ours.
    let context = unsafe { &*context.cast::<Context>() };
    Box::into_raw(Box::new(context.clone())).cast()
}

unsafe extern "C" fn initialise(
    context: *mut c_void,
    digest: *const c_char,
    key: *mut c_void,
    parameters: *const ffi::OSSL_PARAM,
) -> c_int {
    // SAFETY: libcrypto passes a context and a key of ours, a string or null, and a table that lives as long as the
    // call. No key means the one there is.
    let (context, digest, key, parameters) = unsafe {
        let digest = if digest.is_null() { c"" } else { CStr::from_ptr(digest) };
        (&mut *context.cast::<Context>(), digest, key.cast::<Key>().as_ref(), Parameters::new(parameters))
    };
    guard(0, || {
        if let Some(key) = key {
            context.key = key.backend().cloned();
            context.padding = if key.kind() == Kind::RsaPss { Padding::Pss } else { Padding::Pkcs1 };
        }
        context.message.clear();
        context.digest = digest.to_str().ok().and_then(DigestAlgorithm::from_name);
        let understood = context.digest.is_some() || digest.is_empty();
        let set = understood && context.set(parameters).is_ok();
        let Some(key) = &context.key else {
            raise_text(c"the key has no private half");
            return 0;
        };
        // libssl asks here which digests it can negotiate.
        if !set || !key.schemes.iter().any(|scheme| scheme.digest() == context.digest) {
            raise_text(UNSUPPORTED);
            return 0;
        }
        1
    })
}

unsafe extern "C" fn sign(
    context: *mut c_void,
    out: *mut c_uchar,
    length: *mut size_t,
    size: size_t,
    message: *const c_uchar,
    message_length: size_t,
) -> c_int {
    // SAFETY: libcrypto passes a context of ours, a message, and places for signature and length.
    guard(0, || unsafe {
        let context = &*context.cast::<Context>();
        context.sign(bytes(message, message_length), out, length, size)
    })
}

unsafe extern "C" fn update(context: *mut c_void, data: *const c_uchar, length: size_t) -> c_int {
    // SAFETY: libcrypto passes a context of ours and a piece of the message.
    guard(0, || unsafe {
        (*context.cast::<Context>()).message.extend_from_slice(bytes(data, length));
        1
    })
}

unsafe extern "C" fn finish(context: *mut c_void, out: *mut c_uchar, length: *mut size_t, size: size_t) -> c_int {
    // SAFETY: libcrypto passes a context of ours and places for signature and length.
    guard(0, || unsafe {
        let context = &*context.cast::<Context>();
        context.sign(&context.message, out, length, size)
    })
}

/// Answers what the signature of a certificate is called in it.
unsafe extern "C" fn get_params(context: *mut c_void, parameters: *mut ffi::OSSL_PARAM) -> c_int {
    // SAFETY: libcrypto passes a context of ours and a table that lives as long as the call.
    let (context, parameter) = unsafe {
        let name = sys::OSSL_SIGNATURE_PARAM_ALGORITHM_ID.as_ptr();
        (&*context.cast::<Context>(), ffi::OSSL_PARAM_locate(parameters, name))
    };
    if parameter.is_null() {
        return 1;
    }
    guard(0, || {
        let Some((key, scheme)) = context.key.as_ref().and_then(|key| Some((key, context.scheme(key)?))) else {
            raise_text(UNSUPPORTED);
            return 0;
        };
        match key.public.algorithm_id(scheme) {
            // SAFETY: the parameter is valid, and the bytes are copied.
            Ok(id) => unsafe { sys::OSSL_PARAM_set_octet_string(parameter, id.as_ptr().cast(), id.len()) },
            Err(stack) => {
                stack.put();
                0
            }
        }
    })
}

unsafe extern "C" fn gettable_params(_context: *mut c_void, _provider: *mut c_void) -> *const ffi::OSSL_PARAM {
    static GETTABLE: Descriptions<2> =
        Descriptions([description(sys::OSSL_SIGNATURE_PARAM_ALGORITHM_ID, sys::OSSL_PARAM_OCTET_STRING), END]);
    GETTABLE.as_ptr()
}

unsafe extern "C" fn set_params(context: *mut c_void, parameters: *const ffi::OSSL_PARAM) -> c_int {
    // SAFETY: libcrypto passes a context of ours and a table that lives as long as the call.
    let (context, parameters) = unsafe { (&mut *context.cast::<Context>(), Parameters::new(parameters)) };
    guard(0, || {
        if context.set(parameters).is_err() {
            raise_text(UNSUPPORTED);
            return 0;
        }
        1
    })
}

unsafe extern "C" fn settable_params(_context: *mut c_void, _provider: *mut c_void) -> *const ffi::OSSL_PARAM {
    static SETTABLE: Descriptions<5> = Descriptions([
        description(sys::OSSL_SIGNATURE_PARAM_DIGEST, sys::OSSL_PARAM_UTF8_STRING),
        description(sys::OSSL_SIGNATURE_PARAM_MGF1_DIGEST, sys::OSSL_PARAM_UTF8_STRING),
        description(sys::OSSL_SIGNATURE_PARAM_PAD_MODE, sys::OSSL_PARAM_INTEGER),
        description(sys::OSSL_SIGNATURE_PARAM_PSS_SALTLEN, sys::OSSL_PARAM_INTEGER),
        END,
    ]);
    SETTABLE.as_ptr()
}

/// # Safety
/// `data` has `length` bytes, or is null and has none.
unsafe fn bytes<'a>(data: *const c_uchar, length: size_t) -> &'a [u8] {
    if data.is_null() {
        return &[];
    }
    // SAFETY: the caller says so.
    unsafe { slice::from_raw_parts(data, length) }
}
