//! How clients connect.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;

use rustls::client::Resumption;
use rustls::crypto::aws_lc_rs;
use rustls::pki_types::ServerName;
use rustls::version::TLS13;
use rustls::{CipherSuite, ClientConfig, NamedGroup, RootCertStore};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

use crate::{Failure, Stream};

/// Connects to one server: TLS 1.3, TLS_AES_256_GCM_SHA384, X25519, no resumption.
#[derive(Clone)]
pub(crate) struct Client {
    connector: TlsConnector,
    address: SocketAddr,
}

impl Client {
    /// `certificate`, in DER, is the only one that is trusted.
    pub(crate) fn new(port: u16, certificate: Vec<u8>) -> Result<Self, Failure> {
        let mut roots = RootCertStore::empty();
        roots.add(certificate.into())?;
        let mut provider = aws_lc_rs::default_provider();
        provider.cipher_suites.retain(|suite| suite.suite() == CipherSuite::TLS13_AES_256_GCM_SHA384);
        provider.kx_groups.retain(|group| group.name() == NamedGroup::X25519);
        let mut config = ClientConfig::builder_with_provider(Arc::new(provider))
            .with_protocol_versions(&[&TLS13])?
            .with_root_certificates(roots)
            .with_no_client_auth();
        config.resumption = Resumption::disabled();
        let address = (Ipv4Addr::LOCALHOST, port).into();
        Ok(Self { connector: Arc::new(config).into(), address })
    }

    pub(crate) async fn connect(&self) -> Result<Stream, Failure> {
        let socket = TcpStream::connect(self.address).await?;
        socket.set_nodelay(true)?;
        Ok(self.connector.connect(ServerName::try_from("localhost")?, socket).await?)
    }
}
