use std::io;
use std::pin::Pin;

use openssl::error::ErrorStack;
use openssl::ssl::{Ssl, SslAcceptor, SslConnector};
use tokio::net::TcpStream;
use tokio_openssl::SslStream;

use super::Tls;
use crate::identity::Identity;
use crate::settings;

pub(crate) struct TokioOpenssl {
    acceptor: SslAcceptor,
    connector: SslConnector,
}

impl TokioOpenssl {
    pub(crate) fn new(identity: &Identity) -> Result<Self, ErrorStack> {
        let acceptor = settings::acceptor(identity, &identity.key)?;
        Ok(Self { acceptor, connector: settings::connector(identity)? })
    }
}

impl Tls for TokioOpenssl {
    type Client = SslStream<TcpStream>;
    type Server = SslStream<TcpStream>;

    async fn connect(&self, socket: TcpStream) -> io::Result<Self::Client> {
        let mut stream = SslStream::new(self.connector.configure()?.into_ssl("localhost")?, socket)?;
        Pin::new(&mut stream).connect().await.map_err(io::Error::other)?;
        Ok(stream)
    }

    async fn accept(&self, socket: TcpStream) -> io::Result<Self::Server> {
        let mut stream = SslStream::new(Ssl::new(self.acceptor.context())?, socket)?;
        Pin::new(&mut stream).accept().await.map_err(io::Error::other)?;
        Ok(stream)
    }
}
