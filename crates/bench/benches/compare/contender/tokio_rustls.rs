use std::error::Error;
use std::io;
use std::sync::Arc;

use rustls::crypto::{CryptoProvider, aws_lc_rs, ring};
use rustls::pki_types::ServerName;
use tokio::net::TcpStream;
use tokio_rustls::{TlsAcceptor, TlsConnector, client, server};

use super::Tls;
use crate::identity::Identity;
use crate::settings;

/// Whose arithmetic rustls uses.
#[derive(Clone, Copy)]
pub(crate) enum Provider {
    AwsLc,
    Ring,
}

impl Provider {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::AwsLc => "tokio-rustls, aws-lc",
            Self::Ring => "tokio-rustls, ring",
        }
    }

    fn load(self) -> CryptoProvider {
        match self {
            Self::AwsLc => aws_lc_rs::default_provider(),
            Self::Ring => ring::default_provider(),
        }
    }
}

pub(crate) struct TokioRustls {
    acceptor: TlsAcceptor,
    connector: TlsConnector,
}

impl TokioRustls {
    pub(crate) fn new(identity: &Identity, provider: Provider) -> Result<Self, Box<dyn Error>> {
        let acceptor = Arc::new(settings::rustls_server(identity, provider.load())?).into();
        Ok(Self { acceptor, connector: Arc::new(settings::rustls_client(identity, provider.load())?).into() })
    }
}

impl Tls for TokioRustls {
    type Client = client::TlsStream<TcpStream>;
    type Server = server::TlsStream<TcpStream>;

    async fn connect(&self, socket: TcpStream) -> io::Result<Self::Client> {
        let name = ServerName::try_from("localhost").expect("a valid name");
        self.connector.connect(name, socket).await
    }

    async fn accept(&self, socket: TcpStream) -> io::Result<Self::Server> {
        self.acceptor.accept(socket).await
    }
}
