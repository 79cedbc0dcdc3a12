//! The TLS alerts of a connection.

use std::ffi::c_int;

use openssl_sys as ffi;

use super::bio;

/// An alert that ended a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Alert {
    description: u8,
    received: bool,
}

impl Alert {
    /// The number of the alert, as registered with IANA.
    pub fn description(self) -> u8 {
        self.description
    }

    /// Whether the peer sent it; otherwise it was sent to the peer.
    pub fn received(self) -> bool {
        self.received
    }

    /// The name of RFC 8446, `handshake_failure` for instance; `unknown` for a number that has none.
    pub fn name(self) -> &'static str {
        match self.description {
            0 => "close_notify",
            10 => "unexpected_message",
            20 => "bad_record_mac",
            21 => "decryption_failed",
            22 => "record_overflow",
            30 => "decompression_failure",
            40 => "handshake_failure",
            41 => "no_certificate",
            42 => "bad_certificate",
            43 => "unsupported_certificate",
            44 => "certificate_revoked",
            45 => "certificate_expired",
            46 => "certificate_unknown",
            47 => "illegal_parameter",
            48 => "unknown_ca",
            49 => "access_denied",
            50 => "decode_error",
            51 => "decrypt_error",
            60 => "export_restriction",
            70 => "protocol_version",
            71 => "insufficient_security",
            80 => "internal_error",
            86 => "inappropriate_fallback",
            90 => "user_canceled",
            100 => "no_renegotiation",
            109 => "missing_extension",
            110 => "unsupported_extension",
            111 => "certificate_unobtainable",
            112 => "unrecognized_name",
            113 => "bad_certificate_status_response",
            114 => "bad_certificate_hash_value",
            115 => "unknown_psk_identity",
            116 => "certificate_required",
            120 => "no_application_protocol",
            _ => "unknown",
        }
    }
}

/// The info callback of every connection: keeps the last fatal alert. Runs on the fibre, so it only stores (rule 19).
pub(super) unsafe extern "C" fn observe(ssl: *const ffi::SSL, kind: c_int, value: c_int) {
    const WARNING: c_int = 1;
    let received = match kind {
        libssl_async_sys::SSL_CB_READ_ALERT => true,
        libssl_async_sys::SSL_CB_WRITE_ALERT => false,
        _ => return,
    };
    if value >> 8 != WARNING {
        let alert = Alert { description: (value & 0xff) as u8, received };
        // SAFETY: libssl calls this only while one of our SSL calls runs, whose BIO is the wire's.
        unsafe { bio::wire_of(ssl) }.set_alert(alert);
    }
}
