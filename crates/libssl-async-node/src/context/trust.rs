//! The certificates that peers are verified against.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError, Weak};

use foreign_types::ForeignType;
use libssl_async_sys as sys;
use napi::Env;
use napi_derive::napi;
use openssl::error::ErrorStack;
use openssl::sha::Sha256;
use openssl::ssl::SslContextBuilder;
use openssl::x509::store::{X509Store, X509StoreBuilder};
use openssl::x509::{X509, X509Crl};

use super::certificate::certificates;
use super::initialise::initialise;
use super::options::NativeSource;
use crate::error::Checked;

/// Trusted certificates, which any number of contexts share.
///
/// Parsing is the dear part: whoever gives the same bytes gets the same trust, on any thread, while somebody has it.
pub(super) struct Trust {
    store: X509Store,
    certificates: Vec<X509>,
    fingerprint: Fingerprint,
}

/// What tells trusts apart: the digest of what they were made of.
type Fingerprint = [u8; 32];

/// Node's default certificates, parsed.
#[napi]
pub struct NativeTrust {
    trust: Arc<Trust>,
}

#[napi]
impl NativeTrust {
    /// Takes certificates in PEM or DER; what cannot be read is left out, as Node does.
    #[napi(constructor)]
    pub fn new(env: &Env, sources: Vec<NativeSource<'_>>) -> napi::Result<Self> {
        let readable = |source: &NativeSource<'_>| Ok(certificates(source).unwrap_or_default());
        let trust = initialise().and_then(|()| Trust::of(&sources, readable)).map_err(|error| error.throw(env))?;
        Ok(Self { trust })
    }
}

impl NativeTrust {
    pub(super) fn trust(&self) -> &Arc<Trust> {
        &self.trust
    }
}

impl Trust {
    /// Trusts the certificates that `read` finds in the sources.
    pub(super) fn of(
        sources: &[NativeSource<'_>],
        read: impl Fn(&NativeSource<'_>) -> Checked<Vec<X509>>,
    ) -> Checked<Arc<Self>> {
        static KNOWN: Mutex<Option<HashMap<Fingerprint, Weak<Trust>>>> = Mutex::new(None);

        let fingerprint = digest(sources.iter().map(|source| &*source.data));
        let known = || KNOWN.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(trust) = known().get_or_insert_default().get(&fingerprint).and_then(Weak::upgrade) {
            return Ok(trust);
        }
        let mut certificates = Vec::new();
        for source in sources {
            certificates.extend(read(source)?);
        }
        let trust = Arc::new(Self::new(certificates, &[], fingerprint)?);
        let mut known = known();
        let known = known.get_or_insert_default();
        known.retain(|_, trust| trust.strong_count() > 0);
        known.insert(fingerprint, Arc::downgrade(&trust));
        Ok(trust)
    }

    /// Trusts more certificates, and knows of revocations.
    pub(super) fn with(&self, more: &[X509], revocations: &[X509Crl]) -> Result<Self, ErrorStack> {
        let mut parts = vec![self.fingerprint.to_vec()];
        for certificate in more {
            parts.push(certificate.to_der()?);
        }
        for revocation in revocations {
            parts.push(revocation.to_der()?);
        }
        let fingerprint = digest(parts.iter().map(Vec::as_slice));
        Self::new([&self.certificates, more].concat(), revocations, fingerprint)
    }

    fn new(certificates: Vec<X509>, revocations: &[X509Crl], fingerprint: Fingerprint) -> Result<Self, ErrorStack> {
        let mut store = X509StoreBuilder::new()?;
        for certificate in &certificates {
            store.add_cert(certificate.clone())?;
        }
        for revocation in revocations {
            // SAFETY: both are valid, and the store takes a reference of its own.
            if unsafe { sys::X509_STORE_add_crl(store.as_ptr(), revocation.as_ptr()) } != 1 {
                return Err(ErrorStack::get());
            }
        }
        Ok(Self { store: store.build(), certificates, fingerprint })
    }

    pub(super) fn fingerprint(&self) -> &Fingerprint {
        &self.fingerprint
    }

    /// The certificates, which a server names to its clients.
    pub(super) fn certificates(&self) -> &[X509] {
        &self.certificates
    }

    /// Has a context verify against this. Corresponds to `SSL_CTX_set1_cert_store`.
    pub(super) fn install(&self, builder: &SslContextBuilder) {
        // SAFETY: both are valid, and the context takes a reference of its own; stores lock themselves.
        unsafe { sys::SSL_CTX_set1_cert_store(builder.as_ptr(), self.store.as_ptr()) };
    }
}

/// The SHA-256 of parts, each with its length.
pub(super) fn digest<'a>(parts: impl IntoIterator<Item = &'a [u8]>) -> Fingerprint {
    let mut hash = Sha256::new();
    for part in parts {
        hash.update(&(part.len() as u64).to_be_bytes());
        hash.update(part);
    }
    hash.finish()
}
