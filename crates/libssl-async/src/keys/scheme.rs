//! Signature schemes of TLS.

use std::fmt;

use openssl::hash::MessageDigest;
use openssl::nid::Nid;

use super::kind::Kind;

macro_rules! schemes {
    ($($(#[$doc:meta])* $variant:ident = $name:literal: $family:expr, $digest:expr;)*) => {
        /// How a signature is made, by its name in TLS.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        #[non_exhaustive]
        pub enum SignatureScheme {
            $($(#[$doc])* $variant,)*
        }

        impl SignatureScheme {
            /// All schemes.
            pub(super) fn all() -> impl Iterator<Item = Self> {
                [$(Self::$variant),*].into_iter()
            }

            /// The name that TLS gives the scheme.
            ///
            /// Except for `rsa_pkcs1_md5_sha1`, which TLS 1.1 uses without naming it, it is one of those that
            /// `SSL_CTX_set1_sigalgs_list` takes.
            pub const fn name(self) -> &'static str {
                match self { $(Self::$variant => $name,)* }
            }

            /// The digest that is signed; `None` where the message itself is.
            pub const fn digest(self) -> Option<DigestAlgorithm> {
                match self { $(Self::$variant => $digest,)* }
            }

            const fn family(self) -> Family {
                match self { $(Self::$variant => $family,)* }
            }
        }
    };
}

schemes! {
    /// ECDSA with SHA-256, on P-256 unless TLS 1.2 pairs it with another curve.
    EcdsaSecp256r1Sha256 = "ecdsa_secp256r1_sha256": Family::Ecdsa, Some(DigestAlgorithm::Sha256);
    /// ECDSA with SHA-384, on P-384 unless TLS 1.2 pairs it with another curve.
    EcdsaSecp384r1Sha384 = "ecdsa_secp384r1_sha384": Family::Ecdsa, Some(DigestAlgorithm::Sha384);
    /// ECDSA with SHA-512, on P-521 unless TLS 1.2 pairs it with another curve.
    EcdsaSecp521r1Sha512 = "ecdsa_secp521r1_sha512": Family::Ecdsa, Some(DigestAlgorithm::Sha512);
    /// ECDSA with SHA-1, up to TLS 1.2.
    EcdsaSha1 = "ecdsa_sha1": Family::Ecdsa, Some(DigestAlgorithm::Sha1);
    /// ECDSA with SHA-224, only in TLS 1.2.
    EcdsaSha224 = "ecdsa_sha224": Family::Ecdsa, Some(DigestAlgorithm::Sha224);
    /// Ed25519, of the message.
    Ed25519 = "ed25519": Family::Pure(Kind::Ed25519), None;
    /// Ed448, of the message.
    Ed448 = "ed448": Family::Pure(Kind::Ed448), None;
    /// ML-DSA-44 with an empty context, of the message.
    Mldsa44 = "mldsa44": Family::Pure(Kind::MlDsa44), None;
    /// ML-DSA-65 with an empty context, of the message.
    Mldsa65 = "mldsa65": Family::Pure(Kind::MlDsa65), None;
    /// ML-DSA-87 with an empty context, of the message.
    Mldsa87 = "mldsa87": Family::Pure(Kind::MlDsa87), None;
    /// RSA with PKCS #1 v1.5 padding of MD5 and SHA-1 without a DigestInfo, up to TLS 1.1.
    RsaPkcs1Md5Sha1 = "rsa_pkcs1_md5_sha1": Family::Rsa(Padding::Pkcs1), Some(DigestAlgorithm::Md5Sha1);
    /// RSA with PKCS #1 v1.5 padding and SHA-1, only in TLS 1.2.
    RsaPkcs1Sha1 = "rsa_pkcs1_sha1": Family::Rsa(Padding::Pkcs1), Some(DigestAlgorithm::Sha1);
    /// RSA with PKCS #1 v1.5 padding and SHA-224, only in TLS 1.2.
    RsaPkcs1Sha224 = "rsa_pkcs1_sha224": Family::Rsa(Padding::Pkcs1), Some(DigestAlgorithm::Sha224);
    /// RSA with PKCS #1 v1.5 padding and SHA-256, only in TLS 1.2.
    RsaPkcs1Sha256 = "rsa_pkcs1_sha256": Family::Rsa(Padding::Pkcs1), Some(DigestAlgorithm::Sha256);
    /// RSA with PKCS #1 v1.5 padding and SHA-384, only in TLS 1.2.
    RsaPkcs1Sha384 = "rsa_pkcs1_sha384": Family::Rsa(Padding::Pkcs1), Some(DigestAlgorithm::Sha384);
    /// RSA with PKCS #1 v1.5 padding and SHA-512, only in TLS 1.2.
    RsaPkcs1Sha512 = "rsa_pkcs1_sha512": Family::Rsa(Padding::Pkcs1), Some(DigestAlgorithm::Sha512);
    /// RSA-PSS with SHA-256, MGF1 with SHA-256 and 32 bytes of salt, with a key of type RSA-PSS.
    RsaPssPssSha256 = "rsa_pss_pss_sha256": Family::RsaPss, Some(DigestAlgorithm::Sha256);
    /// RSA-PSS with SHA-384, MGF1 with SHA-384 and 48 bytes of salt, with a key of type RSA-PSS.
    RsaPssPssSha384 = "rsa_pss_pss_sha384": Family::RsaPss, Some(DigestAlgorithm::Sha384);
    /// RSA-PSS with SHA-512, MGF1 with SHA-512 and 64 bytes of salt, with a key of type RSA-PSS.
    RsaPssPssSha512 = "rsa_pss_pss_sha512": Family::RsaPss, Some(DigestAlgorithm::Sha512);
    /// RSA-PSS with SHA-256, MGF1 with SHA-256 and 32 bytes of salt, with an ordinary RSA key.
    RsaPssRsaeSha256 = "rsa_pss_rsae_sha256": Family::Rsa(Padding::Pss), Some(DigestAlgorithm::Sha256);
    /// RSA-PSS with SHA-384, MGF1 with SHA-384 and 48 bytes of salt, with an ordinary RSA key.
    RsaPssRsaeSha384 = "rsa_pss_rsae_sha384": Family::Rsa(Padding::Pss), Some(DigestAlgorithm::Sha384);
    /// RSA-PSS with SHA-512, MGF1 with SHA-512 and 64 bytes of salt, with an ordinary RSA key.
    RsaPssRsaeSha512 = "rsa_pss_rsae_sha512": Family::Rsa(Padding::Pss), Some(DigestAlgorithm::Sha512);
}

impl SignatureScheme {
    /// The scheme with this name, as [`SignatureScheme::name`] gives it.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::all().find(|scheme| scheme.name() == name)
    }

    /// Whether keys of `kind` sign like this.
    pub(super) fn fits(self, kind: Kind) -> bool {
        match self.family() {
            Family::Ecdsa => kind == Kind::Ec,
            Family::Pure(only) => kind == only,
            Family::Rsa(_) => kind == Kind::Rsa,
            Family::RsaPss => kind == Kind::RsaPss,
        }
    }

    /// The padding of an RSA signature.
    pub(super) fn padding(self) -> Option<Padding> {
        match self.family() {
            Family::Rsa(padding) => Some(padding),
            Family::RsaPss => Some(Padding::Pss),
            Family::Ecdsa | Family::Pure(_) => None,
        }
    }
}

impl fmt::Display for SignatureScheme {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.name())
    }
}

/// Which keys a scheme is for.
#[derive(Clone, Copy)]
enum Family {
    Ecdsa,
    Pure(Kind),
    Rsa(Padding),
    RsaPss,
}

/// The padding of RSA signatures.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Padding {
    Pkcs1,
    Pss,
}

/// The digest of a [`SignatureScheme`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum DigestAlgorithm {
    /// MD5 and SHA-1, one after the other: 36 bytes.
    Md5Sha1,
    /// SHA-1.
    Sha1,
    /// SHA-224.
    Sha224,
    /// SHA-256.
    Sha256,
    /// SHA-384.
    Sha384,
    /// SHA-512.
    Sha512,
}

impl DigestAlgorithm {
    /// All of them, with the names that libcrypto has for them: the first is what [`DigestAlgorithm::name`] gives.
    const NAMES: [(Self, &[&str]); 6] = [
        (Self::Md5Sha1, &["md5-sha1"]),
        (Self::Sha1, &["sha1", "SHA-1", "SSL3-SHA1"]),
        (Self::Sha224, &["sha224", "SHA2-224", "SHA-224"]),
        (Self::Sha256, &["sha256", "SHA2-256", "SHA-256"]),
        (Self::Sha384, &["sha384", "SHA2-384", "SHA-384"]),
        (Self::Sha512, &["sha512", "SHA2-512", "SHA-512"]),
    ];

    /// The name, as OpenSSL and Node take it: `sha256`.
    pub fn name(self) -> &'static str {
        Self::NAMES.iter().find(|(digest, _)| *digest == self).expect("every digest is in the table").1[0]
    }

    /// The digest with one of the names that libcrypto has for it, in any case.
    pub(super) fn from_name(name: &str) -> Option<Self> {
        let known = |names: &[&str]| names.iter().any(|known| known.eq_ignore_ascii_case(name));
        Self::NAMES.iter().find(|(_, names)| known(names)).map(|(digest, _)| *digest)
    }

    /// The digest of the `openssl` crate.
    pub fn message_digest(self) -> MessageDigest {
        match self {
            Self::Md5Sha1 => MessageDigest::from_nid(Nid::MD5_SHA1).expect("libcrypto names MD5-SHA1"),
            Self::Sha1 => MessageDigest::sha1(),
            Self::Sha224 => MessageDigest::sha224(),
            Self::Sha256 => MessageDigest::sha256(),
            Self::Sha384 => MessageDigest::sha384(),
            Self::Sha512 => MessageDigest::sha512(),
        }
    }
}
