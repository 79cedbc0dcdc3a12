//! What libssl tells of a connection while it works.

use std::sync::{Arc, OnceLock};

use openssl::error::ErrorStack;
use openssl::ex_data::Index;
use openssl::ssl::{Ssl, SslContextBuilder, SslRef, SslSession, SslSessionCacheMode};

/// Is told of a connection's sessions and secrets, on whatever thread drives the connection, in the midst of an SSL call
/// and maybe on the fibre of a job: to be quick, and not to call libssl.
pub(crate) trait Observer: Send + Sync + 'static {
    /// A client may resume this session; with TLS 1.3 there may be several.
    fn session(&self, session: &SslSession);

    /// A secret, as a line of the key log format that Wireshark reads.
    fn secret(&self, line: &str);
}

/// Sets the observer of an SSL that was made from one of our contexts.
pub(crate) fn observe(ssl: &mut Ssl, observer: Arc<dyn Observer>) -> Result<(), ErrorStack> {
    ssl.set_ex_data(index()?, observer);
    Ok(())
}

/// Prepares a context for observers.
///
/// Corresponds to `SSL_CTX_sess_set_new_cb` and `SSL_CTX_set_keylog_callback`.
pub(super) fn prepare(builder: &mut SslContextBuilder) -> Result<(), ErrorStack> {
    let index = index()?;
    // Clients have their sessions told; nobody keeps them here. Servers resume by tickets, which hold all there is.
    builder.set_session_cache_mode(SslSessionCacheMode::CLIENT | SslSessionCacheMode::NO_INTERNAL);
    builder.set_new_session_callback(move |ssl, session| {
        if let Some(observer) = ssl.ex_data(index) {
            observer.session(&session);
        }
    });
    builder.set_keylog_callback(move |ssl: &SslRef, line: &str| {
        if let Some(observer) = ssl.ex_data(index) {
            observer.secret(line);
        }
    });
    Ok(())
}

fn index() -> Result<Index<Ssl, Arc<dyn Observer>>, ErrorStack> {
    static INDEX: OnceLock<Index<Ssl, Arc<dyn Observer>>> = OnceLock::new();
    if let Some(index) = INDEX.get() {
        return Ok(*index);
    }
    let index = Ssl::new_ex_index()?;
    Ok(*INDEX.get_or_init(|| index))
}
