//! Which certificate goes with which private key.

use std::iter;

use foreign_types::ForeignType;
use libssl_async_sys as sys;
use openssl::error::ErrorStack;
use openssl::pkey::{PKey, Private};
use openssl::ssl::SslContextBuilder;
use openssl::x509::{X509, X509VerifyResult};

use super::certificate::certificates;
use super::key::private_key;
use super::options::NativeContextOptions;
use super::pfx;
use crate::error::{Checked, NativeError};

/// The certificates of a context, each with its private key.
#[derive(Default)]
pub(super) struct Identities {
    pairs: Vec<Identity>,
    /// What archives hold beside their own certificates, which is trusted, as in Node.
    pub(super) authorities: Vec<X509>,
}

struct Identity {
    /// The option that the chain comes from.
    option: String,
    key: PKey<Private>,
    /// Its own certificate first.
    chain: Vec<X509>,
}

impl Identities {
    pub(super) fn read(options: &NativeContextOptions<'_>) -> Checked<Self> {
        let mut keys = Vec::new();
        for source in &options.key {
            keys.push((&source.name, private_key(source)?));
        }
        let mut identities = Self::default();
        let mut used = vec![false; keys.len()];
        for source in &options.cert {
            let chain = certificates(source)?;
            let Some(at) = keys.iter().position(|(_, key)| fits(key, &chain[0])) else {
                let keys = keys.iter().map(|(_, key)| key);
                return Err(unmatched(&source.name, &chain, keys));
            };
            used[at] = true;
            let key = keys[at].1.clone();
            identities.pairs.push(Identity { option: source.name.clone(), key, chain });
        }
        if let Some(at) = used.iter().position(|used| !used) {
            let message = if options.cert.is_empty() {
                "a private key needs its certificate, in the option cert"
            } else {
                "fits no certificate of the option cert"
            };
            return Err(mismatch(keys[at].0, message));
        }
        for source in &options.pfx {
            let archive = pfx::open(source)?;
            // Its chain is made of the others, which the store has.
            let chain = vec![archive.certificate];
            identities.pairs.push(Identity { option: source.name.clone(), key: archive.key, chain });
            identities.authorities.extend(archive.others);
        }
        Ok(identities)
    }

    /// In DER: the first certificate, and the one of `authorities` or of its own chain that issued it.
    pub(super) fn first(&self, authorities: &[X509]) -> Result<Vec<Vec<u8>>, ErrorStack> {
        let Some(Identity { chain, .. }) = self.pairs.first() else { return Ok(Vec::new()) };
        let is_issuer = |other: &&X509| other.issued(&chain[0]) == X509VerifyResult::OK;
        let issuer = chain[1..].iter().chain(authorities).find(is_issuer);
        iter::once(&chain[0]).chain(issuer).map(|certificate| certificate.to_der()).collect()
    }

    pub(super) fn keys(&self) -> impl Iterator<Item = &PKey<Private>> {
        self.pairs.iter().map(|pair| &pair.key)
    }

    /// Gives certificates and keys to a context, whose store must be there.
    ///
    /// Corresponds to `SSL_CTX_use_certificate`, `SSL_CTX_add1_chain_cert` and `SSL_CTX_use_PrivateKey`.
    pub(super) fn install(&self, builder: &mut SslContextBuilder) -> Checked<()> {
        for (at, identity) in self.pairs.iter().enumerate() {
            let kind = kind(&identity.key);
            if let Some(other) = self.pairs[..at].iter().find(|other| self::kind(&other.key) == kind) {
                let message = format!("OpenSSL takes one certificate of each type, and {} is {kind} too", other.option);
                return Err(Box::new(NativeError::option("ERR_INVALID_ARG_VALUE", &identity.option, &message)));
            }
            identity.install(builder).map_err(|stack| Box::new(NativeError::refused(&identity.option, &stack)))?;
        }
        Ok(())
    }
}

impl Identity {
    fn install(&self, builder: &mut SslContextBuilder) -> Result<(), ErrorStack> {
        builder.set_certificate(&self.chain[0])?;
        for certificate in &self.chain[1..] {
            // SAFETY: both are valid.
            if unsafe { sys::SSL_CTX_add1_chain_cert(builder.as_ptr(), certificate.as_ptr()) } != 1 {
                return Err(ErrorStack::get());
            }
        }
        if let [only] = &self.chain[..]
            && only.issued(only) != X509VerifyResult::OK
        {
            build_chain(builder)?;
        }
        builder.set_private_key(&self.key)
    }
}

/// Completes the chain of the certificate that was set last from the store, as far as that goes: once here, what OpenSSL
/// would otherwise try in each handshake.
///
/// Corresponds to `SSL_CTX_build_cert_chain`.
fn build_chain(builder: &SslContextBuilder) -> Result<(), ErrorStack> {
    const FLAGS: i32 = sys::SSL_BUILD_CHAIN_FLAG_NO_ROOT
        | sys::SSL_BUILD_CHAIN_FLAG_IGNORE_ERROR
        | sys::SSL_BUILD_CHAIN_FLAG_CLEAR_ERROR;
    // SAFETY: the context is valid.
    if unsafe { sys::SSL_CTX_build_cert_chain(builder.as_ptr(), FLAGS) } > 0 { Ok(()) } else { Err(ErrorStack::get()) }
}

fn fits(key: &PKey<Private>, certificate: &X509) -> bool {
    let fits = certificate.public_key().is_ok_and(|public| key.public_eq(&public));
    // Keys that are different leave an error behind.
    let _ = ErrorStack::get();
    fits
}

/// Why no key fits a chain.
fn unmatched<'a>(option: &str, chain: &[X509], mut keys: impl Iterator<Item = &'a PKey<Private>>) -> Box<NativeError> {
    let Some(first) = keys.next() else {
        return mismatch(option, "a certificate needs its private key, in the option key");
    };
    let other = |key: &PKey<Private>| chain.iter().skip(1).any(|certificate| fits(key, certificate));
    if other(first) || keys.any(other) {
        return mismatch(option, "the certificate of the private key has to come first, before those of its issuers");
    }
    mismatch(option, "the private key of the certificate is not in the option key")
}

/// The error that Node has for a certificate with another key.
fn mismatch(option: &str, message: &str) -> Box<NativeError> {
    Box::new(NativeError::option("ERR_OSSL_X509_KEY_VALUES_MISMATCH", option, message))
}

/// The name of the type of a key: OpenSSL keeps one certificate for each.
pub(super) fn kind(key: &PKey<Private>) -> String {
    // SAFETY: the key is valid, and the name lives as long as it.
    let name = unsafe { sys::EVP_PKEY_get0_type_name(key.as_ptr()) };
    if name.is_null() {
        return String::new();
    }
    // SAFETY: it is a string.
    unsafe { std::ffi::CStr::from_ptr(name) }.to_string_lossy().into_owned()
}
