//! What `src/context.ts` makes of a context's options.

use napi::bindgen_prelude::{ClassInstance, Uint8ArraySlice};
use napi_derive::napi;

use super::trust::NativeTrust;
use crate::loading::NativeStoredKey;
use crate::remote_key::NativeRemoteKey;

/// The options of a context.
#[napi(object, object_to_js = false)]
pub struct NativeContextOptions<'a> {
    pub key: Vec<NativeKeySource<'a>>,
    pub cert: Vec<NativeSource<'a>>,
    pub pfx: Vec<NativeSource<'a>>,
    /// What is trusted, in place of `default_trust`.
    pub ca: Option<Vec<NativeSource<'a>>>,
    pub default_trust: Option<ClassInstance<'a, NativeTrust>>,
    pub crl: Vec<NativeSource<'a>>,
    pub allow_partial_trust_chain: bool,
    /// TLS 1.3 suites and older ciphers in one list, separated by colons.
    pub ciphers: Option<String>,
    /// Node's list, of which this OpenSSL need not know everything.
    pub default_ciphers: String,
    pub groups: Option<String>,
    /// The name for errors of what `groups` comes from.
    pub groups_option: String,
    pub sigalgs: Option<String>,
    /// `TLSv1.2`, for instance.
    pub min_version: String,
    pub max_version: String,
    pub honor_cipher_order: bool,
    /// Finite-field groups that OpenSSL chooses.
    pub dh_auto: bool,
    pub dhparam: Option<NativeSource<'a>>,
    /// `SSL_OP_*`.
    pub secure_options: i64,
    /// Names with a byte of length before each.
    pub alpn_protocols: Option<Uint8ArraySlice<'a>>,
    pub request_cert: bool,
    /// Whether a server refuses clients that do not verify.
    pub reject_unauthorized: bool,
    /// Seconds.
    pub session_timeout: Option<u32>,
    pub session_id_context: Option<Uint8ArraySlice<'a>>,
    /// 48 bytes for each key.
    pub ticket_keys: Option<Uint8ArraySlice<'a>>,
    pub tickets: u32,
}

/// The bytes of an option, or of one of its elements.
#[napi(object, object_to_js = false)]
pub struct NativeSource<'a> {
    /// The name for errors, such as `ca[1]`.
    pub name: String,
    pub data: Uint8ArraySlice<'a>,
    pub passphrase: Option<String>,
}

/// A private key: bytes, a remote key, or one of an engine or provider.
#[napi(object, object_to_js = false)]
pub struct NativeKeySource<'a> {
    /// The name for errors, such as `key[1]`.
    pub name: String,
    pub data: Option<Uint8ArraySlice<'a>>,
    pub passphrase: Option<String>,
    pub remote: Option<ClassInstance<'a, NativeRemoteKey>>,
    pub stored: Option<ClassInstance<'a, NativeStoredKey>>,
}
