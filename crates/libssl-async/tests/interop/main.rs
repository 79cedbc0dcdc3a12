//! Connections whose private key is remote, with peers that are not ours: rustls, the `openssl` program, curl.

#[path = "../local_key/mod.rs"]
mod local_key;
#[path = "../support/mod.rs"]
mod support;

mod authority;
mod program;
mod remote;
mod rustls_peers;
mod s_client;
mod s_server;
mod with_curl;

use openssl::ssl::SslVersion;

/// The versions that all peers speak.
const VERSIONS: [SslVersion; 2] = [SslVersion::TLS1_2, SslVersion::TLS1_3];

/// The protocols of ALPN that both sides offer, as they are on the wire.
const PROTOCOLS: &[u8] = b"\x04echo\x08http/1.1";
