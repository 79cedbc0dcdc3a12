//! The functions that are macros in C, which the header check cannot see.

use foreign_types::ForeignTypeRef;
use libssl_async_sys::*;
use openssl::asn1::Asn1Time;
use openssl::ec::{EcGroup, EcKey};
use openssl::hash::MessageDigest;
use openssl::nid::Nid;
use openssl::pkey::{PKey, Private};
use openssl::ssl::{Ssl, SslContext, SslMethod, SslRef, SslStream};
use openssl::x509::{X509, X509Builder};
use std::ffi::{CStr, c_int, c_long};
use std::net::{TcpListener, TcpStream};
use std::thread;

#[test]
fn modes_are_set_and_cleared() {
    let context = SslContext::builder(SslMethod::tls()).unwrap();
    // SAFETY: the context is valid.
    let default = unsafe {
        openssl_sys::SSL_CTX_set_mode(context.as_ptr(), SSL_MODE_ASYNC);
        SSL_CTX_clear_mode(context.as_ptr(), SSL_MODE_ASYNC)
    };
    assert_eq!(default & SSL_MODE_ASYNC, 0);

    let ssl = Ssl::new(&context.build()).unwrap();
    let raw = ssl.as_ptr();
    // SAFETY: the SSL is valid and has no job.
    unsafe {
        assert_eq!(SSL_get_mode(raw), default);
        assert_eq!(SSL_set_mode(raw, SSL_MODE_ASYNC), default | SSL_MODE_ASYNC);
        assert_eq!(SSL_clear_mode(raw, SSL_MODE_ASYNC), default);
    }
}

#[test]
fn a_verification_can_ask_for_a_retry() {
    let ssl = Ssl::new(&SslContext::builder(SslMethod::tls()).unwrap().build()).unwrap();
    // SAFETY: the SSL is valid.
    assert_eq!(unsafe { SSL_set_retry_verify(ssl.as_ptr()) }, 1);
}

#[test]
fn group_and_digest_of_a_handshake_are_told() {
    let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let client = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
    let server = thread::spawn(move || {
        let (server, _) = listener.accept().unwrap();
        let mut stream = SslStream::new(Ssl::new(&server_context()).unwrap(), server).unwrap();
        stream.accept().unwrap();
        negotiated(stream.ssl(), SSL_get_signature_nid)
    });
    let context = SslContext::builder(SslMethod::tls_client()).unwrap().build();
    let mut stream = SslStream::new(Ssl::new(&context).unwrap(), client).unwrap();
    stream.connect().unwrap();

    let expected = ("x25519".to_owned(), Nid::SHA256);
    assert_eq!(negotiated(stream.ssl(), SSL_get_peer_signature_nid), expected);
    assert_eq!(server.join().unwrap(), expected);
}

/// The name of the group, and the digest of the server's signature.
fn negotiated(ssl: &SslRef, digest: unsafe fn(*mut SSL, *mut c_int) -> c_long) -> (String, Nid) {
    let mut nid = 0;
    // SAFETY: the SSL is valid; the name is a constant.
    unsafe {
        assert_eq!(digest(ssl.as_ptr(), &mut nid), 1);
        let group = c_int::try_from(SSL_get_negotiated_group(ssl.as_ptr())).unwrap();
        let name = CStr::from_ptr(SSL_group_to_name(ssl.as_ptr(), group));
        (name.to_str().unwrap().to_owned(), Nid::from_raw(nid))
    }
}

fn server_context() -> SslContext {
    let group = EcGroup::from_curve_name(Nid::X9_62_PRIME256V1).unwrap();
    let key = PKey::from_ec_key(EcKey::generate(&group).unwrap()).unwrap();
    let mut context = SslContext::builder(SslMethod::tls_server()).unwrap();
    context.set_groups_list("X25519").unwrap();
    context.set_certificate(&certificate(&key)).unwrap();
    context.set_private_key(&key).unwrap();
    context.build()
}

/// What a client accepts that verifies nothing.
fn certificate(key: &PKey<Private>) -> X509 {
    let mut builder = X509Builder::new().unwrap();
    builder.set_pubkey(key).unwrap();
    builder.set_not_before(&Asn1Time::days_from_now(0).unwrap()).unwrap();
    builder.set_not_after(&Asn1Time::days_from_now(1).unwrap()).unwrap();
    builder.sign(key, MessageDigest::sha256()).unwrap();
    builder.build()
}
