//! The group `X25519MLKEM768` (draft-ietf-tls-ecdhe-mlkem): in each message and in the secret, ML-KEM-768's part comes
//! first, and X25519's after it.

use std::ffi::c_int;

use aws_lc_rs::error::Unspecified;
use aws_lc_rs::kem::{self, DecapsulationKey, EncapsulationKey, ML_KEM_768};

use super::key::Private;
use super::x25519::{self, X25519};

const ENCAPSULATION_KEY: usize = 1184;
const CIPHERTEXT: usize = 1088;
const KEM_SECRET: usize = 32;

/// The bytes of what is sent to the owner of the key.
pub(super) const ENCAPSULATION: usize = CIPHERTEXT + x25519::LENGTH;
/// The bytes of the secret.
pub(super) const SECRET: usize = KEM_SECRET + x25519::LENGTH;

#[derive(Debug)]
pub(super) struct Hybrid {
    kem: DecapsulationKey<kem::AlgorithmId>,
    agreement: X25519,
}

impl Hybrid {
    /// Gets the secret out of what a peer encapsulated. Both slices have the sizes of the group.
    pub(super) fn decapsulate(&self, encapsulation: &[u8], secret: &mut [u8]) -> Result<(), Unspecified> {
        let (ciphertext, peer) = encapsulation.split_at(CIPHERTEXT);
        let (kem_secret, agreed) = secret.split_at_mut(KEM_SECRET);
        kem_secret.copy_from_slice(self.kem.decapsulate(ciphertext.into())?.as_ref());
        self.agreement.agree(peer, agreed)
    }
}

/// Makes a secret for the owner of `public`, and what tells it. All slices have the sizes of the group.
pub(super) fn encapsulate(public: &[u8], encapsulation: &mut [u8], secret: &mut [u8]) -> Result<(), Unspecified> {
    let (key, peer) = public.split_at(ENCAPSULATION_KEY);
    let (ciphertext, own) = encapsulation.split_at_mut(CIPHERTEXT);
    let (kem_secret, agreed) = secret.split_at_mut(KEM_SECRET);
    let key = EncapsulationKey::new(&ML_KEM_768, key).map_err(|_| Unspecified)?;
    let (sent, shared) = key.encapsulate()?;
    ciphertext.copy_from_slice(sent.as_ref());
    kem_secret.copy_from_slice(shared.as_ref());
    let (private, public) = X25519::generate()?;
    own.copy_from_slice(&public);
    private.agree(peer, agreed)
}

impl Private for Hybrid {
    const PUBLIC: usize = ENCAPSULATION_KEY + x25519::LENGTH;
    const LARGEST: usize = ENCAPSULATION;
    const BITS: c_int = 768;
    const SECURITY_BITS: c_int = 192;

    fn generate() -> Result<(Self, Vec<u8>), Unspecified> {
        let kem = DecapsulationKey::generate(&ML_KEM_768)?;
        let mut public = kem.encapsulation_key()?.key_bytes()?.as_ref().to_vec();
        let (agreement, own) = X25519::generate()?;
        public.extend(own);
        Ok((Self { kem, agreement }, public))
    }
}
