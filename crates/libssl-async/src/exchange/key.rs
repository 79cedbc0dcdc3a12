//! Keys of either group.

use std::ffi::c_int;
use std::sync::Arc;

use aws_lc_rs::error::Unspecified;

/// A private key of a group.
pub(super) trait Private: Sized + Send + Sync {
    /// The bytes of a public key.
    const PUBLIC: usize;
    /// The most bytes that come out of an operation: the secret of an agreement, or an encapsulation.
    const LARGEST: usize;
    const BITS: c_int;
    const SECURITY_BITS: c_int;

    /// A new key, and its public half.
    fn generate() -> Result<(Self, Vec<u8>), Unspecified>;
}

/// What libcrypto holds for a key: an own one, a peer's public one, or one that is not filled yet. Copies share it.
#[derive(Debug)]
pub(super) struct Key<P> {
    pub(super) private: Option<Arc<P>>,
    pub(super) public: Option<Arc<[u8]>>,
}

impl<P: Private> Key<P> {
    pub(super) fn empty() -> Self {
        Self { private: None, public: None }
    }

    pub(super) fn generate() -> Result<Self, Unspecified> {
        let (private, public) = P::generate()?;
        Ok(Self { private: Some(Arc::new(private)), public: Some(public.into()) })
    }

    /// Makes the key a public one; false if it cannot be one.
    pub(super) fn set_public(&mut self, bytes: &[u8]) -> bool {
        let fits = bytes.len() == P::PUBLIC;
        if fits {
            *self = Self { private: None, public: Some(bytes.into()) };
        }
        fits
    }
}

impl<P> Clone for Key<P> {
    fn clone(&self) -> Self {
        Self { private: self.private.clone(), public: self.public.clone() }
    }
}
