//! What remote RSA keys decrypt, outside of any job.

mod local_key;

use std::future::ready;

use foreign_types::ForeignTypeRef;
use libssl_async::keys::{BoxError, RemoteKey};
use libssl_async_sys as sys;
use openssl::error::ErrorStack;
use openssl::pkey::{PKey, Private};
use openssl::pkey_ctx::PkeyCtx;
use openssl::rsa::Padding;

const TLS_1_2: u16 = 0x0303;
const TLS_1_1: u16 = 0x0302;

#[test]
fn the_secret_of_a_client_comes_out() {
    let local = local_key::rsa();
    let remote = remote(&local);
    let secret = secret(TLS_1_2);
    let ciphertext = encrypt(&local, &secret);
    assert_eq!(decrypt(&remote, &ciphertext, TLS_1_2, None).unwrap(), secret);
    // As libcrypto itself.
    assert_eq!(decrypt(&local, &ciphertext, TLS_1_2, None).unwrap(), secret);
}

#[test]
fn what_is_wrong_comes_out_as_random_bytes() {
    let local = local_key::rsa();
    let remote = remote(&local);
    let secret = secret(TLS_1_2);
    let padded = |change: &dyn Fn(&mut [u8])| {
        let mut padded = vec![0x55; 256];
        padded[..2].copy_from_slice(&[0, 2]);
        padded[256 - 49] = 0;
        padded[256 - 48..].copy_from_slice(&secret);
        change(&mut padded);
        let mut ciphertext = vec![0; 256];
        local.rsa().unwrap().public_encrypt(&padded, &mut ciphertext, Padding::NONE).unwrap();
        ciphertext
    };
    assert_eq!(decrypt(&remote, &padded(&|_| {}), TLS_1_2, None).unwrap(), secret);
    let wrong = [(0, 1), (1, 1), (2, 0), (100, 0), (256 - 49, 1), (256 - 48, 4), (256 - 47, 2)];
    for (place, byte) in wrong {
        let ciphertext = padded(&|padded| padded[place] = byte);
        let one = decrypt(&remote, &ciphertext, TLS_1_2, None).unwrap();
        let other = decrypt(&remote, &ciphertext, TLS_1_2, None).unwrap();
        assert_eq!(one.len(), 48);
        assert_ne!(one[2..], secret[2..], "byte {place}");
        assert_ne!(one, other, "byte {place}");
    }
}

#[test]
fn the_negotiated_version_is_tolerated_only_if_it_is_told() {
    let local = local_key::rsa();
    let remote = remote(&local);
    let secret = secret(TLS_1_1);
    let ciphertext = encrypt(&local, &secret);
    assert_ne!(decrypt(&remote, &ciphertext, TLS_1_2, None).unwrap(), secret);
    assert_eq!(decrypt(&remote, &ciphertext, TLS_1_2, Some(TLS_1_1)).unwrap(), secret);
    assert_ne!(decrypt(&remote, &ciphertext, TLS_1_2, Some(0)).unwrap(), secret);
}

#[test]
fn raw_decryption_keeps_the_padding_and_pkcs1_alone_is_refused() {
    let local = local_key::rsa();
    let remote = remote(&local);
    let ciphertext = encrypt(&local, b"message");
    let with = |padding| {
        let mut context = PkeyCtx::new(&remote).unwrap();
        context.decrypt_init().unwrap();
        context.set_rsa_padding(padding).unwrap();
        let mut plain = Vec::new();
        context.decrypt_to_vec(&ciphertext, &mut plain).map(|_| plain)
    };
    let raw = with(Padding::NONE).unwrap();
    assert_eq!((raw.len(), &raw[..2], &raw[256 - 8..]), (256, &[0, 2][..], &b"\0message"[..]));
    with(Padding::PKCS1).unwrap_err();
}

#[test]
fn failures_are_told() {
    let local = local_key::rsa();
    let ciphertext = encrypt(&local, &secret(TLS_1_2));
    let told = |key: &PKey<Private>, ciphertext: &[u8]| {
        decrypt(key, ciphertext, TLS_1_2, None).unwrap_err().errors()[0].data().unwrap().to_owned()
    };
    let builder = || RemoteKey::builder(&local).sign_fn(|_| ready(Err::<Vec<u8>, _>("not asked for")));
    assert_eq!(told(&builder().build().unwrap(), &ciphertext), "the key cannot do this");
    let short = builder().decrypt_fn(|_| ready(Ok::<_, BoxError>(vec![0; 48]))).build().unwrap();
    assert_eq!(told(&short, &ciphertext), "the answer has 48 bytes in place of 256");
    let failing = builder().decrypt_fn(|_| ready(Err::<Vec<u8>, _>("unplugged"))).build().unwrap();
    assert_eq!(told(&failing, &ciphertext), "the signer failed: unplugged");
    assert_eq!(told(&remote(&local), &ciphertext[1..]), "a length is wrong");

    let pss = local_key::rsa_pss();
    let pss = RemoteKey::builder(&pss).sign_fn(|_| ready(Err::<Vec<u8>, _>("not asked for"))).build().unwrap();
    PkeyCtx::new(&pss).unwrap().decrypt_init().unwrap_err();
}

fn remote(local: &PKey<Private>) -> PKey<Private> {
    let signer = local.clone();
    RemoteKey::builder(local)
        .sign_fn(|_| ready(Err::<Vec<u8>, _>("not asked for")))
        .decrypt_fn(move |request| ready(Ok::<_, BoxError>(local_key::decrypt_raw(&signer, &request.ciphertext))))
        .build()
        .unwrap()
}

fn secret(version: u16) -> Vec<u8> {
    let mut secret = version.to_be_bytes().to_vec();
    secret.extend(1..=46);
    secret
}

fn encrypt(key: &PKey<Private>, plain: &[u8]) -> Vec<u8> {
    let mut ciphertext = vec![0; 256];
    key.rsa().unwrap().public_encrypt(plain, &mut ciphertext, Padding::PKCS1).unwrap();
    ciphertext
}

/// Decrypts as libssl does for the RSA key exchange.
fn decrypt(
    key: &PKey<Private>,
    ciphertext: &[u8],
    client_version: u16,
    negotiated_version: Option<u16>,
) -> Result<Vec<u8>, ErrorStack> {
    let mut context = PkeyCtx::new(key)?;
    context.decrypt_init()?;
    context.set_rsa_padding(Padding::from_raw(sys::RSA_PKCS1_WITH_TLS_PADDING))?;
    let (mut client, mut negotiated) = (client_version.into(), negotiated_version.unwrap_or_default().into());
    // SAFETY: context, names and numbers are valid throughout.
    unsafe {
        let end = openssl_sys::OSSL_PARAM_construct_end;
        let number = openssl_sys::OSSL_PARAM_construct_uint;
        let parameters = [
            number(sys::OSSL_ASYM_CIPHER_PARAM_TLS_CLIENT_VERSION.as_ptr(), &mut client),
            match negotiated_version {
                Some(_) => number(sys::OSSL_ASYM_CIPHER_PARAM_TLS_NEGOTIATED_VERSION.as_ptr(), &mut negotiated),
                None => end(),
            },
            end(),
        ];
        assert_eq!(openssl_sys::EVP_PKEY_CTX_set_params(context.as_ptr(), parameters.as_ptr()), 1);
    }
    let mut plain = vec![0; 48];
    let length = context.decrypt(ciphertext, Some(&mut plain))?;
    assert_eq!(length, 48);
    Ok(plain)
}
