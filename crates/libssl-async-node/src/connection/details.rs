//! What only those ask who look closely at an established connection.

use foreign_types::ForeignTypeRef;
use libssl_async_sys as sys;
use napi::bindgen_prelude::Buffer;
use napi_derive::napi;
use openssl::nid::Nid;
use openssl::pkey::Id;
use openssl::ssl::{SslRef, SslSessionRef};

use super::NativeConnection;
use crate::context::trace;

/// The key that a server has made for one handshake.
#[napi(object, object_from_js = false)]
pub struct NativeEphemeralKey {
    /// `DH` or `ECDH`.
    #[napi(js_name = "type")]
    pub kind: &'static str,
    /// The curve.
    pub name: Option<String>,
    /// Bits.
    pub size: u32,
}

/// The most that a `Finished` message has, in bytes.
const FINISHED: usize = 64;

#[napi]
impl NativeConnection {
    /// This side's certificate in DER. Corresponds to `SSL_get_certificate`.
    #[napi(getter)]
    pub fn own_certificate(&self) -> Option<Buffer> {
        self.ask(|ssl| ssl.certificate().and_then(|own| own.to_der().ok())).flatten().map(Buffer::from)
    }

    /// The last `Finished` that this side has sent. Corresponds to `SSL_get_finished`.
    #[napi(getter)]
    pub fn finished(&self) -> Option<Buffer> {
        self.message(SslRef::finished)
    }

    /// The last `Finished` that the peer has sent. Corresponds to `SSL_get_peer_finished`.
    #[napi(getter)]
    pub fn peer_finished(&self) -> Option<Buffer> {
        self.message(SslRef::peer_finished)
    }

    /// The response that the server has stapled, in DER. Corresponds to `SSL_get_tlsext_status_ocsp_resp`.
    #[napi(getter)]
    pub fn ocsp_response(&self) -> Option<Buffer> {
        self.ask(|ssl| ssl.ocsp_status().map(<[u8]>::to_vec)).flatten().map(Buffer::from)
    }

    /// The server's key of this handshake, of a client. Corresponds to `SSL_get_peer_tmp_key`.
    #[napi(getter)]
    pub fn ephemeral_key(&self) -> Option<NativeEphemeralKey> {
        let key = self.ask(|ssl| if ssl.is_server() { None } else { ssl.peer_tmp_key().ok() }).flatten()?;
        let size = key.bits();
        let name = match key.id() {
            Id::DH => return Some(NativeEphemeralKey { kind: "DH", name: None, size }),
            Id::EC => {
                let curve = key.ec_key().ok().and_then(|key| key.group().curve_name())?;
                curve.short_name().ok()?.to_owned()
            }
            other => Nid::from_raw(other.as_raw()).short_name().ok()?.to_owned(),
        };
        Some(NativeEphemeralKey { kind: "ECDH", name: Some(name), size })
    }

    /// The signature algorithms that both sides have, as Node names them. Corresponds to `SSL_get_shared_sigalgs`.
    #[napi(getter)]
    pub fn shared_sigalgs(&self) -> Vec<String> {
        self.ask(shared_sigalgs).unwrap_or_default()
    }

    /// The ticket of the session, of a client that has one. Corresponds to `SSL_SESSION_get0_ticket`.
    #[napi(getter)]
    pub fn ticket(&self) -> Option<Buffer> {
        self.ask(|ssl| ssl.session().and_then(ticket)).flatten().map(Buffer::from)
    }

    /// Has the messages of the connection told on standard error, from now on. Corresponds to `SSL_set_msg_callback`.
    #[napi]
    pub fn enable_trace(&self) {
        self.ask(trace);
    }

    /// Limits what one record holds, in bytes; `false` where that is not possible. Corresponds to
    /// `SSL_set_max_send_fragment`.
    #[napi]
    pub fn set_max_send_fragment(&self, size: u32) -> bool {
        // SAFETY: the SSL is valid, and used by nobody else meanwhile.
        self.ask(|ssl| unsafe { sys::SSL_set_max_send_fragment(ssl.as_ptr(), size.into()) } == 1).unwrap_or(false)
    }

    fn message(&self, read: impl FnOnce(&SslRef, &mut [u8]) -> usize) -> Option<Buffer> {
        let mut message = vec![0; FINISHED];
        let length = self.ask(|ssl| read(ssl, &mut message))?;
        message.truncate(length);
        (length > 0).then(|| message.into())
    }
}

fn ticket(session: &SslSessionRef) -> Option<Vec<u8>> {
    let (mut bytes, mut length) = (std::ptr::null(), 0);
    // SAFETY: the session is valid, and so is what it has for as long as it is borrowed.
    unsafe {
        sys::SSL_SESSION_get0_ticket(session.as_ptr(), &mut bytes, &mut length);
        (!bytes.is_null()).then(|| std::slice::from_raw_parts(bytes, length).to_vec())
    }
}

fn shared_sigalgs(ssl: &SslRef) -> Vec<String> {
    let mut algorithms = Vec::new();
    let none = std::ptr::null_mut();
    loop {
        let (mut sign, mut hash) = (0, 0);
        let index = algorithms.len() as i32;
        // SAFETY: the SSL is valid, and null stands for what is not asked.
        let count = unsafe {
            sys::SSL_get_shared_sigalgs(ssl.as_ptr(), index, &mut sign, &mut hash, none, none.cast(), none.cast())
        };
        if index >= count {
            return algorithms;
        }
        algorithms.push(format!("{}+{}", name(sign), name(hash)));
    }
}

/// The name of an algorithm, as `SSL_CTX_set1_sigalgs_list` has it.
fn name(nid: i32) -> String {
    match Nid::from_raw(nid) {
        Nid::RSAENCRYPTION => "RSA",
        Nid::RSASSAPSS => "RSA-PSS",
        Nid::DSA => "DSA",
        Nid::X9_62_ID_ECPUBLICKEY => "ECDSA",
        other if other.as_raw() == Id::ED25519.as_raw() => "Ed25519",
        other if other.as_raw() == Id::ED448.as_raw() => "Ed448",
        other => other.short_name().unwrap_or("UNDEF"),
    }
    .to_owned()
}
