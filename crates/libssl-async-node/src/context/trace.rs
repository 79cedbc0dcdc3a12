//! The messages of a connection on standard error, for those who look for a fault.

use std::ffi::{c_int, c_void};
use std::io::Write as _;
use std::{io, slice};

use foreign_types::ForeignTypeRef;
use libssl_async_sys as sys;
use openssl::ssl::SslRef;
use openssl_sys::SSL;

/// Has messages told from now on. Corresponds to `SSL_set_msg_callback`.
pub(crate) fn trace(ssl: &SslRef) {
    // SAFETY: the SSL is valid, and the callback of the type that is asked for.
    unsafe { sys::SSL_set_msg_callback(ssl.as_ptr(), Some(tell)) };
}

/// What OpenSSL calls by numbers of its own: the header of a record, and the kind that TLS 1.3 hides.
const RECORD_HEADER: c_int = 0x100;
const INNER_TYPE: c_int = 0x101;

unsafe extern "C" fn tell(
    sent: c_int,
    _version: c_int,
    content_type: c_int,
    bytes: *const c_void,
    length: usize,
    ssl: *mut SSL,
    _argument: *mut c_void,
) {
    if bytes.is_null() || matches!(content_type, RECORD_HEADER | INNER_TYPE) {
        return;
    }
    // SAFETY: libssl calls with as many readable bytes; only what kind of message they are is told of them.
    let first = unsafe { slice::from_raw_parts(bytes.cast::<u8>(), length) };
    let (way, what) = (if sent == 1 { "sent" } else { "received" }, name(content_type, first));
    let line = format!("TLS {ssl:p} {way} {what}, {length} bytes\n");
    // Whole, as a socket that Node reads takes few small writes. Nobody may be there to read it.
    let _unread = io::stderr().write_all(line.as_bytes());
}

fn name(content_type: c_int, bytes: &[u8]) -> String {
    match (content_type, bytes) {
        (20, _) => "ChangeCipherSpec".to_owned(),
        (21, [level, alert, ..]) => format!("alert {alert}, {}", if *level == 2 { "fatal" } else { "warning" }),
        (22, [kind, ..]) => handshake(*kind).to_owned(),
        (23, _) => "application data".to_owned(),
        (other, _) => format!("content of type {other}"),
    }
}

/// The types of RFC 8446, section 4, and of older versions.
fn handshake(kind: u8) -> &'static str {
    match kind {
        0 => "HelloRequest",
        1 => "ClientHello",
        2 => "ServerHello",
        4 => "NewSessionTicket",
        5 => "EndOfEarlyData",
        8 => "EncryptedExtensions",
        11 => "Certificate",
        12 => "ServerKeyExchange",
        13 => "CertificateRequest",
        14 => "ServerHelloDone",
        15 => "CertificateVerify",
        16 => "ClientKeyExchange",
        20 => "Finished",
        22 => "CertificateStatus",
        24 => "KeyUpdate",
        _ => "another handshake message",
    }
}
