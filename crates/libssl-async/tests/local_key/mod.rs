//! Private keys in memory, which play the remote signer.

#![allow(dead_code, reason = "not every test needs all")]

use std::ffi::CStr;

use foreign_types::ForeignTypeRef;
use libssl_async_sys as sys;
use openssl::hash::MessageDigest;
use openssl::pkey::{Id, PKey, Private};
use openssl::pkey_ctx::PkeyCtx;
use openssl::rsa::{Padding, Rsa};
use openssl::sign::{RsaPssSaltlen, Signer};

/// A key of each type that this libcrypto has, with its name.
pub(crate) fn all() -> Vec<(&'static str, PKey<Private>)> {
    let mut keys = vec![
        ("RSA", rsa()),
        ("RSA-PSS", rsa_pss()),
        ("P-256", ec("P-256")),
        ("P-384", ec("P-384")),
        ("P-521", ec("P-521")),
        ("Ed25519", PKey::generate_ed25519().unwrap()),
        ("Ed448", PKey::generate_ed448().unwrap()),
    ];
    keys.extend(ml_dsa());
    keys
}

pub(crate) fn rsa() -> PKey<Private> {
    PKey::from_rsa(Rsa::generate(2048).unwrap()).unwrap()
}

pub(crate) fn rsa_pss() -> PKey<Private> {
    let mut context = PkeyCtx::new_id(Id::RSA_PSS).unwrap();
    context.keygen_init().unwrap();
    context.set_rsa_keygen_bits(2048).unwrap();
    context.keygen().unwrap()
}

/// An RSA-PSS key that says itself that it signs SHA-384 only.
pub(crate) fn rsa_pss_for_sha384() -> PKey<Private> {
    let mut context = PkeyCtx::new_id(Id::RSA_PSS).unwrap();
    context.keygen_init().unwrap();
    context.set_rsa_keygen_bits(2048).unwrap();
    let digest = |name: &'static CStr| {
        // SAFETY: libcrypto reads both strings, and changes neither.
        unsafe { sys::OSSL_PARAM_construct_utf8_string(name.as_ptr(), c"SHA384".as_ptr().cast_mut(), 0) }
    };
    let mut salt = 48;
    // SAFETY: context, names and values are valid throughout.
    unsafe {
        let salt = sys::OSSL_PARAM_construct_int(c"saltlen".as_ptr(), &mut salt);
        let end = openssl_sys::OSSL_PARAM_construct_end();
        let parameters = [digest(c"digest"), digest(c"mgf1-digest"), salt, end];
        assert_eq!(openssl_sys::EVP_PKEY_CTX_set_params(context.as_ptr(), parameters.as_ptr()), 1);
    }
    context.keygen().unwrap()
}

pub(crate) fn ec(curve: &str) -> PKey<Private> {
    PKey::ec_gen(curve).unwrap()
}

#[cfg(ossl350)]
fn ml_dsa() -> Vec<(&'static str, PKey<Private>)> {
    use openssl::pkey::KeyType;
    let key = |key_type| PKey::private_key_from_seed(None, key_type, None, &[7; 32]).unwrap();
    vec![
        ("ML-DSA-44", key(KeyType::ML_DSA_44)),
        ("ML-DSA-65", key(KeyType::ML_DSA_65)),
        ("ML-DSA-87", key(KeyType::ML_DSA_87)),
    ]
}

#[cfg(not(ossl350))]
fn ml_dsa() -> Vec<(&'static str, PKey<Private>)> {
    Vec::new()
}

/// Signs `message` with the scheme that has this name in TLS.
pub(crate) fn sign(key: &PKey<Private>, scheme: &str, message: &[u8]) -> Vec<u8> {
    let digest = match scheme {
        "rsa_pkcs1_md5_sha1" => MessageDigest::from_name("MD5-SHA1"),
        _ => scheme.rsplit_once("_sha").map(|(_, bits)| MessageDigest::from_name(&format!("SHA{bits}")).unwrap()),
    };
    let mut signer = match digest {
        Some(digest) => Signer::new(digest, key).unwrap(),
        None => Signer::new_without_digest(key).unwrap(),
    };
    if scheme.starts_with("rsa_pss") {
        signer.set_rsa_padding(Padding::PKCS1_PSS).unwrap();
        signer.set_rsa_pss_saltlen(RsaPssSaltlen::DIGEST_LENGTH).unwrap();
    }
    signer.sign_oneshot_to_vec(message).unwrap()
}

/// The raw result of RSA.
pub(crate) fn decrypt_raw(key: &PKey<Private>, ciphertext: &[u8]) -> Vec<u8> {
    let rsa = key.rsa().unwrap();
    let mut plain = vec![0; rsa.size() as usize];
    let length = rsa.private_decrypt(ciphertext, &mut plain, Padding::NONE).unwrap();
    assert_eq!(length, plain.len());
    plain
}
