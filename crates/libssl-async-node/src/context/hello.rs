//! What is settled for one connection of a server while its ClientHello waits.

use std::sync::OnceLock;

use foreign_types::ForeignTypeRef;
use openssl::error::ErrorStack;
use openssl::ex_data::Index;
use openssl::ssl::{AlpnError, ClientHelloResponse, Ssl, SslContextBuilder, SslRef, SslSession};
use openssl_sys as ffi;

use super::alpn::{names, select};
use super::handle::ContextHandle;
use super::observer::observer;
use super::psk::PreSharedKey;

/// What a client says first.
pub(crate) struct ClientHello {
    /// The name that it asks for.
    pub(crate) servername: Option<String>,
    /// The application protocols that it offers.
    pub(crate) protocols: Vec<Vec<u8>>,
    /// The session that it would resume, of a version before TLS 1.3.
    pub(crate) session_id: Vec<u8>,
    /// Its cipher suites, by their numbers.
    pub(crate) ciphers: Vec<u16>,
    /// Its extensions, by their numbers, in its order.
    pub(crate) extensions: Vec<u16>,
    /// The groups of its key exchange, by their numbers.
    pub(crate) groups: Vec<u16>,
    /// Its signature algorithms, by their numbers.
    pub(crate) signature_algorithms: Vec<u16>,
    /// The versions that it has, by their numbers.
    pub(crate) versions: Vec<u16>,
}

/// What was chosen for it, or for the peer of another question.
#[derive(Default)]
pub(crate) struct Choice {
    /// The certificates, in place of the server's.
    pub(crate) context: Option<ContextHandle>,
    pub(crate) protocol: Protocol,
    /// The session that it wants to resume, in DER.
    pub(crate) session: Option<Vec<u8>>,
    /// The OCSP response that it asked for, in DER.
    pub(crate) ocsp_response: Option<Vec<u8>>,
    /// The pre-shared key that was asked for.
    pub(crate) psk: Option<PreSharedKey>,
}

/// How the application protocol is chosen.
#[derive(Default)]
pub(crate) enum Protocol {
    /// From the server's list.
    #[default]
    Select,
    /// This one.
    Chosen(Vec<u8>),
    /// There is none: the handshake fails.
    Refused,
}

/// What a connection has in place of what its context has.
pub(super) struct Settled {
    /// The server's application protocols, in the wire format.
    pub(super) protocols: Option<Vec<u8>>,
    pub(super) choice: Choice,
}

const SERVER_NAME: u32 = 0;
const STATUS_REQUEST: u32 = 5;
const SUPPORTED_GROUPS: u32 = 10;
const SIGNATURE_ALGORITHMS: u32 = 13;
const ALPN: u32 = 16;
const SUPPORTED_VERSIONS: u32 = 43;

impl ClientHello {
    /// Reads what libssl has parsed; only while its ClientHello callback runs.
    fn of(ssl: &SslRef) -> Self {
        let list = |number, length_bytes| {
            extension(ssl, number).and_then(|bytes| bytes.get(length_bytes..)).map(numbers).unwrap_or_default()
        };
        Self {
            servername: extension(ssl, SERVER_NAME).and_then(host_name),
            protocols: extension(ssl, ALPN).and_then(|list| list.get(2..)).map(protocols).unwrap_or_default(),
            session_id: ssl.client_hello_session_id().unwrap_or_default().to_vec(),
            ciphers: ssl.client_hello_ciphers().map(numbers).unwrap_or_default(),
            extensions: extensions(ssl),
            groups: list(SUPPORTED_GROUPS, 2),
            signature_algorithms: list(SIGNATURE_ALGORITHMS, 2),
            versions: list(SUPPORTED_VERSIONS, 1),
        }
    }

    /// Whether it asks for an OCSP response.
    pub(crate) fn wants_ocsp(&self) -> bool {
        self.extensions.iter().any(|number| u32::from(*number) == STATUS_REQUEST)
    }
}

/// Prepares a context for what is settled for each connection.
///
/// Corresponds to `SSL_CTX_set_client_hello_cb`, `SSL_CTX_set_alpn_select_cb`, `SSL_CTX_sess_set_get_cb` and
/// `SSL_CTX_set_tlsext_status_cb`.
pub(super) fn prepare(builder: &mut SslContextBuilder, protocols: Option<Vec<u8>>) -> Result<(), ErrorStack> {
    let index = index()?;
    builder.set_client_hello_callback(|ssl, _alert| match observer(ssl) {
        Some(observer) => {
            let choice = observer.hello(&|| ClientHello::of(ssl)).map_err(|_| ErrorStack::get())?;
            if let Some(choice) = choice {
                settle(ssl, choice)?;
            }
            Ok(ClientHelloResponse::SUCCESS)
        }
        None => Ok(ClientHelloResponse::SUCCESS),
    });
    builder.set_alpn_select_callback(move |ssl, offered| {
        let settled = ssl.ex_data(index);
        match settled.map(|settled| &settled.choice.protocol) {
            Some(Protocol::Refused) => Err(AlpnError::ALERT_FATAL),
            // Only what is offered is chosen: what is returned has to live as long as the ClientHello.
            Some(Protocol::Chosen(name)) => names(offered).find(|offer| offer == name).ok_or(AlpnError::ALERT_FATAL),
            Some(Protocol::Select) | None => {
                let own = settled.map_or(protocols.as_ref(), |settled| settled.protocols.as_ref());
                own.map_or(Err(AlpnError::NOACK), |own| select(own, offered))
            }
        }
    });
    // SAFETY: the session that is returned belongs to no context of another configuration: it was read for this connection.
    unsafe {
        builder.set_get_session_callback(move |ssl, _id| {
            let session = ssl.ex_data(index)?.choice.session.as_deref()?;
            SslSession::from_der(session).ok()
        });
    }
    builder.set_status_callback(move |ssl| {
        if !ssl.is_server() {
            return Ok(true);
        }
        let response = ssl.ex_data(index).and_then(|settled| settled.choice.ocsp_response.clone());
        match response {
            Some(response) => ssl.set_ocsp_status(&response).map(|()| true),
            None => Ok(false),
        }
    })
}

/// Gives a connection protocols of its own.
pub(super) fn set_protocols(ssl: &mut Ssl, protocols: Option<Vec<u8>>) -> Result<(), ErrorStack> {
    ssl.set_ex_data(index()?, Settled { protocols, choice: Choice::default() });
    Ok(())
}

fn settle(ssl: &mut SslRef, choice: Choice) -> Result<(), ErrorStack> {
    let index = index()?;
    if let Some(context) = &choice.context {
        context.take_over(ssl)?;
    }
    if let Some(settled) = ssl.ex_data_mut(index) {
        settled.choice = choice;
    }
    Ok(())
}

fn index() -> Result<Index<Ssl, Settled>, ErrorStack> {
    static INDEX: OnceLock<Index<Ssl, Settled>> = OnceLock::new();
    if let Some(index) = INDEX.get() {
        return Ok(*index);
    }
    let index = Ssl::new_ex_index()?;
    Ok(*INDEX.get_or_init(|| index))
}

/// The content of an extension of the ClientHello.
fn extension(ssl: &SslRef, number: u32) -> Option<&[u8]> {
    let (mut start, mut length) = (std::ptr::null(), 0);
    // SAFETY: the SSL is valid; what it tells of lives as long as its ClientHello does.
    unsafe {
        let found = ffi::SSL_client_hello_get0_ext(ssl.as_ptr(), number, &mut start, &mut length);
        (found == 1 && !start.is_null()).then(|| std::slice::from_raw_parts(start, length))
    }
}

fn extensions(ssl: &SslRef) -> Vec<u16> {
    let (mut start, mut count) = (std::ptr::null_mut(), 0);
    // SAFETY: the SSL is valid; the array is ours, and libcrypto's to free.
    unsafe {
        if ffi::SSL_client_hello_get1_extensions_present(ssl.as_ptr(), &mut start, &mut count) != 1 || start.is_null() {
            return Vec::new();
        }
        let numbers = std::slice::from_raw_parts(start, count).iter().map(|number| *number as u16).collect();
        ffi::OPENSSL_free(start.cast());
        numbers
    }
}

/// Numbers of 16 bits each.
fn numbers(bytes: &[u8]) -> Vec<u16> {
    bytes.chunks_exact(2).map(|pair| u16::from_be_bytes([pair[0], pair[1]])).collect()
}

fn protocols(list: &[u8]) -> Vec<Vec<u8>> {
    names(list).map(<[u8]>::to_vec).collect()
}

/// The host name of the extension `server_name`: a list of one name, in ASCII.
fn host_name(extension: &[u8]) -> Option<String> {
    let name = match extension.get(2..)? {
        [0, high, low, name @ ..] => name.get(..u16::from_be_bytes([*high, *low]).into())?,
        _ => return None,
    };
    let name = std::str::from_utf8(name).ok()?;
    (name.is_ascii() && !name.contains('\0') && !name.is_empty()).then(|| name.to_owned())
}
