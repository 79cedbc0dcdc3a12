//! What must not run on a fibre: transports, callbacks and signers (rule 19).

use std::pin::Pin;
use std::task::{Context, Poll};

use libssl_async::keys::{BoxError, RemoteKey};
use libssl_async_sys::ASYNC_get_current_job;
use openssl::hash::MessageDigest;
use openssl::sign::Signer;
use tokio::io::{self, AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, ReadBuf};
use tokio::net::TcpStream;

use crate::support::{Identity, sockets};
use libssl_async::Workers;

#[tokio::test]
async fn transports_callbacks_and_signers_run_off_the_fibre() {
    let workers = Workers::builder().threads(1).build().unwrap();
    let identity = Identity::p256();
    let local = identity.key.clone();
    let key = RemoteKey::builder(&identity.key).sign_fn(move |request| {
        off_the_fibre();
        let key = local.clone();
        async move {
            off_the_fibre();
            let signature = Signer::new(MessageDigest::sha256(), &key)?.sign_oneshot_to_vec(&request.message)?;
            Ok::<_, BoxError>(signature)
        }
    });
    let remote = Identity { key: key.build().unwrap(), certificate: identity.certificate.clone() };
    let mut acceptor = remote.pair(&workers).0;
    acceptor.set_async_callback(|_| off_the_fibre());
    let connector = identity.pair(&workers).1;
    let (client, server) = sockets().await;
    let (client, server) = (connector.connect("localhost", Watched(client)), acceptor.accept(Watched(server)));
    let (client, server) = tokio::join!(client, server);
    let (mut client, mut server) = (client.unwrap(), server.unwrap());
    client.write_all(b"hello").await.unwrap();
    server.read_exact(&mut [0; 5]).await.unwrap();
    server.shutdown().await.unwrap();
    assert_eq!(client.read(&mut [0; 5]).await.unwrap(), 0);
    assert_eq!(workers.metrics().pauses, 1);
}

fn off_the_fibre() {
    // SAFETY: only asks which job runs on this thread.
    if !unsafe { ASYNC_get_current_job() }.is_null() {
        eprintln!("this runs on a fibre");
        std::process::abort();
    }
}

/// A transport that looks where it is used.
struct Watched(TcpStream);

impl AsyncRead for Watched {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        off_the_fibre();
        Pin::new(&mut self.0).poll_read(context, buffer)
    }
}

impl AsyncWrite for Watched {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        off_the_fibre();
        Pin::new(&mut self.0).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        off_the_fibre();
        Pin::new(&mut self.0).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        off_the_fibre();
        Pin::new(&mut self.0).poll_shutdown(context)
    }
}
