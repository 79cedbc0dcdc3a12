//! What an established connection says of itself.

use std::net::SocketAddr;

use libssl_async::AsyncStatus;
use napi::bindgen_prelude::{Buffer, BufferSlice};
use napi_derive::napi;
use openssl::ssl::{NameType, SslRef};
use openssl::x509::X509VerifyResult;

use super::NativeConnection;
use super::question::latin1;
use crate::error::verify_code;

/// The cipher suite of a connection.
#[napi(object)]
pub struct NativeCipher {
    /// OpenSSL's name.
    pub name: String,
    /// The name of the standard.
    pub standard_name: String,
    /// The oldest protocol version that has it.
    pub version: String,
}

/// One end of a TCP connection.
#[napi(object)]
pub struct NativeAddress {
    pub address: String,
    pub family: String,
    pub port: u32,
}

#[napi]
impl NativeConnection {
    /// The protocol version, such as `TLSv1.3`. Corresponds to `SSL_get_version`.
    #[napi(getter)]
    pub fn protocol(&self) -> Option<String> {
        self.ask(|ssl| ssl.version_str().to_owned())
    }

    /// Corresponds to `SSL_get_current_cipher`.
    #[napi(getter)]
    pub fn cipher(&self) -> Option<NativeCipher> {
        self.ask(|ssl| {
            ssl.current_cipher().map(|cipher| NativeCipher {
                name: cipher.name().to_owned(),
                standard_name: cipher.standard_name().unwrap_or(cipher.name()).to_owned(),
                version: cipher.version().to_owned(),
            })
        })
        .flatten()
    }

    /// Corresponds to `SSL_get0_alpn_selected`.
    #[napi(getter)]
    pub fn alpn_protocol(&self) -> Option<String> {
        self.ask(|ssl| ssl.selected_alpn_protocol().map(latin1)).flatten()
    }

    /// The name that the client asked for. Corresponds to `SSL_get_servername`.
    #[napi(getter)]
    pub fn servername(&self) -> Option<String> {
        self.ask(|ssl| ssl.servername(NameType::HOST_NAME).map(str::to_owned)).flatten()
    }

    /// Whether a session was resumed. Corresponds to `SSL_session_reused`.
    #[napi(getter)]
    pub fn session_reused(&self) -> bool {
        self.ask(SslRef::session_reused).unwrap_or(false)
    }

    /// The peer's certificates in DER, its own first. Corresponds to `SSL_get_peer_cert_chain`.
    #[napi(getter)]
    pub fn peer_certificates(&self) -> Vec<Buffer> {
        let certificates = self.ask(|ssl| {
            // A resumed session has no chain, and a server's list of its client's leaves out the client's own certificate.
            let own = ssl.peer_certificate();
            let chain = ssl.peer_cert_chain().into_iter().flatten().skip(usize::from(!ssl.is_server()));
            let mut certificates: Vec<_> = own.into_iter().filter_map(|own| own.to_der().ok()).collect();
            certificates.extend(chain.filter_map(|certificate| certificate.to_der().ok()));
            certificates
        });
        certificates.unwrap_or_default().into_iter().map(Buffer::from).collect()
    }

    /// Why the peer's certificate would be refused, as Node's code. Corresponds to `SSL_get_verify_result`.
    #[napi(getter)]
    pub fn verify_error(&self) -> Option<&'static str> {
        self.ask(SslRef::verify_result).filter(|result| *result != X509VerifyResult::OK).map(verify_code)
    }

    /// The session in DER, to resume it with. Corresponds to `SSL_get1_session` and `i2d_SSL_SESSION`.
    #[napi]
    pub fn session(&self) -> Option<Buffer> {
        self.ask(|ssl| ssl.session().and_then(|session| session.to_der().ok())).flatten().map(Buffer::from)
    }

    /// Corresponds to `SSL_export_keying_material`; nothing before the handshake.
    #[napi]
    pub fn export_keying_material(
        &self,
        length: u32,
        label: String,
        context: Option<BufferSlice<'_>>,
    ) -> Option<Buffer> {
        let context = context.as_deref();
        self.ask(|ssl| {
            let mut material = vec![0; length as usize];
            ssl.export_keying_material(&mut material, &label, context).ok().map(|()| material)
        })
        .flatten()
        .map(Buffer::from)
    }

    /// `ASYNC_STATUS_*`, or nothing before the first job. Corresponds to `SSL_get_async_status`.
    #[napi(getter)]
    pub fn async_status(&self) -> Option<i32> {
        self.entry().status().map(AsyncStatus::as_raw)
    }

    #[napi(getter)]
    pub fn local_address(&self) -> Option<NativeAddress> {
        self.entry().addresses.get().local.map(NativeAddress::from)
    }

    #[napi(getter)]
    pub fn remote_address(&self) -> Option<NativeAddress> {
        self.entry().addresses.get().remote.map(NativeAddress::from)
    }

    pub(super) fn ask<T>(&self, question: impl FnOnce(&SslRef) -> T) -> Option<T> {
        self.entry().with_ssl(question)
    }
}

impl From<SocketAddr> for NativeAddress {
    fn from(address: SocketAddr) -> Self {
        Self {
            address: address.ip().to_string(),
            family: if address.is_ipv4() { "IPv4" } else { "IPv6" }.to_owned(),
            port: address.port().into(),
        }
    }
}
