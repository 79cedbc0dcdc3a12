//! What a handshake asks JavaScript while it waits.

use napi::bindgen_prelude::{Buffer, ClassInstance};
use napi_derive::napi;
use zeroize::Zeroizing;

use crate::context::{Choice, ClientHello, NativeContext, PreSharedKey, Protocol, Unverified};
use crate::environment::NativeEnvironment;
use crate::remote_key::JsFailure;

/// A question.
pub(crate) enum Asked {
    /// What to choose for a client.
    Hello(ClientHello),
    /// Whether a session is kept.
    NewSession { id: Vec<u8>, session: Vec<u8> },
    /// Whether a peer is accepted.
    Verify(Unverified),
    /// For a pre-shared key: a client is asked with the hint of its server, a server with the identity of its client.
    Psk { name: Option<String> },
}

/// What a client says first; versions, suites and the like by their numbers.
#[napi(object)]
pub struct NativeClientHello {
    /// The name that it asks for.
    pub servername: Option<String>,
    /// The application protocols that it offers.
    pub alpn_protocols: Vec<String>,
    /// The session that it would resume, of a version before TLS 1.3; or random bytes, or none.
    pub session_id: Buffer,
    /// Whether it asks for an OCSP response.
    pub wants_ocsp: bool,
    pub versions: Vec<u16>,
    pub ciphers: Vec<u16>,
    /// In its order.
    pub extensions: Vec<u16>,
    pub groups: Vec<u16>,
    pub signature_algorithms: Vec<u16>,
}

/// What JavaScript chooses.
#[napi(object, object_to_js = false)]
pub struct NativeChoice<'env> {
    /// The certificates, in place of the server's.
    pub context: Option<ClassInstance<'env, NativeContext>>,
    /// The application protocol, in place of the server's choice.
    pub alpn_protocol: Option<String>,
    /// Whether there is none, so that the handshake fails.
    pub alpn_refused: bool,
    /// The session that is wanted, in DER.
    pub session: Option<Buffer>,
    /// An OCSP response, in DER.
    pub ocsp_response: Option<Buffer>,
    /// A pre-shared key.
    pub psk: Option<Buffer>,
    /// What a client calls it.
    pub psk_identity: Option<String>,
}

#[napi]
impl NativeEnvironment {
    /// Answers a question of a handshake; returns whether it still waits.
    ///
    /// Without a choice the handshake fails, and `failure` says why.
    #[napi]
    pub fn reply(&self, request: u32, choice: Option<NativeChoice<'_>>, failure: Option<String>) -> bool {
        let Some(question) = self.inner().forget_reply(request) else { return false };
        question.answer(match choice {
            Some(choice) => Ok(choice.into()),
            None => Err(Box::new(JsFailure { request, message: failure.unwrap_or_default() })),
        })
    }
}

impl From<ClientHello> for NativeClientHello {
    fn from(hello: ClientHello) -> Self {
        Self {
            wants_ocsp: hello.wants_ocsp(),
            servername: hello.servername,
            alpn_protocols: hello.protocols.iter().map(|name| latin1(name)).collect(),
            session_id: hello.session_id.into(),
            versions: hello.versions,
            ciphers: hello.ciphers,
            extensions: hello.extensions,
            groups: hello.groups,
            signature_algorithms: hello.signature_algorithms,
        }
    }
}

impl From<NativeChoice<'_>> for Choice {
    fn from(choice: NativeChoice<'_>) -> Self {
        let protocol = match choice.alpn_protocol {
            _ if choice.alpn_refused => Protocol::Refused,
            Some(name) => Protocol::Chosen(name.chars().map(|letter| letter as u8).collect()),
            None => Protocol::Select,
        };
        Self {
            context: choice.context.map(|context| context.handle()),
            protocol,
            session: choice.session.map(|session| session.to_vec()),
            ocsp_response: choice.ocsp_response.map(|response| response.to_vec()),
            psk: choice.psk.map(|key| PreSharedKey {
                identity: choice.psk_identity.unwrap_or_default(),
                key: Zeroizing::new(key.to_vec()),
            }),
        }
    }
}

/// As Node, which reads the names of protocols as Latin-1.
pub(super) fn latin1(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| char::from(*byte)).collect()
}
