//! What remote keys sign, outside of any job.

mod local_key;

use std::sync::{Arc, Mutex};

use foreign_types::ForeignTypeRef;
use libssl_async::keys::{
    BoxError, KeyError, RemoteKey, RemoteKeyError, SignRequest, SignatureFormat, SignatureScheme,
};
use libssl_async::keys::{RemoteKeyBuilder, sigalgs_list};
use openssl::asn1::Asn1Time;
use openssl::bn::BigNum;
use openssl::ecdsa::EcdsaSig;
use openssl::hash::MessageDigest;
use openssl::nid::Nid;
use openssl::pkey::{Id, PKey, Private};
use openssl::rsa::Padding;
use openssl::sign::{RsaPssSaltlen, Signer, Verifier};
use openssl::ssl::{SslContext, SslMethod};
use openssl::x509::{X509, X509Name};

/// Every scheme with the key that it is for and the digest that is asked for; `pss` for PSS padding.
const SCHEMES: &[(&str, &str, Option<&str>, bool)] = &[
    ("RSA", "rsa_pkcs1_md5_sha1", Some("MD5-SHA1"), false),
    ("RSA", "rsa_pkcs1_sha1", Some("SHA1"), false),
    ("RSA", "rsa_pkcs1_sha224", Some("SHA224"), false),
    ("RSA", "rsa_pkcs1_sha256", Some("SHA256"), false),
    ("RSA", "rsa_pkcs1_sha384", Some("SHA384"), false),
    ("RSA", "rsa_pkcs1_sha512", Some("SHA512"), false),
    ("RSA", "rsa_pss_rsae_sha256", Some("SHA256"), true),
    ("RSA", "rsa_pss_rsae_sha384", Some("SHA384"), true),
    ("RSA", "rsa_pss_rsae_sha512", Some("SHA512"), true),
    ("RSA-PSS", "rsa_pss_pss_sha256", Some("SHA256"), true),
    ("RSA-PSS", "rsa_pss_pss_sha384", Some("SHA384"), true),
    ("RSA-PSS", "rsa_pss_pss_sha512", Some("SHA512"), true),
    ("P-256", "ecdsa_sha1", Some("SHA1"), false),
    ("P-256", "ecdsa_sha224", Some("SHA224"), false),
    ("P-256", "ecdsa_secp256r1_sha256", Some("SHA256"), false),
    ("P-384", "ecdsa_secp384r1_sha384", Some("SHA384"), false),
    ("P-521", "ecdsa_secp521r1_sha512", Some("SHA512"), false),
    // TLS 1.2 does not bind the curve to the digest.
    ("P-256", "ecdsa_secp384r1_sha384", Some("SHA384"), false),
    ("P-521", "ecdsa_secp256r1_sha256", Some("SHA256"), false),
    ("Ed25519", "ed25519", None, false),
    ("Ed448", "ed448", None, false),
    ("ML-DSA-44", "mldsa44", None, false),
    ("ML-DSA-65", "mldsa65", None, false),
    ("ML-DSA-87", "mldsa87", None, false),
];

const MESSAGE: &[u8] = b"what is to be signed";

#[test]
fn every_scheme_signs() {
    let keys = local_key::all();
    for (name, scheme, digest, pss) in SCHEMES {
        let Some((_, local)) = keys.iter().find(|(key, _)| key == name) else { continue };
        let requests = Arc::new(Mutex::new(Vec::new()));
        let (signer, seen) = (local.clone(), Arc::clone(&requests));
        let remote = RemoteKey::builder(local)
            .sign_fn(move |request| {
                let signature = local_key::sign(&signer, request.scheme.name(), &request.message);
                seen.lock().unwrap().push(request);
                async move { Ok::<_, KeyError>(signature) }
            })
            .build()
            .unwrap();

        let digest = digest.map(|digest| MessageDigest::from_name(digest).unwrap());
        for in_pieces in [false, true] {
            let signature = {
                let mut signer = signer_of(&remote, digest, *pss);
                if in_pieces {
                    for piece in MESSAGE.chunks(7) {
                        signer.update(piece).unwrap();
                    }
                    signer.sign_to_vec().unwrap()
                } else {
                    signer.sign_oneshot_to_vec(MESSAGE).unwrap()
                }
            };
            assert!(verify(local, digest, *pss, &signature), "{name} with {scheme}, in pieces: {in_pieces}");
        }

        for request in requests.lock().unwrap().drain(..) {
            let SignRequest { scheme: asked, digest: hash, message, connection, cancellation, .. } = request;
            assert_eq!(asked.name(), *scheme);
            assert_eq!(SignatureScheme::from_name(scheme), Some(asked));
            assert_eq!(message, MESSAGE);
            assert_eq!(hash.is_some(), digest.is_some());
            if let (Some(hash), Some(digest)) = (hash, digest) {
                assert_eq!(hash.algorithm.message_digest().type_(), digest.type_());
                assert_eq!(hash.bytes, &*openssl::hash::hash(digest, MESSAGE).unwrap());
            }
            assert_eq!(connection, None);
            assert!(!cancellation.is_cancelled());
        }
    }
}

#[test]
fn the_key_fits_its_certificate() {
    for (name, local) in local_key::all() {
        let remote = local_builder(&local).build().unwrap();
        let certificate = certificate(&local);
        let mut context = SslContext::builder(SslMethod::tls()).unwrap();
        context.set_certificate(&certificate).unwrap();
        context.set_private_key(&remote).unwrap_or_else(|error| panic!("{name}: {error}"));
        context.check_private_key().unwrap_or_else(|error| panic!("{name}: {error}"));

        assert!(remote.public_eq(&certificate.public_key().unwrap()), "{name}");
        assert!(certificate.public_key().unwrap().public_eq(&remote), "{name}");
        assert!(remote.public_eq(&local_builder(&local).build().unwrap()), "{name}");
        assert!(!remote.public_eq(&local_key::ec("P-256")), "{name}");
        assert_eq!((remote.size(), remote.bits()), (local.size(), local.bits()), "{name}");
        assert_eq!(remote.security_bits(), local.security_bits(), "{name}");
        assert_eq!(remote.public_key_to_der().unwrap(), local.public_key_to_der().unwrap(), "{name}");
        remote.private_key_to_pkcs8().expect_err(name);
    }
}

#[test]
fn certificates_are_signed() {
    for (name, local) in local_key::all() {
        let remote = local_builder(&local).build().unwrap();
        let certificate = certificate_signed_by(&local, &remote);
        assert!(certificate.verify(&local).unwrap(), "{name}");
        let by_libcrypto = certificate_signed_by(&local, &local);
        let algorithm = |certificate: &X509| certificate.signature_algorithm().object().to_string();
        assert_eq!(algorithm(&certificate), algorithm(&by_libcrypto), "{name}");
    }
}

#[test]
fn another_key_does_not_fit_the_certificate() {
    for (name, local) in local_key::all() {
        let other = local_key::all().into_iter().find(|(other, _)| *other == name).unwrap().1;
        // ML-DSA keys come from a fixed seed.
        if other.public_eq(&local) {
            continue;
        }
        let remote = local_builder(&other).build().unwrap();
        let mut context = SslContext::builder(SslMethod::tls()).unwrap();
        context.set_certificate(&certificate(&local)).unwrap();
        context.set_private_key(&remote).expect_err(name);
    }
}

#[test]
fn signatures_of_ieee_p1363_become_der() {
    for curve in ["P-256", "P-384", "P-521"] {
        let local = local_key::ec(curve);
        let signer = local.clone();
        let half = local.bits().div_ceil(8) as usize;
        let remote = RemoteKey::builder(&local)
            .signature_format(SignatureFormat::IeeeP1363)
            .sign_fn(move |request| {
                let signature = local_key::sign(&signer, request.scheme.name(), &request.message);
                let signature = EcdsaSig::from_der(&signature).unwrap();
                let part = |number: &openssl::bn::BigNumRef| number.to_vec_padded(half as i32).unwrap();
                let answer = [part(signature.r()), part(signature.s())].concat();
                async move { Ok::<_, KeyError>(answer) }
            })
            .build()
            .unwrap();
        let digest = Some(MessageDigest::sha256());
        let signature = signer_of(&remote, digest, false).sign_oneshot_to_vec(MESSAGE).unwrap();
        assert!(verify(&local, digest, false, &signature), "{curve}");
    }
}

#[test]
fn a_narrowed_key_signs_nothing_else() {
    let local = local_key::rsa();
    let schemes = [SignatureScheme::RsaPssRsaeSha384, SignatureScheme::RsaPkcs1Md5Sha1];
    let remote = local_builder(&local).schemes(schemes).build().unwrap();
    assert_eq!(sigalgs_list(&remote).as_deref(), Some("rsa_pss_rsae_sha384"));

    let sha384 = Some(MessageDigest::sha384());
    let signature = signer_of(&remote, sha384, true).sign_oneshot_to_vec(MESSAGE).unwrap();
    assert!(verify(&local, sha384, true, &signature));
    // libssl asks by digest, and is told no.
    assert!(Signer::new(MessageDigest::sha256(), &remote).is_err());
    signer_of(&remote, sha384, false).sign_oneshot_to_vec(MESSAGE).unwrap_err();

    assert_eq!(sigalgs_list(&local_builder(&local).build().unwrap()), None);
    assert_eq!(sigalgs_list(&local), None);
}

#[test]
fn pss_has_the_settings_of_tls_or_fails() {
    let remote = local_builder(&local_key::rsa()).build().unwrap();
    let with = |set: &dyn Fn(&mut Signer<'_>)| {
        let mut signer = Signer::new(MessageDigest::sha256(), &remote).unwrap();
        signer.set_rsa_padding(Padding::PKCS1_PSS).unwrap();
        set(&mut signer);
        signer.sign_oneshot_to_vec(MESSAGE).is_ok()
    };
    assert!(with(&|_| {}));
    assert!(with(&|signer| signer.set_rsa_pss_saltlen(RsaPssSaltlen::custom(32)).unwrap()));
    assert!(with(&|signer| signer.set_rsa_mgf1_md(MessageDigest::sha256()).unwrap()));
    assert!(!with(&|signer| signer.set_rsa_pss_saltlen(RsaPssSaltlen::custom(20)).unwrap()));
    assert!(!with(&|signer| signer.set_rsa_mgf1_md(MessageDigest::sha1()).unwrap()));
    let mut signer = Signer::new(MessageDigest::sha256(), &remote).unwrap();
    signer.set_rsa_padding(Padding::PKCS1_PSS).unwrap();
    signer.set_rsa_pss_saltlen(RsaPssSaltlen::MAXIMUM_LENGTH).unwrap_err();
    signer.set_rsa_padding(Padding::NONE).unwrap_err();
}

#[test]
fn an_rsa_pss_key_keeps_its_restrictions() {
    let local = local_key::rsa_pss_for_sha384();
    let remote = local_builder(&local).build().unwrap();
    assert!(Signer::new(MessageDigest::sha256(), &remote).is_err());
    let sha384 = Some(MessageDigest::sha384());
    let signature = signer_of(&remote, sha384, true).sign_oneshot_to_vec(MESSAGE).unwrap();
    assert!(verify(&local, sha384, true, &signature));
    let other = SignatureScheme::RsaPssPssSha256;
    let refused = local_builder(&local).schemes([other]).build().unwrap_err();
    assert!(matches!(refused, RemoteKeyError::Scheme(Some(scheme)) if scheme == other));
}

#[test]
fn keys_that_cannot_be_made_say_why() {
    let error = |builder: RemoteKeyBuilder| builder.build().unwrap_err();
    let local = local_key::ec("P-256");
    assert!(matches!(error(RemoteKey::builder(&local)), RemoteKeyError::NoSigner));
    assert!(matches!(error(local_builder(&local).concurrency(0)), RemoteKeyError::Concurrency));
    assert!(matches!(error(local_builder(&local).schemes([])), RemoteKeyError::Scheme(None)));
    let other = SignatureScheme::RsaPssPssSha256;
    let refused = error(local_builder(&local).schemes([SignatureScheme::EcdsaSecp256r1Sha256, other]));
    assert!(matches!(refused, RemoteKeyError::Scheme(Some(scheme)) if scheme == other));
    for unsupported in [local_key::ec("secp256k1"), PKey::generate_x25519().unwrap()] {
        assert!(matches!(error(local_builder(&unsupported)), RemoteKeyError::UnsupportedKey));
    }
}

#[test]
fn the_signer_lives_as_long_as_the_key_and_its_copies() {
    let local = local_key::ec("P-256");
    let life = Arc::new(());
    let held = Arc::clone(&life);
    let remote = RemoteKey::builder(&local)
        .sign_fn(move |_| {
            let _held = &held;
            async { Err(KeyError::Unsupported) }
        })
        .build()
        .unwrap();
    // SAFETY: the key is valid, and the copy is owned by nobody else.
    let copy: PKey<Private> =
        unsafe { foreign_types::ForeignType::from_ptr(libssl_async_sys::EVP_PKEY_dup(remote.as_ptr())) };
    let mut context = SslContext::builder(SslMethod::tls()).unwrap();
    context.set_private_key(&copy).unwrap();
    let context = context.build();
    drop(remote);
    assert_eq!(Arc::strong_count(&life), 2);
    drop(copy);
    assert_eq!(Arc::strong_count(&life), 2);
    drop(context);
    assert_eq!(Arc::strong_count(&life), 1);
}

fn local_builder(local: &PKey<Private>) -> RemoteKeyBuilder {
    let signer = local.clone();
    RemoteKey::builder(local).sign_fn(move |request| {
        let signature = local_key::sign(&signer, request.scheme.name(), &request.message);
        async move { Ok::<_, BoxError>(signature) }
    })
}

fn signer_of(key: &PKey<Private>, digest: Option<MessageDigest>, pss: bool) -> Signer<'_> {
    let mut signer = match digest {
        Some(digest) => Signer::new(digest, key).unwrap(),
        None => Signer::new_without_digest(key).unwrap(),
    };
    if pss {
        signer.set_rsa_padding(Padding::PKCS1_PSS).unwrap();
        signer.set_rsa_pss_saltlen(RsaPssSaltlen::DIGEST_LENGTH).unwrap();
    }
    signer
}

fn verify(key: &PKey<Private>, digest: Option<MessageDigest>, pss: bool, signature: &[u8]) -> bool {
    let mut verifier = match digest {
        Some(digest) => Verifier::new(digest, key).unwrap(),
        None => Verifier::new_without_digest(key).unwrap(),
    };
    if pss {
        verifier.set_rsa_padding(Padding::PKCS1_PSS).unwrap();
        verifier.set_rsa_pss_saltlen(RsaPssSaltlen::DIGEST_LENGTH).unwrap();
    }
    verifier.verify_oneshot(signature, MESSAGE).unwrap()
}

fn certificate(key: &PKey<Private>) -> X509 {
    certificate_signed_by(key, &local_key::ec("P-256"))
}

fn certificate_signed_by(key: &PKey<Private>, signer: &PKey<Private>) -> X509 {
    let mut name = X509Name::builder().unwrap();
    name.append_entry_by_nid(Nid::COMMONNAME, "localhost").unwrap();
    let name = name.build();
    let mut certificate = X509::builder().unwrap();
    certificate.set_version(2).unwrap();
    certificate.set_serial_number(&BigNum::from_u32(1).unwrap().to_asn1_integer().unwrap()).unwrap();
    certificate.set_subject_name(&name).unwrap();
    certificate.set_issuer_name(&name).unwrap();
    certificate.set_pubkey(key).unwrap();
    certificate.set_not_before(&Asn1Time::days_from_now(0).unwrap()).unwrap();
    certificate.set_not_after(&Asn1Time::days_from_now(1).unwrap()).unwrap();
    let digest = match signer.id() {
        Id::RSA | Id::RSA_PSS | Id::EC => MessageDigest::sha256(),
        // SAFETY: EdDSA and ML-DSA sign without a digest, which is null in C.
        _ => unsafe { MessageDigest::from_ptr(std::ptr::null()) },
    };
    certificate.sign(signer, digest).unwrap();
    certificate.build()
}

/// libcrypto copies a key's parameters through one that has its type only, and nothing in it.
#[test]
fn parameters_are_copied_to_an_empty_key() {
    let local = local_key::all().into_iter().find(|(name, _)| *name == "P-256").unwrap().1;
    let key =
        RemoteKey::builder(&local).sign_fn(|_| async { Err::<Vec<u8>, BoxError>("not asked".into()) }).build().unwrap();
    // SAFETY: both keys are valid; the empty one is freed here.
    unsafe {
        let empty = openssl_sys::EVP_PKEY_new();
        assert_eq!(openssl_sys::EVP_PKEY_copy_parameters(empty, key.as_ptr()), 1);
        openssl_sys::EVP_PKEY_free(empty);
    }
}
