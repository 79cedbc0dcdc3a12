//! `<openssl/params.h>` and `<openssl/core_names.h>`: the typed values that providers are spoken to with.

use libc::size_t;
use openssl_sys::{BIGNUM, OSSL_PARAM};
use std::ffi::{CStr, c_char, c_int, c_uchar, c_uint, c_void};

/// Type: a signed integer of any size, in native order.
pub const OSSL_PARAM_INTEGER: c_uint = 1;
/// Type: an unsigned integer of any size, in native order.
pub const OSSL_PARAM_UNSIGNED_INTEGER: c_uint = 2;
/// Type: a floating-point number.
pub const OSSL_PARAM_REAL: c_uint = 3;
/// Type: UTF-8 text in the buffer.
pub const OSSL_PARAM_UTF8_STRING: c_uint = 4;
/// Type: bytes in the buffer.
pub const OSSL_PARAM_OCTET_STRING: c_uint = 5;
/// Type: a pointer to UTF-8 text.
pub const OSSL_PARAM_UTF8_PTR: c_uint = 6;
/// Type: a pointer to bytes.
pub const OSSL_PARAM_OCTET_PTR: c_uint = 7;

/// `return_size` of a parameter that nobody has answered.
pub const OSSL_PARAM_UNMODIFIED: size_t = size_t::MAX;

/// Key: its size in bits.
pub const OSSL_PKEY_PARAM_BITS: &CStr = c"bits";
/// Key: its strength in bits.
pub const OSSL_PKEY_PARAM_SECURITY_BITS: &CStr = c"security-bits";
/// Key: the largest output in bytes.
pub const OSSL_PKEY_PARAM_MAX_SIZE: &CStr = c"max-size";
/// Key: the digest to sign with unless told otherwise.
pub const OSSL_PKEY_PARAM_DEFAULT_DIGEST: &CStr = c"default-digest";
/// Key: the only digest to sign with; empty for none at all.
pub const OSSL_PKEY_PARAM_MANDATORY_DIGEST: &CStr = c"mandatory-digest";
/// Key: the name of its group.
pub const OSSL_PKEY_PARAM_GROUP_NAME: &CStr = c"group";
/// Key: its public half.
pub const OSSL_PKEY_PARAM_PUB_KEY: &CStr = c"pub";
/// Key: its public half, as TLS sends it.
pub const OSSL_PKEY_PARAM_ENCODED_PUBLIC_KEY: &CStr = c"encoded-pub-key";
/// Key: its private half.
pub const OSSL_PKEY_PARAM_PRIV_KEY: &CStr = c"priv";
/// RSA key: the modulus.
pub const OSSL_PKEY_PARAM_RSA_N: &CStr = c"n";
/// RSA key: the public exponent.
pub const OSSL_PKEY_PARAM_RSA_E: &CStr = c"e";
/// RSA key: the private exponent.
pub const OSSL_PKEY_PARAM_RSA_D: &CStr = c"d";

/// Padding: none.
pub const OSSL_PKEY_RSA_PAD_MODE_NONE: &CStr = c"none";
/// Padding: PKCS #1 v1.5.
pub const OSSL_PKEY_RSA_PAD_MODE_PKCSV15: &CStr = c"pkcs1";
/// Padding: OAEP.
pub const OSSL_PKEY_RSA_PAD_MODE_OAEP: &CStr = c"oaep";
/// Padding: PSS.
pub const OSSL_PKEY_RSA_PAD_MODE_PSS: &CStr = c"pss";
/// PSS salt length: [`RSA_PSS_SALTLEN_DIGEST`](crate::RSA_PSS_SALTLEN_DIGEST).
pub const OSSL_PKEY_RSA_PSS_SALT_LEN_DIGEST: &CStr = c"digest";
/// PSS salt length: [`RSA_PSS_SALTLEN_MAX`](crate::RSA_PSS_SALTLEN_MAX).
pub const OSSL_PKEY_RSA_PSS_SALT_LEN_MAX: &CStr = c"max";
/// PSS salt length: [`RSA_PSS_SALTLEN_AUTO`](crate::RSA_PSS_SALTLEN_AUTO).
pub const OSSL_PKEY_RSA_PSS_SALT_LEN_AUTO: &CStr = c"auto";

/// Signature: the DER `AlgorithmIdentifier`.
pub const OSSL_SIGNATURE_PARAM_ALGORITHM_ID: &CStr = c"algorithm-id";
/// Signature: the digest's name.
pub const OSSL_SIGNATURE_PARAM_DIGEST: &CStr = c"digest";
/// Signature: the digest's size in bytes.
pub const OSSL_SIGNATURE_PARAM_DIGEST_SIZE: &CStr = c"digest-size";
/// Signature: the property query for the digest.
pub const OSSL_SIGNATURE_PARAM_PROPERTIES: &CStr = c"properties";
/// Signature: the RSA padding, as number or name.
pub const OSSL_SIGNATURE_PARAM_PAD_MODE: &CStr = c"pad-mode";
/// Signature: the PSS salt length, as number or name.
pub const OSSL_SIGNATURE_PARAM_PSS_SALTLEN: &CStr = c"saltlen";
/// Signature: the digest of the mask generation.
pub const OSSL_SIGNATURE_PARAM_MGF1_DIGEST: &CStr = c"mgf1-digest";
/// Signature: the property query for the digest of the mask generation.
pub const OSSL_SIGNATURE_PARAM_MGF1_PROPERTIES: &CStr = c"mgf1-properties";

/// Decryption: the RSA padding, as number or name.
pub const OSSL_ASYM_CIPHER_PARAM_PAD_MODE: &CStr = c"pad-mode";
/// Decryption: the OAEP digest.
pub const OSSL_ASYM_CIPHER_PARAM_OAEP_DIGEST: &CStr = c"digest";
/// Decryption: the digest of the OAEP mask generation.
pub const OSSL_ASYM_CIPHER_PARAM_MGF1_DIGEST: &CStr = c"mgf1-digest";
/// Decryption: the OAEP label.
pub const OSSL_ASYM_CIPHER_PARAM_OAEP_LABEL: &CStr = c"oaep-label";
/// Decryption: the TLS version that the ClientHello offered.
pub const OSSL_ASYM_CIPHER_PARAM_TLS_CLIENT_VERSION: &CStr = c"tls-client-version";
/// Decryption: the TLS version in use, where a wrong one in the secret is tolerated.
pub const OSSL_ASYM_CIPHER_PARAM_TLS_NEGOTIATED_VERSION: &CStr = c"tls-negotiated-version";
/// Decryption: whether bad PKCS #1 v1.5 padding gives a random message in place of an error.
#[cfg(ossl320)]
pub const OSSL_ASYM_CIPHER_PARAM_IMPLICIT_REJECTION: &CStr = c"implicit-rejection";

unsafe extern "C" {
    /// Reads an integer; 0 if it does not fit.
    pub fn OSSL_PARAM_get_int(p: *const OSSL_PARAM, val: *mut c_int) -> c_int;
    /// Reads an integer; 0 if it does not fit.
    pub fn OSSL_PARAM_get_uint(p: *const OSSL_PARAM, val: *mut c_uint) -> c_int;
    /// Reads an integer; 0 if it does not fit.
    pub fn OSSL_PARAM_get_size_t(p: *const OSSL_PARAM, val: *mut size_t) -> c_int;
    /// Answers with an integer; 0 if it does not fit.
    pub fn OSSL_PARAM_set_int(p: *mut OSSL_PARAM, val: c_int) -> c_int;
    /// Answers with an integer; 0 if it does not fit.
    pub fn OSSL_PARAM_set_uint(p: *mut OSSL_PARAM, val: c_uint) -> c_int;
    /// Answers with an integer; 0 if it does not fit.
    pub fn OSSL_PARAM_set_size_t(p: *mut OSSL_PARAM, val: size_t) -> c_int;
    /// Answers with an unsigned integer; 0 if it does not fit.
    pub fn OSSL_PARAM_set_BN(p: *mut OSSL_PARAM, val: *const BIGNUM) -> c_int;
    /// Answers with text, which is copied; 0 if it does not fit.
    pub fn OSSL_PARAM_set_utf8_string(p: *mut OSSL_PARAM, val: *const c_char) -> c_int;
    /// Answers with a pointer to text.
    pub fn OSSL_PARAM_set_utf8_ptr(p: *mut OSSL_PARAM, val: *const c_char) -> c_int;
    /// Answers with bytes, which are copied; 0 if they do not fit.
    pub fn OSSL_PARAM_set_octet_string(p: *mut OSSL_PARAM, val: *const c_void, len: size_t) -> c_int;
    /// Answers with a pointer to bytes.
    pub fn OSSL_PARAM_set_octet_ptr(p: *mut OSSL_PARAM, val: *const c_void, used_len: size_t) -> c_int;

    /// A parameter over an integer.
    pub fn OSSL_PARAM_construct_int(key: *const c_char, buf: *mut c_int) -> OSSL_PARAM;
    /// A parameter over an integer.
    pub fn OSSL_PARAM_construct_size_t(key: *const c_char, buf: *mut size_t) -> OSSL_PARAM;
    /// A parameter over an unsigned integer of `bsize` bytes in native order.
    pub fn OSSL_PARAM_construct_BN(key: *const c_char, buf: *mut c_uchar, bsize: size_t) -> OSSL_PARAM;
    /// A parameter over text of `bsize` bytes (0: up to its NUL).
    pub fn OSSL_PARAM_construct_utf8_string(key: *const c_char, buf: *mut c_char, bsize: size_t) -> OSSL_PARAM;
    /// A parameter over a pointer to text.
    pub fn OSSL_PARAM_construct_utf8_ptr(key: *const c_char, buf: *mut *mut c_char, bsize: size_t) -> OSSL_PARAM;
    /// A parameter over a pointer to bytes.
    pub fn OSSL_PARAM_construct_octet_ptr(key: *const c_char, buf: *mut *mut c_void, bsize: size_t) -> OSSL_PARAM;
}
