//! The settings that all contenders share.

use std::error::Error;
use std::sync::Arc;

use openssl::error::ErrorStack;
use openssl::pkey::{PKey, Private};
use openssl::ssl::{
    SslAcceptor, SslConnector, SslContextBuilder, SslMethod, SslOptions, SslSessionCacheMode, SslVersion,
};
use rustls::client::Resumption;
use rustls::crypto::CryptoProvider;
use rustls::pki_types::{CertificateDer, PrivatePkcs8KeyDer};
use rustls::server::NoServerSessionStorage;
use rustls::version::TLS13;
use rustls::{CipherSuite, ClientConfig, NamedGroup, RootCertStore, ServerConfig};

use crate::identity::Identity;

pub(crate) const DESCRIPTION: &str = "TLS 1.3, X25519, TLS_AES_256_GCM_SHA384, the server's certificate verified and \
                                      issued by a root of the same type, no tickets, no resumption; all else by default";

/// The settings of a server, with `key` for the identity's own.
pub(crate) fn acceptor(identity: &Identity, key: &PKey<Private>) -> Result<SslAcceptor, ErrorStack> {
    let mut builder = SslAcceptor::mozilla_modern_v5(SslMethod::tls_server())?;
    share(&mut builder)?;
    builder.set_num_tickets(0)?;
    builder.set_certificate(&identity.certificate)?;
    builder.set_private_key(key)?;
    Ok(builder.build())
}

/// The settings of a client.
pub(crate) fn connector(identity: &Identity) -> Result<SslConnector, ErrorStack> {
    let mut builder = SslConnector::builder(SslMethod::tls_client())?;
    share(&mut builder)?;
    builder.cert_store_mut().add_cert(identity.root.clone())?;
    Ok(builder.build())
}

fn share(builder: &mut SslContextBuilder) -> Result<(), ErrorStack> {
    builder.set_min_proto_version(Some(SslVersion::TLS1_3))?;
    builder.set_ciphersuites("TLS_AES_256_GCM_SHA384")?;
    builder.set_groups_list("X25519")?;
    builder.set_options(SslOptions::NO_TICKET);
    builder.set_session_cache_mode(SslSessionCacheMode::OFF);
    Ok(())
}

/// The settings of a rustls server.
pub(crate) fn rustls_server(identity: &Identity, provider: CryptoProvider) -> Result<ServerConfig, Box<dyn Error>> {
    let chain = vec![CertificateDer::from(identity.certificate.to_der()?)];
    let key = PrivatePkcs8KeyDer::from(identity.key.private_key_to_pkcs8()?);
    let mut config = ServerConfig::builder_with_provider(Arc::new(narrowed(provider)))
        .with_protocol_versions(&[&TLS13])?
        .with_no_client_auth()
        .with_single_cert(chain, key.into())?;
    config.send_tls13_tickets = 0;
    config.session_storage = Arc::new(NoServerSessionStorage {});
    Ok(config)
}

/// The settings of a rustls client.
pub(crate) fn rustls_client(identity: &Identity, provider: CryptoProvider) -> Result<ClientConfig, Box<dyn Error>> {
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from(identity.root.to_der()?))?;
    let mut config = ClientConfig::builder_with_provider(Arc::new(narrowed(provider)))
        .with_protocol_versions(&[&TLS13])?
        .with_root_certificates(roots)
        .with_no_client_auth();
    config.resumption = Resumption::disabled();
    Ok(config)
}

fn narrowed(mut provider: CryptoProvider) -> CryptoProvider {
    provider.cipher_suites.retain(|suite| suite.suite() == CipherSuite::TLS13_AES_256_GCM_SHA384);
    provider.kx_groups.retain(|group| group.name() == NamedGroup::X25519);
    provider
}
