//! PKCS #12 archives.

use std::ptr;
use std::sync::OnceLock;

use foreign_types::ForeignType;
use libssl_async_sys as sys;
use openssl::error::ErrorStack;
use openssl::lib_ctx::LibCtx;
use openssl::pkcs12::{ParsedPkcs12_2, Pkcs12};
use openssl::pkey::{PKey, Private};
use openssl::provider::Provider;
use openssl::x509::X509;
use openssl_sys as ffi;

use super::options::NativeSource;
use crate::error::{Checked, NativeError, reason};

/// What an archive holds.
pub(super) struct Archive {
    pub(super) key: PKey<Private>,
    pub(super) certificate: X509,
    /// The other certificates.
    pub(super) others: Vec<X509>,
}

/// Opens an archive, also one that needs algorithms which OpenSSL has retired, such as RC2.
pub(super) fn open(source: &NativeSource<'_>) -> Checked<Archive> {
    let invalid = |message: &str| NativeError::option("ERR_LIBSSL_ASYNC_INVALID_PFX", &source.name, message);
    let archive = Pkcs12::from_der(&source.data).map_err(|stack| {
        Box::new(invalid(&format!("no PKCS #12 archive ({})", reason(&stack))).caused_by(stack.errors()))
    })?;
    let passphrase = source.passphrase.as_deref().unwrap_or_default();
    let parsed = match archive.parse2(passphrase) {
        Err(stack) if !is_mac_failure(&stack) => parse_legacy(&source.data, passphrase),
        parsed => parsed,
    };
    let parsed = parsed.map_err(|stack| {
        let error = match &source.passphrase {
            _ if !is_mac_failure(&stack) => invalid(&format!("the archive is garbled ({})", reason(&stack))),
            None => NativeError::option(
                "ERR_MISSING_PASSPHRASE",
                &source.name,
                "the archive is encrypted; give its passphrase",
            ),
            Some(_) => NativeError::option(
                "ERR_LIBSSL_ASYNC_WRONG_PASSPHRASE",
                &source.name,
                "the passphrase does not open the archive, or the archive is garbled",
            ),
        };
        Box::new(error.caused_by(stack.errors()))
    })?;
    let others = parsed.ca.into_iter().flatten().collect();
    match (parsed.pkey, parsed.cert) {
        (Some(key), Some(certificate)) => Ok(Archive { key, certificate, others }),
        (None, _) => Err(Box::new(invalid("the archive has no private key"))),
        (_, None) => Err(Box::new(invalid("the archive has no certificate for its private key"))),
    }
}

/// Whether the passphrase was wrong.
fn is_mac_failure(stack: &ErrorStack) -> bool {
    const MAC_VERIFY_FAILURE: i32 = 113;
    stack.errors().iter().any(|error| error.reason_code() == MAC_VERIFY_FAILURE)
}

/// Parses with the legacy provider, which only this library context has.
fn parse_legacy(data: &[u8], passphrase: &str) -> Result<ParsedPkcs12_2, ErrorStack> {
    let legacy = legacy()?;
    // SAFETY: the library context lives as long as the process.
    let mut archive = unsafe { sys::PKCS12_init_ex(ffi::NID_pkcs7_data, legacy.context.as_ptr(), ptr::null()) };
    if archive.is_null() {
        return Err(ErrorStack::get());
    }
    // SAFETY: the archive is ours and the data readable; on failure the archive is freed.
    let archive = unsafe {
        let length = data.len().try_into().unwrap_or(0);
        if ffi::d2i_PKCS12(&mut archive, &mut data.as_ptr(), length).is_null() {
            return Err(ErrorStack::get());
        }
        Pkcs12::from_ptr(archive)
    };
    let mut parsed = archive.parse2(passphrase)?;
    // A key is used in the library context that has read it: this one is to be the ordinary one's.
    if let Some(key) = parsed.pkey.take() {
        parsed.pkey = Some(PKey::private_key_from_der(&key.private_key_to_pkcs8()?)?);
    }
    Ok(parsed)
}

/// A library context with the retired algorithms.
struct Legacy {
    context: LibCtx,
    _providers: [Provider; 2],
}

fn legacy() -> Result<&'static Legacy, ErrorStack> {
    static LEGACY: OnceLock<Legacy> = OnceLock::new();
    if let Some(legacy) = LEGACY.get() {
        return Ok(legacy);
    }
    let context = LibCtx::new()?;
    let providers = [Provider::load(Some(&context), "default")?, Provider::load(Some(&context), "legacy")?];
    Ok(LEGACY.get_or_init(|| Legacy { context, _providers: providers }))
}
