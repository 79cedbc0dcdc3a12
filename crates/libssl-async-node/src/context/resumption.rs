//! Sessions and tickets.

use libssl_async_sys as sys;
use openssl::error::ErrorStack;
use openssl::md::Md;
use openssl::pkey::Id;
use openssl::pkey_ctx::PkeyCtx;
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
    match options.ticket_keys.as_deref() {
        Some(keys) => set_ticket_keys(builder, keys),
        None => Ok(()),
    }
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

/// Makes the name and the two keys that OpenSSL wants of 48 random bytes: the name is public, the keys come of the rest.
///
/// Corresponds to `SSL_CTX_set_tlsext_ticket_keys`.
fn set_ticket_keys(builder: &SslContextBuilder, keys: &[u8]) -> Result<(), ErrorStack> {
    let (name, secret) = keys.split_at(16);
    let mut ticket_keys = [0; 80];
    ticket_keys[..16].copy_from_slice(name);
    let mut hkdf = PkeyCtx::new_id(Id::HKDF)?;
    hkdf.derive_init()?;
    hkdf.set_hkdf_md(Md::sha256())?;
    hkdf.set_hkdf_key(secret)?;
    hkdf.set_hkdf_salt(&[])?;
    hkdf.add_hkdf_info(b"libssl-async session tickets")?;
    hkdf.derive(Some(&mut ticket_keys[16..]))?;
    // SAFETY: the context is valid and copies the keys.
    match unsafe { sys::SSL_CTX_set_tlsext_ticket_keys(builder.as_ptr(), ticket_keys.as_ptr().cast(), 80) } {
        1 => Ok(()),
        _ => Err(ErrorStack::get()),
    }
}
