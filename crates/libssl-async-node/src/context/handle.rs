//! What workers make SSLs of.

use std::ffi::CString;
use std::net::IpAddr;
use std::ptr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use foreign_types::ForeignTypeRef;
use libssl_async_sys as sys;
use napi::bindgen_prelude::Buffer;
use napi_derive::napi;
use openssl::error::ErrorStack;
use openssl::ssl::{Ssl, SslContext, SslRef, SslSession, SslVerifyMode, StatusType};
use openssl::x509::X509VerifyResult;
use openssl_sys as ffi;

use super::hello;
use super::psk;
use super::sigalgs::SignatureAlgorithms;
use super::tickets::TicketKeys;
use super::trace;
use super::trust::Trust;

/// A context, on any thread.
#[derive(Clone)]
pub(crate) struct ContextHandle(Arc<Settings>);

/// What SSLs are made of.
pub(super) struct Settings {
    pub(super) context: SslContext,
    /// The application protocols that a client offers, in the wire format.
    pub(super) protocols: Option<Vec<u8>>,
    pub(super) request_cert: bool,
    pub(super) reject_unauthorized: bool,
    pub(super) session_id_context: Vec<u8>,
    pub(super) sigalgs: Option<SignatureAlgorithms>,
    pub(super) ticket_keys: Option<Arc<TicketKeys>>,
    /// The first certificate and its issuer, in DER.
    pub(super) certificates: Vec<Vec<u8>>,
    /// Whether JavaScript has an asynchronous callback for all connections.
    pub(super) tells: AtomicBool,
    /// Kept, so that other contexts find it.
    pub(super) _trust: Arc<Trust>,
}

/// What one client's connection has beside its context.
#[napi(object)]
pub struct NativeClientOptions {
    /// The name to ask for; addresses and the empty name are not asked for.
    pub servername: Option<String>,
    /// The application protocols to offer in place of the context's, in the wire format.
    pub alpn_protocols: Option<Buffer>,
    /// The session to resume, in DER.
    pub session: Option<Buffer>,
    /// Whether a server that does not verify is refused in the handshake.
    pub reject_unauthorized: bool,
    /// Whether the server is asked for an OCSP response.
    pub request_ocsp: bool,
    /// Whether the event `verify` asks whether the server is accepted.
    pub asks_verify: bool,
    /// Whether the event `psk` asks for a key.
    pub asks_psk: bool,
    /// Whether messages are told on standard error.
    pub traces: bool,
}

/// What one server's connection has in place of what its context has.
#[napi(object)]
pub struct NativeServerSide {
    /// Whether the client is asked for a certificate.
    pub request_cert: Option<bool>,
    /// Whether a client that does not verify is refused.
    pub reject_unauthorized: Option<bool>,
    /// The application protocols, in the wire format.
    pub alpn_protocols: Option<Buffer>,
    /// Whether the event `hello` asks what to choose for the client.
    pub asks_hello: bool,
    /// Whether the event `newSession` tells of sessions, and is waited for.
    pub keeps_sessions: bool,
    /// Whether the event `verify` asks whether a client is accepted.
    pub asks_verify: bool,
    /// Whether the event `psk` asks for the keys of clients.
    pub asks_psk: bool,
    /// What clients of TLS 1.2 are told about the keys; has no NUL.
    pub psk_identity_hint: Option<String>,
    /// Whether secrets are wanted as events.
    pub secrets: bool,
    /// Whether messages are told on standard error.
    pub traces: bool,
}

/// [`NativeServerSide`], on any thread.
#[derive(Clone, Default)]
pub(crate) struct ServerOptions {
    request_cert: Option<bool>,
    reject_unauthorized: Option<bool>,
    protocols: Option<Vec<u8>>,
    pub(crate) asks_hello: bool,
    pub(crate) keeps_sessions: bool,
    pub(crate) asks_verify: bool,
    asks_psk: bool,
    psk_identity_hint: Option<CString>,
    pub(crate) secrets: bool,
    traces: bool,
}

impl ServerOptions {
    /// Whether JavaScript has a part in handshakes.
    pub(crate) fn asks(&self) -> bool {
        self.asks_hello || self.keeps_sessions || self.asks_verify || self.asks_psk
    }
}

impl From<NativeServerSide> for ServerOptions {
    fn from(options: NativeServerSide) -> Self {
        Self {
            request_cert: options.request_cert,
            reject_unauthorized: options.reject_unauthorized,
            protocols: options.alpn_protocols.map(|list| list.to_vec()),
            asks_hello: options.asks_hello,
            keeps_sessions: options.keeps_sessions,
            asks_verify: options.asks_verify,
            asks_psk: options.asks_psk,
            psk_identity_hint: options.psk_identity_hint.and_then(|hint| CString::new(hint).ok()),
            secrets: options.secrets,
            traces: options.traces,
        }
    }
}

/// [`NativeClientOptions`], on any thread.
pub(crate) struct ClientOptions {
    servername: Option<String>,
    protocols: Option<Vec<u8>>,
    session: Option<Vec<u8>>,
    pub(crate) reject_unauthorized: bool,
    request_ocsp: bool,
    pub(crate) asks_verify: bool,
    asks_psk: bool,
    traces: bool,
}

impl From<NativeClientOptions> for ClientOptions {
    fn from(options: NativeClientOptions) -> Self {
        Self {
            servername: options.servername.filter(|name| is_host_name(name)),
            protocols: options.alpn_protocols.map(|list| list.to_vec()),
            session: options.session.map(|session| session.to_vec()),
            reject_unauthorized: options.reject_unauthorized,
            request_ocsp: options.request_ocsp,
            asks_verify: options.asks_verify,
            asks_psk: options.asks_psk,
            traces: options.traces,
        }
    }
}

/// Whether a session could be resumed from these bytes. Corresponds to `d2i_SSL_SESSION`.
#[napi]
pub(crate) fn is_session(session: &[u8]) -> bool {
    SslSession::from_der(session).is_ok()
}

impl ContextHandle {
    pub(super) fn new(settings: Settings) -> Self {
        Self(Arc::new(settings))
    }

    pub(super) fn certificates(&self) -> &[Vec<u8>] {
        &self.0.certificates
    }

    pub(super) fn tell(&self) {
        self.0.tells.store(true, Ordering::Relaxed);
    }

    /// Whether the asynchronous callback is wanted as events, for connections that are made from now on.
    pub(crate) fn tells(&self) -> bool {
        self.0.tells.load(Ordering::Relaxed)
    }

    /// Makes the SSL of a connection that a server accepts. Corresponds to `SSL_new`.
    pub(crate) fn server_ssl(&self, options: &ServerOptions) -> Result<Ssl, ErrorStack> {
        let settings = &*self.0;
        let request_cert = options.request_cert.unwrap_or(settings.request_cert);
        let reject_unauthorized = options.reject_unauthorized.unwrap_or(settings.reject_unauthorized);
        let mut ssl = Ssl::new(&settings.context)?;
        ssl.set_accept_state();
        if options.traces {
            trace(&ssl);
        }
        set_session_id_context(&ssl, &settings.session_id_context)?;
        if let Some(keys) = &settings.ticket_keys {
            keys.attach(&mut ssl)?;
        }
        ssl.set_verify(match (request_cert, reject_unauthorized) {
            (false, _) => SslVerifyMode::NONE,
            (true, true) => SslVerifyMode::PEER | SslVerifyMode::FAIL_IF_NO_PEER_CERT,
            (true, false) => SslVerifyMode::PEER,
        });
        if let Some(sigalgs) = &settings.sigalgs {
            sigalgs.limit_server(&ssl)?;
        }
        if options.asks_psk {
            psk::accept(&ssl, options.psk_identity_hint.as_deref())?;
        }
        if options.protocols.is_some() || options.asks_hello {
            let protocols = options.protocols.as_ref().or(settings.protocols.as_ref());
            hello::set_protocols(&mut ssl, protocols.filter(|list| !list.is_empty()).cloned())?;
        }
        Ok(ssl)
    }

    /// Gives a server's connection these certificates and this trust in place of those that it was made with, before it
    /// has chosen any. Corresponds to `SSL_set_SSL_CTX`.
    pub(super) fn take_over(&self, ssl: &mut SslRef) -> Result<(), ErrorStack> {
        let settings = &*self.0;
        ssl.set_ssl_context(&settings.context)?;
        match &settings.sigalgs {
            Some(sigalgs) => sigalgs.limit_server(ssl),
            None => Ok(()),
        }
    }

    /// Makes the SSL of a connection to a server. Corresponds to `SSL_new`.
    ///
    /// It verifies the chain of the server, not yet its name.
    pub(crate) fn client_ssl(&self, options: &ClientOptions) -> Result<Ssl, ErrorStack> {
        let settings = &*self.0;
        let mut ssl = Ssl::new(&settings.context)?;
        ssl.set_connect_state();
        if options.traces {
            trace(&ssl);
        }
        // A client verifies in either mode; the mode says whether it goes on with a server that fails. Where somebody is asked,
        // it is the verification itself that puts up with servers.
        let fails = options.reject_unauthorized || options.asks_verify;
        ssl.set_verify(if fails { SslVerifyMode::PEER } else { SslVerifyMode::NONE });
        if options.asks_psk {
            psk::offer(&ssl);
        }
        if let Some(name) = &options.servername {
            ssl.set_hostname(name)?;
        }
        if let Some(protocols) = options.protocols.as_ref().or(settings.protocols.as_ref()) {
            ssl.set_alpn_protos(protocols)?;
        }
        if options.request_ocsp {
            ssl.set_status_type(StatusType::OCSP)?;
        }
        if let Some(session) = &options.session {
            resume(&mut ssl, &SslSession::from_der(session)?, options.reject_unauthorized)?;
        }
        if let Some(sigalgs) = &settings.sigalgs {
            sigalgs.limit_client(&ssl)?;
        }
        Ok(ssl)
    }
}

/// Has a client resume a session, unless the server of that session is one that it would refuse.
///
/// Corresponds to `SSL_set_session`.
fn resume(ssl: &mut Ssl, session: &SslSession, reject_unauthorized: bool) -> Result<(), ErrorStack> {
    // SAFETY: a session that was read from its DER belongs to no context yet.
    unsafe { ssl.set_session(session)? };
    // The session brings the verification's result with it, and a resumption verifies nothing.
    if reject_unauthorized && ssl.verify_result() != X509VerifyResult::OK {
        // SAFETY: the SSL is valid; null takes the session away again.
        if unsafe { ffi::SSL_set_session(ssl.as_ptr(), ptr::null_mut()) } != 1 {
            return Err(ErrorStack::get());
        }
    }
    Ok(())
}

fn set_session_id_context(ssl: &Ssl, context: &[u8]) -> Result<(), ErrorStack> {
    // SAFETY: the SSL is valid and copies the bytes, of which there are at most 32.
    match unsafe { sys::SSL_set_session_id_context(ssl.as_ptr(), context.as_ptr(), context.len() as u32) } {
        1 => Ok(()),
        _ => Err(ErrorStack::get()),
    }
}

/// Whether a server can be asked for by this name.
fn is_host_name(name: &str) -> bool {
    !name.is_empty() && !name.contains('\0') && name.parse::<IpAddr>().is_err()
}
