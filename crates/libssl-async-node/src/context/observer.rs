//! What libssl tells of a connection while it works.

use std::sync::{Arc, OnceLock};

use libssl_async::AskError;
use openssl::error::ErrorStack;
use openssl::ex_data::Index;
use openssl::ssl::{Ssl, SslContextBuilder, SslRef, SslSession, SslSessionCacheMode};

use super::hello::{Choice, ClientHello};
use super::psk::PreSharedKey;
use super::verify::Unverified;

/// Is told of what a connection does and asked what it is to do, on whatever thread drives the connection, in the midst of an SSL call
/// and maybe on the fibre of a job: not to call libssl.
pub(crate) trait Observer: Send + Sync + 'static {
    /// What a server chooses for a client, `None` if it chooses nothing. Fails the handshake with an error. May wait for
    /// somebody else, as [`libssl_async::ask`] does.
    fn hello(&self, hello: &dyn Fn() -> ClientHello) -> Result<Option<Choice>, AskError>;

    /// Refuses a peer that OpenSSL accepts, or that is put up with, by an error. May wait, too.
    fn verify(&self, peer: &dyn Fn() -> Unverified) -> Result<(), AskError>;

    /// Whether a server that OpenSSL does not accept is put up with.
    fn tolerates(&self) -> bool;

    /// The key of an identity that a client names, `None` if there is none. Fails the handshake with an error. May wait, too.
    fn psk_of(&self, identity: String) -> Result<Option<PreSharedKey>, AskError>;

    /// The identity and key of a client, whose server may have given a hint; as [`Observer::psk_of`].
    fn own_psk(&self, hint: Option<String>) -> Result<Option<PreSharedKey>, AskError>;

    /// The client may resume this session; with TLS 1.3 there may be several. A server may wait for whoever keeps it.
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
    // Sessions are told; nobody keeps them here. Servers resume by tickets, which hold all there is.
    builder.set_session_cache_mode(SslSessionCacheMode::BOTH | SslSessionCacheMode::NO_INTERNAL);
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

/// The observer of an SSL, if it has one.
pub(super) fn observer(ssl: &SslRef) -> Option<Arc<dyn Observer>> {
    ssl.ex_data(index().ok()?).cloned()
}

fn index() -> Result<Index<Ssl, Arc<dyn Observer>>, ErrorStack> {
    static INDEX: OnceLock<Index<Ssl, Arc<dyn Observer>>> = OnceLock::new();
    if let Some(index) = INDEX.get() {
        return Ok(*index);
    }
    let index = Ssl::new_ex_index()?;
    Ok(*INDEX.get_or_init(|| index))
}
