use std::error::Error;
use std::io;

use libssl_async::keys::{RemoteKey, SignRequest};
use libssl_async::{TlsAcceptor, TlsConnector, TlsStream, Workers};
use openssl::error::ErrorStack;
use openssl::hash::MessageDigest;
use openssl::pkey::{PKey, Private};
use openssl::rsa::Padding;
use openssl::sign::{RsaPssSaltlen, Signer};
use tokio::net::TcpStream;

use super::Tls;
use crate::identity::Identity;
use crate::settings;

pub(crate) struct LibsslAsync {
    acceptor: TlsAcceptor,
    connector: TlsConnector,
}

impl LibsslAsync {
    /// The server's handshakes sign with `key`.
    pub(crate) fn new(identity: &Identity, key: &PKey<Private>) -> Result<Self, Box<dyn Error>> {
        let workers = Workers::builder().threads(1).build()?;
        let acceptor = TlsAcceptor::new(settings::acceptor(identity, key)?, &workers);
        Ok(Self { acceptor, connector: TlsConnector::new(settings::connector(identity)?, &workers) })
    }

    pub(crate) fn workers(&self) -> &Workers {
        self.acceptor.workers()
    }
}

impl Tls for LibsslAsync {
    type Client = TlsStream<TcpStream>;
    type Server = TlsStream<TcpStream>;

    async fn connect(&self, socket: TcpStream) -> io::Result<Self::Client> {
        Ok(self.connector.connect("localhost", socket).await?)
    }

    async fn accept(&self, socket: TcpStream) -> io::Result<Self::Server> {
        Ok(self.acceptor.accept(socket).await?)
    }
}

/// The identity's key, signing in another thread while the handshake is paused.
pub(crate) fn remote(identity: &Identity) -> Result<PKey<Private>, Box<dyn Error>> {
    let key = identity.key.clone();
    let remote = RemoteKey::builder(&identity.key).sign_fn(move |request| {
        let signature = sign(&key, &request);
        async move { signature }
    });
    Ok(remote.build()?)
}

pub(crate) fn sign(key: &PKey<Private>, request: &SignRequest) -> Result<Vec<u8>, ErrorStack> {
    let digest = request.scheme.digest().map(|digest| digest.message_digest());
    let mut signer = Signer::new(digest.unwrap_or_else(MessageDigest::null), key)?;
    if request.scheme.name().starts_with("rsa_pss") {
        signer.set_rsa_padding(Padding::PKCS1_PSS)?;
        signer.set_rsa_pss_saltlen(RsaPssSaltlen::DIGEST_LENGTH)?;
    }
    signer.sign_oneshot_to_vec(&request.message)
}
