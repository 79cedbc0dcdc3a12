//! What cannot be asynchronous is refused (rule 26).

mod support;

use libssl_async::{Error, Terms, Workers};
use openssl::ssl::{Ssl, SslContext, SslMethod};
use support::sockets;

#[cfg(ossl320)]
#[tokio::test]
async fn quic_is_refused() {
    // SAFETY: a method that libssl has, and keeps.
    let method = unsafe { SslMethod::from_ptr(openssl_sys::OSSL_QUIC_client_method().cast_mut()) };
    assert_eq!(refusal(method).await, "QUIC is not supported");
}

#[tokio::test]
async fn dtls_is_refused() {
    assert_eq!(refusal(SslMethod::dtls()).await, "DTLS over a stream is not supported");
}

/// Why a handshake of an SSL of this method does not begin.
async fn refusal(method: SslMethod) -> String {
    let mut ssl = Ssl::new(&SslContext::builder(method).unwrap().build()).unwrap();
    ssl.set_connect_state();
    // Whoever begins all the same finds that the peer has gone.
    let (client, _) = sockets().await;
    let workers = Workers::builder().threads(1).build().unwrap();
    let error = workers.handshake(&Terms::default(), || Ok(ssl), client).await.unwrap_err();
    assert!(matches!(error, Error::Unsupported(_)), "{error:?}");
    error.to_string()
}
