//! `<openssl/evp.h>` and `<openssl/rsa.h>`: keys whose private half a provider holds.

use crate::provider::OSSL_CALLBACK;
use libc::size_t;
use openssl_sys::{EVP_MD, EVP_MD_CTX, EVP_PKEY, EVP_PKEY_CTX, OSSL_LIB_CTX, OSSL_PARAM, OSSL_PROVIDER, X509};
use std::ffi::{c_char, c_int, c_void};

/// Padding of a TLS 1.2 RSA key exchange, removed in constant time.
pub const RSA_PKCS1_WITH_TLS_PADDING: c_int = 7;

/// PSS salt length: the digest's.
pub const RSA_PSS_SALTLEN_DIGEST: c_int = -1;
/// PSS salt length: read from the signature when verifying, the longest when signing.
pub const RSA_PSS_SALTLEN_AUTO: c_int = -2;
/// PSS salt length: the longest that fits.
pub const RSA_PSS_SALTLEN_MAX: c_int = -3;
/// PSS salt length: as [`RSA_PSS_SALTLEN_AUTO`], at most the digest's when signing.
#[cfg(ossl320)]
pub const RSA_PSS_SALTLEN_AUTO_DIGEST_MAX: c_int = -4;

unsafe extern "C" {
    /// The name under which the key's provider knows its type.
    pub fn EVP_PKEY_get0_type_name(key: *const EVP_PKEY) -> *const c_char;
    /// The provider that holds the key; null for a key of libcrypto's own old kind.
    pub fn EVP_PKEY_get0_provider(key: *const EVP_PKEY) -> *const OSSL_PROVIDER;
    /// A copy of the key.
    pub fn EVP_PKEY_dup(pkey: *mut EVP_PKEY) -> *mut EVP_PKEY;
    /// Passes the selected parts (`OSSL_KEYMGMT_SELECT_*`) of the key to `export_cb`.
    pub fn EVP_PKEY_export(
        pkey: *const EVP_PKEY,
        selection: c_int,
        export_cb: OSSL_CALLBACK,
        export_cbarg: *mut c_void,
    ) -> c_int;
    /// Writes the group's name and its length without the NUL.
    pub fn EVP_PKEY_get_group_name(
        pkey: *const EVP_PKEY,
        name: *mut c_char,
        name_sz: size_t,
        gname_len: *mut size_t,
    ) -> c_int;
    /// Writes the name of the default digest: 2 if it is mandatory, 1 if it is advice.
    pub fn EVP_PKEY_get_default_digest_name(pkey: *mut EVP_PKEY, mdname: *mut c_char, mdname_sz: size_t) -> c_int;
    /// Begins a signature by `pkey`, whose own context is written to `pctx` and lives in `ctx`.
    pub fn EVP_DigestSignInit_ex(
        ctx: *mut EVP_MD_CTX,
        pctx: *mut *mut EVP_PKEY_CTX,
        mdname: *const c_char,
        libctx: *mut OSSL_LIB_CTX,
        props: *const c_char,
        pkey: *mut EVP_PKEY,
        params: *const OSSL_PARAM,
    ) -> c_int;
    /// A context for operations with `pkey`.
    pub fn EVP_PKEY_CTX_new_from_pkey(
        libctx: *mut OSSL_LIB_CTX,
        pkey: *mut EVP_PKEY,
        propquery: *const c_char,
    ) -> *mut EVP_PKEY_CTX;
    /// What `EVP_PKEY_fromdata` accepts for `selection`.
    pub fn EVP_PKEY_fromdata_settable(ctx: *mut EVP_PKEY_CTX, selection: c_int) -> *const OSSL_PARAM;

    /// The digest's name.
    pub fn EVP_MD_get0_name(md: *const EVP_MD) -> *const c_char;
    /// 1 if `name` is one of the digest's names.
    pub fn EVP_MD_is_a(md: *const EVP_MD, name: *const c_char) -> c_int;

    /// 1 if `pkey` is the private key of the certificate.
    pub fn X509_check_private_key(cert: *const X509, pkey: *const EVP_PKEY) -> c_int;
}
