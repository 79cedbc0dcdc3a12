//! Lists of application protocols in the wire format, which has a byte of length before each.

use openssl::ssl::AlpnError;

/// Chooses the first of a server's protocols that the client offers; if there is none, the handshake fails with the alert
/// `no_application_protocol`.
pub(super) fn select<'client>(own: &[u8], offered: &'client [u8]) -> Result<&'client [u8], AlpnError> {
    names(own).find_map(|name| names(offered).find(|offer| *offer == name)).ok_or(AlpnError::ALERT_FATAL)
}

/// The names of a list.
pub(super) fn names(mut list: &[u8]) -> impl Iterator<Item = &[u8]> {
    std::iter::from_fn(move || {
        let (length, rest) = list.split_first()?;
        let (name, rest) = rest.split_at_checked((*length).into())?;
        list = rest;
        Some(name)
    })
}
