//! OpenSSL's errors, spelled as Node does.

use libssl_async::keys::KeyError;
use openssl::error::{Error, ErrorStack};

use super::NativeError;

impl NativeError {
    /// Adds what OpenSSL reported.
    pub(crate) fn caused_by(self, errors: &[Error]) -> Self {
        let Some(first) = errors.first() else { return self };
        Self {
            library: first.library().map(str::to_owned),
            reason: first.reason().map(str::to_owned),
            openssl_error_stack: (errors.len() > 1).then(|| errors.iter().map(text).collect()),
            ..self
        }
    }

    /// The error of a wrong option that OpenSSL found, with OpenSSL's code.
    pub(crate) fn refused(option: &str, stack: &ErrorStack) -> Self {
        Self::option(&code(stack.errors()), option, &reason(stack)).caused_by(stack.errors())
    }
}

impl From<&ErrorStack> for NativeError {
    fn from(stack: &ErrorStack) -> Self {
        Self::new(code(stack.errors()), reason(stack)).caused_by(stack.errors())
    }
}

impl From<ErrorStack> for Box<NativeError> {
    fn from(stack: ErrorStack) -> Self {
        Self::new(NativeError::from(&stack))
    }
}

/// What an engine or a provider said when it failed an operation of its key.
pub(super) fn errors_of(failure: &KeyError) -> &[Error] {
    match failure {
        KeyError::Failed(error) => error.downcast_ref::<ErrorStack>().map_or(&[], ErrorStack::errors),
        _ => &[],
    }
}

/// `ERR_SSL_<REASON>`, or `ERR_OSSL_<LIBRARY>_<REASON>` for all but libssl.
pub(super) fn code(errors: &[Error]) -> String {
    let Some(first) = errors.first() else { return "ERR_LIBSSL_ASYNC_FAILED".to_owned() };
    let reason = first.reason().unwrap_or("unknown").to_ascii_uppercase().replace(' ', "_");
    format!("ERR_{}{reason}", prefix(first.library_code()))
}

/// What the oldest error says, which tells most.
pub(crate) fn reason(stack: &ErrorStack) -> String {
    let first = stack.errors().first();
    let reason = first.and_then(Error::reason).unwrap_or("OpenSSL failed for no reason that it told");
    match first.and_then(Error::data) {
        Some(data) => format!("{reason} ({data})"),
        None => reason.to_owned(),
    }
}

/// As `ERR_error_string` has it.
fn text(error: &Error) -> String {
    format!("error:{:08X}:{}::{}", error.code(), error.library().unwrap_or(""), error.reason().unwrap_or(""))
}

/// What stands between `ERR_` and the reason for an error of this library (`ERR_LIB_*`).
fn prefix(library: i32) -> &'static str {
    match library {
        2 => "OSSL_SYS_",
        3 => "OSSL_BN_",
        4 => "OSSL_RSA_",
        5 => "OSSL_DH_",
        6 => "OSSL_EVP_",
        7 => "OSSL_BUF_",
        8 => "OSSL_OBJ_",
        9 => "OSSL_PEM_",
        10 => "OSSL_DSA_",
        11 => "OSSL_X509_",
        13 => "OSSL_ASN1_",
        14 => "OSSL_CONF_",
        15 => "OSSL_CRYPTO_",
        16 => "OSSL_EC_",
        20 => "SSL_",
        32 => "OSSL_BIO_",
        33 => "OSSL_PKCS7_",
        34 => "OSSL_X509V3_",
        35 => "OSSL_PKCS12_",
        36 => "OSSL_RAND_",
        37 => "OSSL_DSO_",
        38 => "OSSL_ENGINE_",
        39 => "OSSL_OCSP_",
        40 => "OSSL_UI_",
        41 => "OSSL_COMP_",
        42 => "OSSL_ECDSA_",
        43 => "OSSL_ECDH_",
        44 => "OSSL_OSSL_STORE_",
        45 => "OSSL_FIPS_",
        46 => "OSSL_CMS_",
        47 => "OSSL_TS_",
        48 => "OSSL_HMAC_",
        50 => "OSSL_CT_",
        51 => "OSSL_ASYNC_",
        52 => "OSSL_KDF_",
        53 => "OSSL_SM2_",
        _ => "OSSL_",
    }
}
