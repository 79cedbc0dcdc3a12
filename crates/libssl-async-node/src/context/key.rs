//! Private keys, in PEM or DER.

use openssl::error::ErrorStack;
use openssl::pkey::{PKey, Private};

use super::options::NativeKeySource;
use super::pem;
use crate::error::{Checked, NativeError, reason};

/// The private key of a source.
pub(super) fn private_key(source: &NativeKeySource<'_>) -> Checked<PKey<Private>> {
    if let Some(remote) = &source.remote {
        return Ok(remote.key().clone());
    }
    if let Some(stored) = &source.stored {
        return Ok(stored.key().clone());
    }
    let data = source.data.as_deref().unwrap_or_default();
    let mut passphrase = Passphrase { given: source.passphrase.as_deref(), asked: false };
    let blocks = pem::blocks(data);
    let key = if blocks.is_empty() {
        // Unencrypted PKCS #8, PKCS #1 or SEC 1; else encrypted PKCS #8.
        PKey::private_key_from_der(data)
            .or_else(|_| PKey::private_key_from_pkcs8_callback(data, |buffer| passphrase.fill(buffer)))
    } else {
        PKey::private_key_from_pem_callback(data, |buffer| passphrase.fill(buffer))
    };
    key.map_err(|stack| Box::new(invalid(&source.name, &passphrase, &blocks, &stack)))
}

/// What decrypts a key, and whether the key is encrypted.
struct Passphrase<'a> {
    given: Option<&'a str>,
    asked: bool,
}

impl Passphrase<'_> {
    /// Answers OpenSSL, which asks only for an encrypted key. Corresponds to `pem_password_cb`.
    fn fill(&mut self, buffer: &mut [u8]) -> Result<usize, ErrorStack> {
        self.asked = true;
        let bytes = self.given.unwrap_or_default().as_bytes();
        // One that is too long is none; nothing of OpenSSL's has room for it.
        let length = if bytes.len() <= buffer.len() { bytes.len() } else { 0 };
        buffer[..length].copy_from_slice(&bytes[..length]);
        Ok(length)
    }
}

fn invalid(option: &str, passphrase: &Passphrase<'_>, blocks: &[pem::Block<'_>], stack: &ErrorStack) -> NativeError {
    let error = match passphrase {
        Passphrase { asked: true, given: None } => {
            NativeError::option("ERR_MISSING_PASSPHRASE", option, "the private key is encrypted; give its passphrase")
        }
        Passphrase { asked: true, .. } => NativeError::option(
            "ERR_LIBSSL_ASYNC_WRONG_PASSPHRASE",
            option,
            &format!("the passphrase does not decrypt the private key ({})", reason(stack)),
        ),
        _ if blocks.iter().any(|block| block.label.ends_with("PRIVATE KEY")) => NativeError::option(
            "ERR_LIBSSL_ASYNC_INVALID_KEY",
            option,
            &format!("the private key is garbled ({})", reason(stack)),
        ),
        _ => NativeError::option("ERR_LIBSSL_ASYNC_INVALID_KEY", option, &pem::without("private key", blocks)),
    };
    error.caused_by(stack.errors())
}
