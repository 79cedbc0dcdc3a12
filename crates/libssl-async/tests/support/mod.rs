//! What the tests share: certificates made on the spot, and pairs of connected sockets.
#![allow(dead_code, reason = "each test program uses a part")]

use std::time::{Duration, Instant};

use libssl_async::{Metrics, TlsAcceptor, TlsConnector, Workers};
use openssl::asn1::Asn1Time;
use openssl::bn::{BigNum, MsbOption};
use openssl::ec::{EcGroup, EcKey};
use openssl::hash::MessageDigest;
use openssl::nid::Nid;
use openssl::pkey::{PKey, Private};
use openssl::rsa::Rsa;
use openssl::ssl::{SslAcceptor, SslAcceptorBuilder, SslConnector, SslConnectorBuilder, SslMethod};
use openssl::x509::extension::{BasicConstraints, SubjectAlternativeName};
use openssl::x509::{X509, X509NameBuilder};
use tokio::net::{TcpListener, TcpStream};

/// A private key and its self-signed certificate for `localhost`.
#[derive(Clone)]
pub(crate) struct Identity {
    pub(crate) key: PKey<Private>,
    pub(crate) certificate: X509,
}

impl Identity {
    pub(crate) fn p256() -> Self {
        Self::new(ec(Nid::X9_62_PRIME256V1))
    }

    pub(crate) fn rsa() -> Self {
        Self::new(PKey::from_rsa(Rsa::generate(2048).unwrap()).unwrap())
    }

    pub(crate) fn new(key: PKey<Private>) -> Self {
        let mut name = X509NameBuilder::new().unwrap();
        name.append_entry_by_text("CN", "localhost").unwrap();
        let name = name.build();
        let mut serial = BigNum::new().unwrap();
        serial.rand(127, MsbOption::MAYBE_ZERO, false).unwrap();
        let mut certificate = X509::builder().unwrap();
        certificate.set_version(2).unwrap();
        certificate.set_serial_number(&serial.to_asn1_integer().unwrap()).unwrap();
        certificate.set_subject_name(&name).unwrap();
        certificate.set_issuer_name(&name).unwrap();
        certificate.set_pubkey(&key).unwrap();
        certificate.set_not_before(&Asn1Time::days_from_now(0).unwrap()).unwrap();
        certificate.set_not_after(&Asn1Time::days_from_now(2).unwrap()).unwrap();
        certificate.append_extension(BasicConstraints::new().critical().ca().build().unwrap()).unwrap();
        let names = SubjectAlternativeName::new()
            .dns("localhost")
            .ip("127.0.0.1")
            .build(&certificate.x509v3_context(None, None))
            .unwrap();
        certificate.append_extension(names).unwrap();
        let digest = match key.id() {
            openssl::pkey::Id::RSA | openssl::pkey::Id::RSA_PSS | openssl::pkey::Id::EC => MessageDigest::sha256(),
            // SAFETY: EdDSA and ML-DSA sign without a digest, which is NULL in C.
            _ => unsafe { MessageDigest::from_ptr(std::ptr::null()) },
        };
        certificate.sign(&key, digest).unwrap();
        Self { key, certificate: certificate.build() }
    }

    /// An acceptor's settings with this identity.
    pub(crate) fn acceptor(&self) -> SslAcceptorBuilder {
        let mut builder = SslAcceptor::mozilla_intermediate_v5(SslMethod::tls()).unwrap();
        builder.set_certificate(&self.certificate).unwrap();
        builder.set_private_key(&self.key).unwrap();
        builder
    }

    /// A connector's settings that trust this identity only.
    pub(crate) fn connector(&self) -> SslConnectorBuilder {
        let mut builder = SslConnector::builder(SslMethod::tls()).unwrap();
        builder.cert_store_mut().add_cert(self.certificate.clone()).unwrap();
        builder
    }

    /// An acceptor with this identity and a connector that trusts it.
    pub(crate) fn pair(&self, workers: &Workers) -> (TlsAcceptor, TlsConnector) {
        (TlsAcceptor::new(self.acceptor().build(), workers), TlsConnector::new(self.connector().build(), workers))
    }
}

pub(crate) fn ec(curve: Nid) -> PKey<Private> {
    let group = EcGroup::from_curve_name(curve).unwrap();
    PKey::from_ec_key(EcKey::generate(&group).unwrap()).unwrap()
}

/// Two ends of a TCP connection over loopback.
pub(crate) async fn sockets() -> (TcpStream, TcpStream) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let (client, server) = tokio::join!(TcpStream::connect(address), listener.accept());
    (client.unwrap(), server.unwrap().0)
}

/// Lets other tasks run until the metrics are as wanted.
pub(crate) async fn until(workers: &Workers, wanted: impl Fn(&Metrics) -> bool) {
    eventually(|| wanted(&workers.metrics()), || format!("{:?}", workers.metrics())).await;
}

/// Lets other tasks run until something is the case; panics if it never is.
pub(crate) async fn eventually(is_so: impl Fn() -> bool, state: impl Fn() -> String) {
    let start = Instant::now();
    while !is_so() {
        assert!(start.elapsed() < Duration::from_secs(60), "{}", state());
        tokio::task::yield_now().await;
    }
}

/// Bytes that differ everywhere.
pub(crate) fn pattern(length: usize) -> Vec<u8> {
    (0..length).map(|index| (index * 31 + index / 251) as u8).collect()
}
