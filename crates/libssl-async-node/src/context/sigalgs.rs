//! Signature algorithms where a remote key cannot do all that its type can.

use std::ffi::{CString, c_char, c_long};

use foreign_types::ForeignTypeRef;
use libssl_async::keys::sigalgs_list;
use libssl_async_sys as sys;
use openssl::error::ErrorStack;
use openssl::pkey::{PKey, Private};
use openssl::ssl::SslRef;
use openssl_sys::SSL;

use super::identity::kind;
use crate::error::{Checked, NativeError};

/// The lists of a context that has such a key. They differ between the sides, so each SSL gets its own.
pub(super) struct SignatureAlgorithms {
    /// What this side signs with.
    own: CString,
    /// What a server asks its clients to sign with.
    accepted: CString,
}

/// What TLS has for each type of key.
const NAMES: [(&str, &[&str]); 8] = [
    ("EC", &["ecdsa_secp256r1_sha256", "ecdsa_secp384r1_sha384", "ecdsa_secp521r1_sha512"]),
    ("ED25519", &["ed25519"]),
    ("ED448", &["ed448"]),
    ("RSA-PSS", &["rsa_pss_pss_sha256", "rsa_pss_pss_sha384", "rsa_pss_pss_sha512"]),
    (
        "RSA",
        &[
            "rsa_pss_rsae_sha256",
            "rsa_pss_rsae_sha384",
            "rsa_pss_rsae_sha512",
            "rsa_pkcs1_sha256",
            "rsa_pkcs1_sha384",
            "rsa_pkcs1_sha512",
        ],
    ),
    ("ML-DSA-44", &["mldsa44"]),
    ("ML-DSA-65", &["mldsa65"]),
    ("ML-DSA-87", &["mldsa87"]),
];

impl SignatureAlgorithms {
    /// `None` if every key does all that its type can. `wanted` is the option `sigalgs`.
    pub(super) fn of<'a>(keys: impl Iterator<Item = &'a PKey<Private>>, wanted: Option<&str>) -> Checked<Option<Self>> {
        let mut limited = false;
        let mut own = Vec::new();
        for key in keys {
            match sigalgs_list(key) {
                Some(list) => {
                    limited = true;
                    own.extend(list.split(':').map(str::to_owned));
                }
                None => own.extend(of_type(&kind(key)).iter().map(|name| (*name).to_owned())),
            }
        }
        if !limited {
            return Ok(None);
        }
        if let Some(wanted) = wanted {
            own.retain(|name| wanted.split(':').any(|other| other == name));
            if own.is_empty() {
                let message = "has none of the schemes of the remote key";
                return Err(Box::new(NativeError::option("ERR_INVALID_ARG_VALUE", "sigalgs", message)));
            }
        }
        let accepted = wanted.map_or_else(everything, str::to_owned);
        Ok(Some(Self { own: list(own.join(":")), accepted: list(accepted) }))
    }

    /// Limits a server's SSL. Corresponds to `SSL_set1_sigalgs_list` and `SSL_set1_client_sigalgs_list`.
    pub(super) fn limit_server(&self, ssl: &SslRef) -> Result<(), ErrorStack> {
        set(sys::SSL_set1_sigalgs_list, ssl, &self.own)?;
        set(sys::SSL_set1_client_sigalgs_list, ssl, &self.accepted)
    }

    /// Limits a client's SSL. Corresponds to `SSL_set1_client_sigalgs_list`.
    pub(super) fn limit_client(&self, ssl: &SslRef) -> Result<(), ErrorStack> {
        set(sys::SSL_set1_client_sigalgs_list, ssl, &self.own)
    }
}

fn of_type(kind: &str) -> &'static [&'static str] {
    NAMES.iter().find(|(name, _)| *name == kind).map_or(&[], |(_, names)| names)
}

/// All that this OpenSSL has.
fn everything() -> String {
    const ML_DSA: i64 = 0x3050_0000;
    let has = |kind: &str| !kind.starts_with("ML-DSA") || openssl::version::number() >= ML_DSA;
    let names = NAMES.iter().filter(|(kind, _)| has(kind)).flat_map(|(_, names)| names.iter().copied());
    names.collect::<Vec<_>>().join(":")
}

fn list(names: String) -> CString {
    CString::new(names).expect("the names of signature algorithms have no NUL")
}

fn set(setter: unsafe fn(*mut SSL, *const c_char) -> c_long, ssl: &SslRef, list: &CString) -> Result<(), ErrorStack> {
    // SAFETY: both are valid, and the list is copied.
    if unsafe { setter(ssl.as_ptr(), list.as_ptr()) } == 1 { Ok(()) } else { Err(ErrorStack::get()) }
}
