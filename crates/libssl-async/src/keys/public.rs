//! The public half of a remote key, which says what answers have to be.

use foreign_types::ForeignTypeRef;
use libssl_async_sys as sys;
use openssl::bn::{BigNum, BigNumContext, BigNumRef};
use openssl::ecdsa::EcdsaSig;
use openssl::error::ErrorStack;
use openssl::md::Md;
use openssl::md_ctx::MdCtx;
use openssl::nid::Nid;
use openssl::pkey::{HasPublic, PKey, PKeyRef, Public};
use openssl::pkey_ctx::PkeyCtxRef;
use openssl::rsa;
use openssl::sign::RsaPssSaltlen;
use openssl_sys as ffi;

use super::call::Outcome;
use super::kind::Kind;
use super::scheme::Padding;
use super::{KeyError, RemoteKeyError, SignatureScheme};

/// The public half of a remote key.
pub(super) struct PublicKey {
    pub(super) kind: Kind,
    /// Held by the default provider.
    pub(super) key: PKey<Public>,
    /// The order of the curve of an EC key.
    order: Option<BigNum>,
}

impl PublicKey {
    pub(super) fn new<T: HasPublic>(key: &PKeyRef<T>) -> Result<Self, RemoteKeyError> {
        let key = PKey::public_key_from_der(&key.public_key_to_der()?)?;
        let kind = Kind::of(&key).ok_or(RemoteKeyError::UnsupportedKey)?;
        let order = if kind == Kind::Ec { Some(order(&key)?) } else { None };
        Ok(Self { kind, key, order })
    }

    /// The most bytes that a signature has; for RSA those of the modulus.
    pub(super) fn size(&self) -> usize {
        self.key.size()
    }

    /// Checks the raw result of RSA.
    pub(super) fn check_raw(&self, answer: Vec<u8>) -> Outcome {
        of_length(self.size(), answer)
    }

    /// Checks the form of a signature, which comes out as TLS has it.
    pub(super) fn check_signature(&self, format: SignatureFormat, answer: Vec<u8>) -> Outcome {
        let Some(order) = &self.order else { return of_length(self.size(), answer) };
        let signature = match format {
            SignatureFormat::Der => EcdsaSig::from_der(&answer),
            SignatureFormat::IeeeP1363 => {
                let half = order.num_bytes() as usize;
                let answer = of_length(2 * half, answer)?;
                let (r, s) = answer.split_at(half);
                return encode(order, from_halves(r, s)).ok_or(KeyError::MalformedSignature);
            }
        };
        // Other encodings of the same numbers, and bytes after them, are refused.
        encode(order, signature).filter(|der| *der == answer).ok_or(KeyError::MalformedSignature)
    }

    /// Whether `signature` fits the key.
    pub(super) fn verifies(&self, scheme: SignatureScheme, signature: &[u8], message: &[u8]) -> bool {
        let verifier = self.verifier(scheme, |_| Ok(()));
        verifier.and_then(|(mut verifier, ())| verifier.digest_verify(message, signature)).unwrap_or(false)
    }

    /// Whether the key may be used for the scheme: its type says, and an RSA-PSS key may bring restrictions of its own.
    pub(super) fn allows(&self, scheme: SignatureScheme) -> bool {
        scheme.fits(self.kind) && (self.kind != Kind::RsaPss || self.verifier(scheme, |_| Ok(())).is_ok())
    }

    /// The DER of the `AlgorithmIdentifier` that certificates name the scheme with.
    pub(super) fn algorithm_id(&self, scheme: SignatureScheme) -> Result<Vec<u8>, ErrorStack> {
        let (_, id) = self.verifier(scheme, |context| {
            let mut id = vec![0; 128];
            // SAFETY: the context, the name and the buffer are valid throughout.
            unsafe {
                let name = sys::OSSL_SIGNATURE_PARAM_ALGORITHM_ID.as_ptr();
                let parameter = ffi::OSSL_PARAM_construct_octet_string(name, id.as_mut_ptr().cast(), id.len());
                let mut parameters = [parameter, ffi::OSSL_PARAM_construct_end()];
                if ffi::EVP_PKEY_CTX_get_params(context.as_ptr(), parameters.as_mut_ptr()) != 1 {
                    return Err(ErrorStack::get());
                }
                id.truncate(parameters[0].return_size);
            }
            Ok(id)
        })?;
        Ok(id)
    }

    /// A context for verification, and what `inspect` makes of it.
    fn verifier<T>(
        &self,
        scheme: SignatureScheme,
        inspect: impl FnOnce(&mut PkeyCtxRef<Public>) -> Result<T, ErrorStack>,
    ) -> Result<(MdCtx, T), ErrorStack> {
        let mut verifier = MdCtx::new()?;
        let digest = scheme.digest().and_then(|digest| Md::from_nid(digest.message_digest().type_()));
        let context = verifier.digest_verify_init(digest, &self.key)?;
        if scheme.padding() == Some(Padding::Pss) {
            context.set_rsa_padding(rsa::Padding::PKCS1_PSS)?;
            context.set_rsa_pss_saltlen(RsaPssSaltlen::DIGEST_LENGTH)?;
        }
        let inspected = inspect(context)?;
        Ok((verifier, inspected))
    }
}

fn from_halves(r: &[u8], s: &[u8]) -> Result<EcdsaSig, ErrorStack> {
    EcdsaSig::from_private_components(BigNum::from_slice(r)?, BigNum::from_slice(s)?)
}

/// The DER of a signature whose numbers are in the range of the curve.
fn encode(order: &BigNumRef, signature: Result<EcdsaSig, ErrorStack>) -> Option<Vec<u8>> {
    let signature = signature.ok()?;
    let in_range = |number: &BigNumRef| number.num_bits() > 0 && !number.is_negative() && number < order;
    if in_range(signature.r()) && in_range(signature.s()) { signature.to_der().ok() } else { None }
}

/// The order of the curve, if certificates of TLS are on such curves.
fn order(key: &PKeyRef<Public>) -> Result<BigNum, RemoteKeyError> {
    let key = key.ec_key()?;
    let known = [Nid::X9_62_PRIME256V1, Nid::SECP384R1, Nid::SECP521R1];
    if !key.group().curve_name().is_some_and(|curve| known.contains(&curve)) {
        return Err(RemoteKeyError::UnsupportedKey);
    }
    let mut order = BigNum::new()?;
    key.group().order(&mut order, &mut *BigNumContext::new()?)?;
    Ok(order)
}

/// How a signer encodes ECDSA signatures.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum SignatureFormat {
    /// DER, as TLS has them.
    #[default]
    Der,
    /// Both numbers one after the other, each as long as the order of the curve, as IEEE P1363 has them.
    IeeeP1363,
}

fn of_length(expected: usize, answer: Vec<u8>) -> Outcome {
    if answer.len() == expected { Ok(answer) } else { Err(KeyError::WrongLength { expected, got: answer.len() }) }
}
