//! Keys and certificates, made on the spot.

use openssl::asn1::Asn1Time;
use openssl::bn::BigNum;
use openssl::error::ErrorStack;
use openssl::hash::MessageDigest;
use openssl::pkey::{PKey, Private};
use openssl::rsa::Rsa;
use openssl::x509::extension::{BasicConstraints, SubjectAlternativeName};
use openssl::x509::{X509, X509NameBuilder};

/// The type of all keys of a chain.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum KeyType {
    Rsa2048,
    P256,
}

impl KeyType {
    pub(crate) const ALL: [Self; 2] = [Self::Rsa2048, Self::P256];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Rsa2048 => "RSA-2048",
            Self::P256 => "P-256",
        }
    }

    fn generate(self) -> Result<PKey<Private>, ErrorStack> {
        match self {
            Self::Rsa2048 => PKey::from_rsa(Rsa::generate(2048)?),
            Self::P256 => PKey::ec_gen("P-256"),
        }
    }
}

/// A key and its certificate for `localhost`, issued by a root of the same type.
#[derive(Clone)]
pub(crate) struct Identity {
    pub(crate) key: PKey<Private>,
    pub(crate) certificate: X509,
    pub(crate) root: X509,
}

impl Identity {
    pub(crate) fn new(key_type: KeyType) -> Result<Self, ErrorStack> {
        let root_key = key_type.generate()?;
        let root = certificate("root", &root_key, "root", &root_key, true)?;
        let key = key_type.generate()?;
        let certificate = certificate("localhost", &key, "root", &root_key, false)?;
        Ok(Self { key, certificate, root })
    }
}

fn certificate(
    subject: &str,
    key: &PKey<Private>,
    issuer: &str,
    issuer_key: &PKey<Private>,
    authority: bool,
) -> Result<X509, ErrorStack> {
    let name = |name: &str| {
        let mut builder = X509NameBuilder::new()?;
        builder.append_entry_by_text("CN", name)?;
        Ok::<_, ErrorStack>(builder.build())
    };
    let mut builder = X509::builder()?;
    builder.set_version(2)?;
    let (serial, subject_name, issuer_name) = (BigNum::from_u32(1)?.to_asn1_integer()?, name(subject)?, name(issuer)?);
    let (start, end) = (Asn1Time::days_from_now(0)?, Asn1Time::days_from_now(2)?);
    builder.set_serial_number(&serial)?;
    builder.set_subject_name(&subject_name)?;
    builder.set_issuer_name(&issuer_name)?;
    builder.set_pubkey(key)?;
    builder.set_not_before(&start)?;
    builder.set_not_after(&end)?;
    if authority {
        builder.append_extension(BasicConstraints::new().critical().ca().build()?)?;
    } else {
        let names = SubjectAlternativeName::new().dns(subject).build(&builder.x509v3_context(None, None))?;
        builder.append_extension(names)?;
    }
    builder.sign(issuer_key, MessageDigest::sha256())?;
    Ok(builder.build())
}
