//! How a context is made of its options.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use openssl::error::ErrorStack;
use openssl::ssl::{SslContextBuilder, SslMethod, SslMode, SslOptions};
use openssl::x509::X509;
use openssl::x509::verify::X509VerifyFlags;

use super::certificate::{certificates, revocations};
use super::handle::{ContextHandle, Settings};
use super::identity::Identities;
use super::initialise::initialise;
use super::options::NativeContextOptions;
use super::sigalgs::SignatureAlgorithms;
use super::tickets::TicketKeys;
use super::trust::Trust;
use super::{algorithms, hello, observer, resumption, verify};
use crate::error::Checked;

/// Makes a context.
pub(super) fn context(options: &NativeContextOptions<'_>) -> Checked<ContextHandle> {
    initialise()?;
    let mut builder = new_builder(SslMethod::tls())?;
    // Chains are completed here once, not in every handshake.
    builder.set_mode(SslMode::NO_AUTO_CHAIN);
    set_options(&mut builder, options);
    algorithms::configure(&mut builder, options)?;
    algorithms::set_dh(&mut builder, options)?;
    observer::prepare(&mut builder)?;
    // Unless it is acknowledged, OpenSSL does not keep the name in sessions, and resumed ones of TLS 1.2 have none.
    builder.set_servername_callback(|_, _| Ok(()));
    resumption::configure(&mut builder, options)?;
    let ticket_keys = options.ticket_keys.as_deref().map(|seeds| TicketKeys::new(&builder, seeds)).transpose()?;

    let identities = Identities::read(options)?;
    let trust = trust(options, &identities.authorities)?;
    set_trust(&mut builder, options, &trust)?;
    identities.install(&mut builder)?;
    let sigalgs = SignatureAlgorithms::of(identities.keys(), options.sigalgs.as_deref())?;
    let protocols = options.alpn_protocols.as_deref().filter(|list| !list.is_empty()).map(<[u8]>::to_vec);
    hello::prepare(&mut builder, protocols.clone())?;
    Ok(ContextHandle::new(Settings {
        context: builder.build(),
        protocols,
        request_cert: options.request_cert,
        reject_unauthorized: options.reject_unauthorized,
        session_id_context: resumption::session_id_context(options, &trust),
        sigalgs,
        ticket_keys,
        certificates: identities.first(trust.certificates())?,
        tells: AtomicBool::new(false),
        _trust: trust,
    }))
}

/// Where OpenSSL is ours alone, AWS-LC exchanges the keys.
#[cfg(feature = "bundled")]
fn new_builder(method: SslMethod) -> Result<SslContextBuilder, ErrorStack> {
    libssl_async::exchange::context_builder(method)
}

/// What the process has chosen for its OpenSSL is left as it is: an engine, for instance, exchanges keys itself.
#[cfg(not(feature = "bundled"))]
fn new_builder(method: SslMethod) -> Result<SslContextBuilder, ErrorStack> {
    SslContextBuilder::new(method)
}

/// Sets `SSL_OP_*`. Corresponds to `SSL_CTX_set_options`.
fn set_options(builder: &mut SslContextBuilder, options: &NativeContextOptions<'_>) {
    let mut bits = SslOptions::from_bits_retain(options.secure_options as u64);
    bits.set(SslOptions::CIPHER_SERVER_PREFERENCE, options.honor_cipher_order);
    builder.set_options(bits);
}

/// What peers are verified against; shared with other contexts unless something is added that is this context's alone.
fn trust(options: &NativeContextOptions<'_>, authorities: &[X509]) -> Checked<Arc<Trust>> {
    let shared = match (&options.ca, &options.default_trust) {
        (Some(sources), _) => Trust::of(sources, certificates)?,
        (None, Some(default)) => Arc::clone(default.trust()),
        (None, None) => Trust::of(&[], certificates)?,
    };
    let mut revoked = Vec::new();
    for source in &options.crl {
        revoked.extend(revocations(source)?);
    }
    if authorities.is_empty() && revoked.is_empty() {
        return Ok(shared);
    }
    Ok(Arc::new(shared.with(authorities, &revoked)?))
}

/// Sets how peers are verified, and against what.
///
/// Corresponds to `SSL_CTX_set1_cert_store`, `X509_VERIFY_PARAM_set_flags` and `SSL_CTX_add_client_CA`.
fn set_trust(builder: &mut SslContextBuilder, options: &NativeContextOptions<'_>, trust: &Trust) -> Checked<()> {
    trust.install(builder);
    verify::install(builder);
    let mut flags = X509VerifyFlags::empty();
    flags.set(X509VerifyFlags::PARTIAL_CHAIN, options.allow_partial_trust_chain);
    flags.set(X509VerifyFlags::CRL_CHECK | X509VerifyFlags::CRL_CHECK_ALL, !options.crl.is_empty());
    builder.verify_param_mut().set_flags(flags)?;
    if options.ca.is_some() && options.request_cert {
        for authority in trust.certificates() {
            builder.add_client_ca(authority)?;
        }
    }
    Ok(())
}
