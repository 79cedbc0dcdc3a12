//! The group `x25519` (RFC 7748).

use std::ffi::c_int;

use aws_lc_rs::agreement::{self, PrivateKey, UnparsedPublicKey};
use aws_lc_rs::error::Unspecified;

use super::key::Private;

/// The bytes of a public key, and of a secret.
pub(super) const LENGTH: usize = 32;

#[derive(Debug)]
pub(super) struct X25519(PrivateKey);

impl X25519 {
    /// Writes the secret that this key shares with `peer` to `secret`, of [`LENGTH`] bytes; fails if `peer` is a point
    /// of small order.
    pub(super) fn agree(&self, peer: &[u8], secret: &mut [u8]) -> Result<(), Unspecified> {
        let peer = UnparsedPublicKey::new(&agreement::X25519, peer);
        agreement::agree(&self.0, peer, Unspecified, |shared| {
            secret.copy_from_slice(shared);
            Ok(())
        })
    }
}

impl Private for X25519 {
    const PUBLIC: usize = LENGTH;
    const LARGEST: usize = LENGTH;
    const BITS: c_int = 253;
    const SECURITY_BITS: c_int = 128;

    fn generate() -> Result<(Self, Vec<u8>), Unspecified> {
        let private = PrivateKey::generate(&agreement::X25519)?;
        let public = private.compute_public_key()?.as_ref().to_vec();
        Ok((Self(private), public))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_point_of_small_order_is_refused() {
        let (own, _) = X25519::generate().unwrap();
        let mut secret = [0; LENGTH];
        let (zero, mut one) = ([0; LENGTH], [0; LENGTH]);
        one[0] = 1;
        for peer in [zero, one] {
            assert!(own.agree(&peer, &mut secret).is_err());
        }
    }
}
