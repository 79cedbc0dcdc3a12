//! The provider's RSA decryption, for the key exchange of TLS 1.2 and older.

use std::ffi::{CStr, c_int, c_uchar, c_void};
use std::slice;
use std::sync::Arc;

use libc::size_t;
use libssl_async_sys as sys;
use openssl::rand::rand_priv_bytes;
use openssl_sys as ffi;
use subtle::{Choice, ConditionallySelectable, ConstantTimeEq};

use super::backend::Backend;
use super::keymgmt::Key;
use super::raise::{raise, raise_text};
use crate::builtin::params::{Descriptions, END, Parameters, Unfit, Value, description};
use crate::builtin::{dispatch, guard};

pub(super) static FUNCTIONS: [sys::OSSL_DISPATCH; 8] = [
    dispatch!(OSSL_FUNC_ASYM_CIPHER_NEWCTX, OSSL_FUNC_asym_cipher_newctx_fn, new),
    dispatch!(OSSL_FUNC_ASYM_CIPHER_FREECTX, OSSL_FUNC_asym_cipher_freectx_fn, free),
    dispatch!(OSSL_FUNC_ASYM_CIPHER_DUPCTX, OSSL_FUNC_asym_cipher_dupctx_fn, duplicate),
    dispatch!(OSSL_FUNC_ASYM_CIPHER_DECRYPT_INIT, OSSL_FUNC_asym_cipher_decrypt_init_fn, initialise),
    dispatch!(OSSL_FUNC_ASYM_CIPHER_DECRYPT, OSSL_FUNC_asym_cipher_decrypt_fn, decrypt),
    dispatch!(OSSL_FUNC_ASYM_CIPHER_SET_CTX_PARAMS, OSSL_FUNC_asym_cipher_set_ctx_params_fn, set_params),
    dispatch!(OSSL_FUNC_ASYM_CIPHER_SETTABLE_CTX_PARAMS, OSSL_FUNC_asym_cipher_settable_ctx_params_fn, settable_params),
    sys::OSSL_DISPATCH::END,
];

/// The bytes of the secret that a client of TLS 1.2 encrypts: its version, then random ones.
const PREMASTER: usize = 48;

/// One decryption in the making.
#[derive(Clone, Default)]
struct Context {
    key: Option<Arc<Backend>>,
    padding: Padding,
    /// The version that the client offered.
    client_version: Option<u16>,
    /// The version in use, which some clients put into the secret in its place; only if they are tolerated.
    negotiated_version: Option<u16>,
}

#[derive(Clone, Copy, Default, PartialEq, Eq)]
enum Padding {
    /// PKCS #1, which outside TLS would tell an attacker whether it was right: refused.
    #[default]
    Pkcs1,
    None,
    Tls,
}

impl Context {
    /// Decrypts `ciphertext` into `out`, of `size` bytes; where that is null, only tells how many it takes.
    ///
    /// # Safety
    /// `out` is null or has that many bytes; `length` can be written.
    unsafe fn decrypt(&self, ciphertext: &[u8], out: *mut c_uchar, length: *mut size_t, size: size_t) -> c_int {
        let Some(key) = &self.key else {
            raise_text(c"the key has no private half");
            return 0;
        };
        let modulus = key.public.size();
        let plain = match self.padding {
            Padding::Pkcs1 => {
                raise_text(UNSUPPORTED);
                return 0;
            }
            Padding::None => modulus,
            Padding::Tls => PREMASTER,
        };
        if out.is_null() {
            // SAFETY: the caller says so.
            unsafe { *length = plain };
            return 1;
        }
        if size < plain || ciphertext.len() != modulus {
            raise_text(c"a length is wrong");
            return 0;
        }
        let mut raw = match key.decrypt_raw(ciphertext.to_vec()) {
            Ok(raw) => raw,
            Err(error) => {
                raise(&error);
                return 0;
            }
        };
        // SAFETY: the caller says so.
        let out = unsafe { slice::from_raw_parts_mut(out, plain) };
        let done = match self.padding {
            Padding::Tls => self.unpad(&raw, out),
            _ => {
                out.copy_from_slice(&raw);
                true
            }
        };
        cleanse(&mut raw);
        if done {
            // SAFETY: the caller says so.
            unsafe { *length = plain };
        }
        c_int::from(done)
    }

    /// Takes the secret out of its padding: or in its place, if anything in it is wrong, random bytes, in the same
    /// time and without a trace of it (RFC 5246, section 7.4.7.1). False only for what everybody may know.
    fn unpad(&self, raw: &[u8], secret: &mut [u8]) -> bool {
        let Some(client_version) = self.client_version else {
            raise_text(c"the version of the client is not set");
            return false;
        };
        let mut random = [0; PREMASTER];
        if raw.len() < 11 + PREMASTER || rand_priv_bytes(&mut random).is_err() {
            raise_text(c"the key is too short, or there are no random numbers");
            return false;
        }
        let (padding, plain) = raw.split_at(raw.len() - PREMASTER);
        let (zero, filler) = (padding[padding.len() - 1], &padding[2..padding.len() - 1]);
        let mut good = padding[0].ct_eq(&0) & padding[1].ct_eq(&2) & zero.ct_eq(&0);
        for byte in filler {
            good &= !byte.ct_eq(&0);
        }
        let version = [plain[0], plain[1]];
        let is = |expected: u16| version.ct_eq(&expected.to_be_bytes());
        good &= is(client_version) | self.negotiated_version.map_or(Choice::from(0), is);
        for (target, (plain, random)) in secret.iter_mut().zip(plain.iter().zip(&random)) {
            *target = u8::conditional_select(random, plain, good);
        }
        cleanse(&mut random);
        true
    }

    fn set(&mut self, parameters: Parameters) -> Result<(), Unfit> {
        if let Some(padding) = parameters.get(sys::OSSL_ASYM_CIPHER_PARAM_PAD_MODE)? {
            self.padding = match padding {
                Value::Integer(ffi::RSA_PKCS1_PADDING) => Padding::Pkcs1,
                Value::Integer(ffi::RSA_NO_PADDING) => Padding::None,
                Value::Integer(sys::RSA_PKCS1_WITH_TLS_PADDING) => Padding::Tls,
                Value::Text(name) if name.as_bytes() == sys::OSSL_PKEY_RSA_PAD_MODE_NONE.to_bytes() => Padding::None,
                _ => return Err(Unfit),
            };
        }
        let version = |name| match parameters.integer(name)? {
            Some(version) => u16::try_from(version).map(Some).map_err(|_| Unfit),
            None => Ok(None),
        };
        if let Some(version) = version(sys::OSSL_ASYM_CIPHER_PARAM_TLS_CLIENT_VERSION)? {
            self.client_version = Some(version);
        }
        if let Some(version) = version(sys::OSSL_ASYM_CIPHER_PARAM_TLS_NEGOTIATED_VERSION)? {
            self.negotiated_version = (version > 0).then_some(version);
        }
        Ok(())
    }
}

const UNSUPPORTED: &CStr = c"the key decrypts only for TLS, or without padding";

fn cleanse(secret: &mut [u8]) {
    // SAFETY: the slice can be written.
    unsafe { sys::OPENSSL_cleanse(secret.as_mut_ptr().cast(), secret.len()) };
}

unsafe extern "C" fn new(_provider: *mut c_void) -> *mut c_void {
    Box::into_raw(Box::new(Context::default())).cast()
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

unsafe extern "C" fn initialise(context: *mut c_void, key: *mut c_void, parameters: *const ffi::OSSL_PARAM) -> c_int {
    // SAFETY: libcrypto passes a context and a key of ours, and a table that lives as long as the call.
    let (context, key) = unsafe { (&mut *context.cast::<Context>(), key.cast::<Key>().as_ref()) };
    if let Some(key) = key {
        context.key = key.backend().cloned();
    }
    // SAFETY: as above.
    unsafe { set_params((&raw mut *context).cast(), parameters) }
}

unsafe extern "C" fn decrypt(
    context: *mut c_void,
    out: *mut c_uchar,
    length: *mut size_t,
    size: size_t,
    ciphertext: *const c_uchar,
    ciphertext_length: size_t,
) -> c_int {
    // SAFETY: libcrypto passes a context of ours, a ciphertext, and places for plain text and length.
    guard(0, || unsafe {
        let context = &*context.cast::<Context>();
        let ciphertext = if out.is_null() { &[] } else { slice::from_raw_parts(ciphertext, ciphertext_length) };
        context.decrypt(ciphertext, out, length, size)
    })
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
    static SETTABLE: Descriptions<4> = Descriptions([
        description(sys::OSSL_ASYM_CIPHER_PARAM_PAD_MODE, sys::OSSL_PARAM_INTEGER),
        description(sys::OSSL_ASYM_CIPHER_PARAM_TLS_CLIENT_VERSION, sys::OSSL_PARAM_UNSIGNED_INTEGER),
        description(sys::OSSL_ASYM_CIPHER_PARAM_TLS_NEGOTIATED_VERSION, sys::OSSL_PARAM_UNSIGNED_INTEGER),
        END,
    ]);
    SETTABLE.as_ptr()
}
