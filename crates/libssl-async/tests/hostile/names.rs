//! Certificates whose names are made to be taken for another's; test/security/names.test.ts has what node:tls is asked.

use libssl_async::{Error, TlsAcceptor, TlsConnector, Workers};
use openssl::asn1::{Asn1Object, Asn1OctetString};
use openssl::ssl::SslVerifyMode;
use openssl::x509::{X509, X509Extension, X509NameBuilder};

use crate::support::{Identity, sockets};

/// A name of a certificate: its tag and its bytes.
type Name<'a> = (u8, &'a [u8]);

const MAIL: u8 = 0x81;
const DNS: u8 = 0x82;
const URI: u8 = 0x86;

/// An identity whose certificate has these names in place of its own.
fn identity(common: &str, names: &[Name<'_>]) -> Identity {
    let Identity { key, certificate: like } = Identity::p256();
    let mut name = X509NameBuilder::new().unwrap();
    name.append_entry_by_text("CN", common).unwrap();
    let name = name.build();
    let mut certificate = X509::builder().unwrap();
    certificate.set_version(2).unwrap();
    certificate.set_serial_number(like.serial_number()).unwrap();
    certificate.set_subject_name(&name).unwrap();
    certificate.set_issuer_name(&name).unwrap();
    certificate.set_pubkey(&key).unwrap();
    certificate.set_not_before(like.not_before()).unwrap();
    certificate.set_not_after(like.not_after()).unwrap();
    if !names.is_empty() {
        let list: Vec<u8> = names.iter().flat_map(|(tag, bytes)| tagged(*tag, bytes)).collect();
        let object = Asn1Object::from_str("2.5.29.17").unwrap();
        let contents = Asn1OctetString::new_from_bytes(&tagged(0x30, &list)).unwrap();
        certificate.append_extension(X509Extension::new_from_der(&object, false, &contents).unwrap()).unwrap();
    }
    certificate.sign(&key, openssl::hash::MessageDigest::sha256()).unwrap();
    Identity { key, certificate: certificate.build() }
}

fn tagged(tag: u8, bytes: &[u8]) -> Vec<u8> {
    [&[tag, u8::try_from(bytes.len()).unwrap()], bytes].concat()
}

/// Connects to whoever has this identity, which is trusted, by a name.
async fn connect(identity: &Identity, name: &str) -> Result<(), Error> {
    let workers = Workers::builder().threads(1).build().unwrap();
    let mut settings = identity.connector();
    settings.set_verify(SslVerifyMode::PEER);
    let connector = TlsConnector::new(settings.build(), &workers);
    let acceptor = TlsAcceptor::new(identity.acceptor().build(), &workers);
    let (client, server) = sockets().await;
    let (client, _) = tokio::join!(connector.connect(name, client), acceptor.accept(server));
    client.map(drop)
}

#[tokio::test]
async fn names_that_are_those_of_the_certificate_are_taken() {
    connect(&identity("x", &[(DNS, b"localhost")]), "localhost").await.unwrap();
    connect(&identity("x", &[(DNS, b"localhost")]), "LocalHost").await.unwrap();
    connect(&identity("x", &[(DNS, b"*.example.com")]), "foo.example.com").await.unwrap();
    connect(&identity("localhost", &[]), "localhost").await.unwrap();
}

#[tokio::test]
async fn names_that_only_look_like_those_of_the_certificate_are_refused() {
    let cases: [(&str, &[Name<'_>], &str); 11] = [
        ("x", &[(DNS, b"*.example.com")], "foo.bar.example.com"),
        ("x", &[(DNS, b"localhost\0.evil.test")], "localhost"),
        ("x", &[(DNS, b"localhost, DNS:evil.test")], "localhost"),
        ("x", &[(DNS, b"evil.test, DNS:localhost")], "localhost"),
        ("x", &[(URI, b"https://localhost/")], "localhost"),
        ("x", &[(URI, b"https://evil.test/, DNS:localhost")], "localhost"),
        ("x", &[(MAIL, b"x@evil.test, DNS:localhost")], "localhost"),
        ("localhost", &[(DNS, b"evil.test")], "localhost"),
        ("evil.test\nCN=localhost", &[], "localhost"),
        ("evil.test/CN=localhost", &[], "localhost"),
        ("127.0.0.1", &[(DNS, b"127.0.0.1")], "127.0.0.1"),
    ];
    for (common, names, name) in cases {
        let error = connect(&identity(common, names), name).await.unwrap_err();
        let Error::Ssl(error) = error else { panic!("{names:?}, {name}: {error:?}") };
        let verify = error.verify_result().map(|result| result.as_raw());
        let mismatches = [openssl_sys::X509_V_ERR_HOSTNAME_MISMATCH, openssl_sys::X509_V_ERR_IP_ADDRESS_MISMATCH];
        assert!(verify.is_some_and(|verify| mismatches.contains(&verify)), "{names:?}, {name}: {error}");
    }
}

/// Resolvers and parsers of hosts take them for others; some versions of OpenSSL refuse them at once.
#[tokio::test]
async fn names_that_others_see_in_another_way_are_refused() {
    let wildcard = identity("x", &[(DNS, b"*.example.com")]);
    for name in ["foo\u{3002}bar.example.com", "foo\u{ff0e}example.com", "foo.example.com/x.evil.test"] {
        connect(&wildcard, name).await.unwrap_err();
    }
}

/// C takes the NUL for the end of the name.
#[tokio::test]
async fn a_name_with_a_nul_is_refused_before_anything_is_sent() {
    for name in ["localhost\0", "localhost\0.evil.test", "\0"] {
        let workers = Workers::builder().threads(1).build().unwrap();
        let connector = TlsConnector::new(Identity::p256().connector().build(), &workers);
        let (client, mut server) = tokio::io::duplex(64);
        connector.connect(name, client).await.unwrap_err();
        assert_eq!(tokio::io::AsyncReadExt::read(&mut server, &mut [0; 8]).await.unwrap(), 0, "{name:?}");
    }
}
