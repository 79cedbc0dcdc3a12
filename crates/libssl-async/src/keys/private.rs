//! What private keys do, done by the provider that has them.

use std::ffi::CStr;
use std::ptr;

use foreign_types::{ForeignType, ForeignTypeRef};
use libssl_async_sys as sys;
use openssl::error::ErrorStack;
use openssl::md_ctx::MdCtx;
use openssl::pkey::{PKeyRef, Private};
use openssl::pkey_ctx::PkeyCtx;
use openssl::rsa::Padding as RsaPadding;
use openssl_sys as ffi;

use super::SignatureScheme;
use super::scheme::Padding;

/// The signature of the message, which may block for as long as the key needs.
pub(super) fn sign(key: &PKeyRef<Private>, scheme: SignatureScheme, message: &[u8]) -> Result<Vec<u8>, ErrorStack> {
    let mut context = MdCtx::new()?;
    let mut of_key = ptr::null_mut();
    let digest = scheme.digest().map(|digest| digest.message_digest().as_ptr());
    // SAFETY: context, key and digest are valid, and names of digests are strings; the key's context lives in the other one.
    let padded = unsafe {
        let name = digest.map_or(ptr::null(), |digest| sys::EVP_MD_get0_name(digest));
        let (library, parameters) = (ptr::null_mut(), ptr::null());
        let (context, properties) = (context.as_ptr(), properties(key));
        let begun =
            sys::EVP_DigestSignInit_ex(context, &mut of_key, name, library, properties, key.as_ptr(), parameters);
        begun == 1
            && (scheme.padding() != Some(Padding::Pss)
                || ffi::EVP_PKEY_CTX_set_rsa_padding(of_key, RsaPadding::PKCS1_PSS.as_raw()) == 1
                    && ffi::EVP_PKEY_CTX_set_rsa_pss_saltlen(of_key, sys::RSA_PSS_SALTLEN_DIGEST) == 1)
    };
    if !padded {
        return Err(ErrorStack::get());
    }
    let mut signature = Vec::new();
    context.digest_sign_to_vec(message, &mut signature)?;
    Ok(signature)
}

/// The plain text of a raw RSA operation, as long as the modulus.
pub(super) fn decrypt_raw(key: &PKeyRef<Private>, ciphertext: &[u8]) -> Result<Vec<u8>, ErrorStack> {
    // SAFETY: the key is valid; the context is freed once.
    let mut context = unsafe {
        let context = sys::EVP_PKEY_CTX_new_from_pkey(ptr::null_mut(), key.as_ptr(), properties(key));
        if context.is_null() {
            return Err(ErrorStack::get());
        }
        PkeyCtx::<Private>::from_ptr(context)
    };
    context.decrypt_init()?;
    context.set_rsa_padding(RsaPadding::NONE)?;
    let mut plain = Vec::new();
    context.decrypt_to_vec(ciphertext, &mut plain)?;
    Ok(plain)
}

/// What has libcrypto ask the provider of the key, and not its own: some providers let it have as much of a key as they
/// can, as `tpm2` does, with which it would then sign and fail.
fn properties(key: &PKeyRef<Private>) -> *const std::ffi::c_char {
    // SAFETY: the key is valid, and names of providers are strings.
    unsafe {
        let provider = sys::EVP_PKEY_get0_provider(key.as_ptr());
        if provider.is_null() || [c"default", c"fips"].contains(&CStr::from_ptr(sys::OSSL_PROVIDER_get0_name(provider)))
        {
            ptr::null()
        } else {
            c"provider!=default,fips!=yes".as_ptr()
        }
    }
}
