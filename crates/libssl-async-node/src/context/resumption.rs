//! Sessions and tickets.

use libssl_async_sys as sys;
use openssl::error::ErrorStack;
use openssl::ssl::{SslContextBuilder, SslOptions};

use super::options::NativeContextOptions;
use super::trust::{Trust, digest};

/// How long servers' sessions live, and how their tickets are made.
pub(super) fn configure(builder: &mut SslContextBuilder, options: &NativeContextOptions<'_>) -> Result<(), ErrorStack> {
    if let Some(seconds) = options.session_timeout {
        // SAFETY: the context is valid.
        unsafe { sys::SSL_CTX_set_timeout(builder.as_ptr(), seconds.into()) };
    }
    builder.set_num_tickets(options.tickets as usize)?;
    if options.tickets == 0 {
        builder.set_options(SslOptions::NO_TICKET);
    }
    Ok(())
}

/// What a server's sessions are bound to: nobody resumes one where other clients are let in.
///
/// Unless the user says otherwise, it is made of all that decides about clients, so that it is the same in processes that
/// share `ticketKeys` and all the rest. Corresponds to `SSL_set_session_id_context`.
pub(super) fn session_id_context(options: &NativeContextOptions<'_>, trust: &Trust) -> Vec<u8> {
    options.session_id_context.as_deref().map_or_else(
        || {
            let asks = [options.request_cert, options.reject_unauthorized, options.allow_partial_trust_chain];
            digest([asks.map(u8::from).as_slice(), trust.fingerprint()]).to_vec()
        },
        <[u8]>::to_vec,
    )
}
