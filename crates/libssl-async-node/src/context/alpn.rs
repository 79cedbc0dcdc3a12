//! How a server chooses the application protocol.

use openssl::ssl::{AlpnError, SslContextBuilder};

/// Has servers choose the first of `protocols`, in the wire format, that the client offers; if there is none, the
/// handshake fails with the alert `no_application_protocol`.
///
/// Corresponds to `SSL_CTX_set_alpn_select_cb`.
pub(super) fn select(builder: &mut SslContextBuilder, protocols: Vec<u8>) {
    builder.set_alpn_select_callback(move |_, offered| {
        names(&protocols).find_map(|name| names(offered).find(|offer| *offer == name)).ok_or(AlpnError::ALERT_FATAL)
    });
}

/// The names of a list in the wire format, which has a byte of length before each.
fn names(mut list: &[u8]) -> impl Iterator<Item = &[u8]> {
    std::iter::from_fn(move || {
        let (length, rest) = list.split_first()?;
        let (name, rest) = rest.split_at_checked((*length).into())?;
        list = rest;
        Some(name)
    })
}
