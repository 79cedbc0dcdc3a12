//! The types of keys that can be remote.

use std::ffi::CStr;

use foreign_types::ForeignTypeRef;
use openssl::pkey::{HasPublic, PKeyRef};
use openssl_sys as ffi;

/// The type of a key, as libcrypto tells them apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Ec,
    Ed25519,
    Ed448,
    MlDsa44,
    MlDsa65,
    MlDsa87,
    Rsa,
    RsaPss,
}

impl Kind {
    /// All types, each at the place that it has as a number.
    pub(super) const ALL: [Self; 8] =
        [Self::Ec, Self::Ed25519, Self::Ed448, Self::MlDsa44, Self::MlDsa65, Self::MlDsa87, Self::Rsa, Self::RsaPss];

    /// The type of `key`, if it is one of these.
    pub(super) fn of<T: HasPublic>(key: &PKeyRef<T>) -> Option<Self> {
        // SAFETY: the key and the name are valid.
        let is_a = |kind: &Self| unsafe { ffi::EVP_PKEY_is_a(key.as_ptr(), kind.name().as_ptr()) } == 1;
        Self::ALL.into_iter().find(is_a)
    }

    /// The name by which keys of this type are made.
    pub(super) const fn name(self) -> &'static CStr {
        match self {
            Self::Ec => c"EC",
            Self::Ed25519 => c"ED25519",
            Self::Ed448 => c"ED448",
            Self::MlDsa44 => c"ML-DSA-44",
            Self::MlDsa65 => c"ML-DSA-65",
            Self::MlDsa87 => c"ML-DSA-87",
            Self::Rsa => c"RSA",
            Self::RsaPss => c"RSA-PSS",
        }
    }

    /// All names of the type. By one of the aliases libssl finds the place for a certificate of this type.
    pub(super) const fn names(self) -> &'static CStr {
        match self {
            Self::Ec => c"EC:id-ecPublicKey:1.2.840.10045.2.1",
            Self::Ed25519 => c"ED25519:1.3.101.112",
            Self::Ed448 => c"ED448:1.3.101.113",
            Self::MlDsa44 => c"ML-DSA-44:MLDSA44:2.16.840.1.101.3.4.3.17:id-ml-dsa-44",
            Self::MlDsa65 => c"ML-DSA-65:MLDSA65:2.16.840.1.101.3.4.3.18:id-ml-dsa-65",
            Self::MlDsa87 => c"ML-DSA-87:MLDSA87:2.16.840.1.101.3.4.3.19:id-ml-dsa-87",
            Self::Rsa => c"RSA:rsaEncryption:1.2.840.113549.1.1.1",
            Self::RsaPss => c"RSA-PSS:RSASSA-PSS:1.2.840.113549.1.1.10",
        }
    }

    /// The name of the signature algorithm for keys of this type.
    pub(super) const fn signature(self) -> &'static CStr {
        match self {
            Self::Ec => c"ECDSA",
            Self::RsaPss => c"RSA",
            other => other.name(),
        }
    }
}
