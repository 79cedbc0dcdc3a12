//! What a remote key is asked to do.

use std::fmt;

use super::{Cancellation, DigestAlgorithm, SignatureScheme};
use crate::ConnectionId;

/// A request to sign. Its debug output tells no bytes.
#[non_exhaustive]
pub struct SignRequest {
    /// How to sign.
    pub scheme: SignatureScheme,
    /// The digest of the message, for signers that take digests; `None` for EdDSA and ML-DSA, which sign the message.
    pub digest: Option<Digest>,
    /// The message.
    pub message: Vec<u8>,
    /// The connection that asks; `None` outside our connections.
    pub connection: Option<ConnectionId>,
    /// Tells when the answer is not wanted any more.
    pub cancellation: Cancellation,
}

/// A digest that is to be signed. Its debug output tells no bytes.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Digest {
    /// Which one.
    pub algorithm: DigestAlgorithm,
    /// Its bytes.
    pub bytes: Vec<u8>,
}

/// A request for the raw RSA operation: `ciphertext` to the power of the private exponent, without padding.
///
/// The answer has as many bytes as the modulus, with zeros in front. Removing the padding, without telling anybody
/// whether it was right, is this crate's part; a signer that looked at it could become a decryption oracle. The debug
/// output tells no bytes.
#[non_exhaustive]
pub struct DecryptRequest {
    /// As many bytes as the modulus.
    pub ciphertext: Vec<u8>,
    /// The connection that asks; `None` outside our connections.
    pub connection: Option<ConnectionId>,
    /// Tells when the answer is not wanted any more.
    pub cancellation: Cancellation,
}

/// Either request.
pub(super) enum Request {
    Decrypt(DecryptRequest),
    Sign(SignRequest),
}

impl fmt::Debug for SignRequest {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("SignRequest")
            .field("scheme", &self.scheme)
            .field("connection", &self.connection)
            .field("cancellation", &self.cancellation)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Digest").field("algorithm", &self.algorithm).finish_non_exhaustive()
    }
}

impl fmt::Debug for DecryptRequest {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("DecryptRequest")
            .field("connection", &self.connection)
            .field("cancellation", &self.cancellation)
            .finish_non_exhaustive()
    }
}
