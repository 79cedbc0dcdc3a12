//! Certificates that a root issued: rustls takes no self-signed ones.

use std::path::Path;

use openssl::asn1::Asn1Time;
use openssl::bn::BigNum;
use openssl::hash::MessageDigest;
use openssl::pkey::{Id, PKey, Private};
use openssl::ssl::{
    AlpnError, SslAcceptor, SslAcceptorBuilder, SslConnector, SslConnectorBuilder, SslMethod, SslVerifyMode,
    SslVersion, select_next_proto,
};
use openssl::x509::extension::SubjectAlternativeName;
use openssl::x509::{X509, X509NameBuilder};
use rustls::RootCertStore;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};

use crate::PROTOCOLS;
use crate::support::Identity;

pub(crate) struct Authority(Identity);

impl Authority {
    pub(crate) fn new() -> Self {
        Self(Identity::p256())
    }

    /// A certificate of `localhost` for the key.
    pub(crate) fn issue(&self, key: &PKey<Private>) -> Identity {
        let mut name = X509NameBuilder::new().unwrap();
        name.append_entry_by_text("CN", "issued").unwrap();
        let mut certificate = X509::builder().unwrap();
        certificate.set_version(2).unwrap();
        certificate.set_serial_number(&BigNum::from_u32(7).unwrap().to_asn1_integer().unwrap()).unwrap();
        certificate.set_subject_name(&name.build()).unwrap();
        certificate.set_issuer_name(self.0.certificate.subject_name()).unwrap();
        certificate.set_pubkey(key).unwrap();
        certificate.set_not_before(&Asn1Time::days_from_now(0).unwrap()).unwrap();
        certificate.set_not_after(&Asn1Time::days_from_now(2).unwrap()).unwrap();
        let context = certificate.x509v3_context(None, None);
        let names = SubjectAlternativeName::new().dns("localhost").build(&context).unwrap();
        certificate.append_extension(names).unwrap();
        certificate.sign(&self.0.key, MessageDigest::sha256()).unwrap();
        Identity { key: key.clone(), certificate: certificate.build() }
    }

    /// Settings of a server, which asks for a certificate of this authority if `mutual`.
    pub(crate) fn acceptor(&self, server: &Identity, version: SslVersion, mutual: bool) -> SslAcceptorBuilder {
        let mut builder = SslAcceptor::mozilla_intermediate_v5(SslMethod::tls()).unwrap();
        builder.set_certificate(&server.certificate).unwrap();
        builder.set_private_key(&server.key).unwrap();
        builder.set_min_proto_version(Some(version)).unwrap();
        builder.set_max_proto_version(Some(version)).unwrap();
        builder.set_session_id_context(b"interop").unwrap();
        builder.set_alpn_select_callback(|_, offered| select_next_proto(PROTOCOLS, offered).ok_or(AlpnError::NOACK));
        if mutual {
            builder.cert_store_mut().add_cert(self.0.certificate.clone()).unwrap();
            builder.set_verify(SslVerifyMode::PEER | SslVerifyMode::FAIL_IF_NO_PEER_CERT);
        }
        builder
    }

    /// Settings of a client that trusts this authority and has a certificate of its own.
    pub(crate) fn connector(&self, client: &Identity, version: SslVersion) -> SslConnectorBuilder {
        let mut builder = SslConnector::builder(SslMethod::tls()).unwrap();
        builder.cert_store_mut().add_cert(self.0.certificate.clone()).unwrap();
        builder.set_certificate(&client.certificate).unwrap();
        builder.set_private_key(&client.key).unwrap();
        builder.set_min_proto_version(Some(version)).unwrap();
        builder.set_max_proto_version(Some(version)).unwrap();
        builder.set_alpn_protos(PROTOCOLS).unwrap();
        builder
    }

    /// The root as rustls trusts it.
    pub(crate) fn roots(&self) -> RootCertStore {
        let mut roots = RootCertStore::empty();
        roots.add(CertificateDer::from(self.0.certificate.to_der().unwrap())).unwrap();
        roots
    }

    /// Writes the root to a file, for programs.
    pub(crate) fn write(&self, file: &Path) {
        std::fs::write(file, self.0.certificate.to_pem().unwrap()).unwrap();
    }
}

/// The chain and the key as rustls takes them.
pub(crate) fn for_rustls(identity: &Identity) -> (Vec<CertificateDer<'static>>, PrivateKeyDer<'static>) {
    let key = PrivatePkcs8KeyDer::from(identity.key.private_key_to_pkcs8().unwrap());
    (vec![CertificateDer::from(identity.certificate.to_der().unwrap())], key.into())
}

/// The types of key that all peers know.
pub(crate) fn keys() -> Vec<(&'static str, PKey<Private>)> {
    let mut keys = crate::local_key::all();
    keys.retain(|(_, key)| matches!(key.id(), Id::RSA | Id::EC | Id::ED25519));
    keys.retain(|(name, _)| *name != "P-521");
    keys
}
