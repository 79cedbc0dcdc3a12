//! Ciphers, groups, signature algorithms, protocol versions.

use openssl::dh::Dh;
use openssl::error::ErrorStack;
use openssl::ssl::{SslContext, SslContextBuilder, SslMethod, SslVersion};
use openssl_sys as ffi;

use super::options::NativeContextOptions;
use super::pem;
use crate::error::{Checked, NativeError, reason};

/// Sets what is negotiated. Corresponds to `SSL_CTX_set_cipher_list`, `SSL_CTX_set_ciphersuites`,
/// `SSL_CTX_set1_groups_list`, `SSL_CTX_set1_sigalgs_list` and `SSL_CTX_set_min_proto_version`, `_max_proto_version`.
pub(super) fn configure(builder: &mut SslContextBuilder, options: &NativeContextOptions<'_>) -> Checked<()> {
    builder.set_min_proto_version(Some(version(&options.min_version)))?;
    builder.set_max_proto_version(Some(version(&options.max_version)))?;
    set_ciphers(builder, options)?;
    if let Some(groups) = &options.groups {
        builder.set_groups_list(groups).map_err(|stack| {
            let bare = |item: &str| item.trim_start_matches(['?', '*', '-']).to_owned();
            let unknown = offender(groups, &[':', '/'], bare, |scratch, item| scratch.set_groups_list(item));
            unknown_name("ERR_LIBSSL_ASYNC_UNKNOWN_GROUP", &options.groups_option, "group", unknown, &stack)
        })?;
    }
    if let Some(sigalgs) = &options.sigalgs {
        builder.set_sigalgs_list(sigalgs).map_err(|stack| {
            let bare = |item: &str| item.trim_start_matches('?').to_owned();
            let unknown = offender(sigalgs, &[':'], bare, |scratch, item| scratch.set_sigalgs_list(item));
            unknown_name("ERR_LIBSSL_ASYNC_UNKNOWN_SIGALG", "sigalgs", "signature algorithm", unknown, &stack)
        })?;
    }
    Ok(())
}

/// Sets the finite-field groups of TLS 1.2. Corresponds to `SSL_CTX_set_dh_auto` and `SSL_CTX_set_tmp_dh`.
pub(super) fn set_dh(builder: &mut SslContextBuilder, options: &NativeContextOptions<'_>) -> Checked<()> {
    if options.dh_auto {
        // SAFETY: the context is valid.
        if unsafe { ffi::SSL_CTX_set_dh_auto(builder.as_ptr(), 1) } != 1 {
            return Err(ErrorStack::get().into());
        }
    }
    let Some(source) = &options.dhparam else { return Ok(()) };
    let parameters = Dh::params_from_pem(&source.data).map_err(|stack| {
        let blocks = pem::blocks(&source.data);
        let message = if blocks.iter().any(|block| block.label.ends_with("DH PARAMETERS")) {
            format!("the Diffie-Hellman parameters are garbled ({})", reason(&stack))
        } else {
            pem::without("Diffie-Hellman parameters", &blocks)
        };
        let error = NativeError::option("ERR_LIBSSL_ASYNC_INVALID_DHPARAM", &source.name, &message);
        Box::new(error.caused_by(stack.errors()))
    })?;
    builder.set_tmp_dh(&parameters).map_err(|stack| Box::new(NativeError::refused(&source.name, &stack)))
}

/// Tells the suites of TLS 1.3 from the ciphers of older versions, which OpenSSL keeps apart and Node does not.
fn set_ciphers(builder: &mut SslContextBuilder, options: &NativeContextOptions<'_>) -> Checked<()> {
    let list = options.ciphers.as_ref().unwrap_or(&options.default_ciphers);
    let (suites, ciphers): (Vec<_>, Vec<_>) =
        list.split(':').filter(|item| !item.is_empty()).partition(|item| item.starts_with("TLS_"));
    if options.ciphers.is_some() {
        refuse_unknown_ciphers(&suites, &ciphers, &options.default_ciphers)?;
    }
    let refused = |stack: ErrorStack| Box::new(NativeError::refused("ciphers", &stack));
    if !suites.is_empty() {
        builder.set_ciphersuites(&suites.join(":")).map_err(refused)?;
    }
    if !ciphers.is_empty() {
        return builder.set_cipher_list(&ciphers.join(":")).map_err(refused);
    }
    if suites.is_empty() || builder.max_proto_version() != Some(SslVersion::TLS1_3) {
        let message = format!("has no cipher for {}", options.max_version);
        return Err(Box::new(NativeError::option("ERR_SSL_NO_CIPHER_MATCH", "ciphers", &message)));
    }
    // As in Node: with suites of TLS 1.3 alone, the older versions are off.
    builder.set_min_proto_version(Some(SslVersion::TLS1_3)).map_err(refused)
}

/// OpenSSL passes over names that it does not know; a name that matches nothing is refused here. Not so after `!`, `-`
/// and `+`, which choose among what is there, nor the names of Node's list, which has some that no OpenSSL knows and
/// which users copy.
fn refuse_unknown_ciphers(suites: &[&str], ciphers: &[&str], tolerated: &str) -> Checked<()> {
    const CODE: &str = "ERR_SSL_NO_CIPHER_MATCH";
    let mut scratch = scratch()?;
    let unknown = suites.iter().find(|suite| scratch.set_ciphersuites(suite).is_err()).copied().or_else(|| {
        let names = ciphers.iter().flat_map(|list| list.split([' ', ',', ';']));
        let mut names = names.filter(|name| !name.is_empty() && !name.starts_with(['!', '-', '+', '@']));
        names.find(|name| !tolerated.split(':').any(|known| known == *name) && scratch.set_cipher_list(name).is_err())
    });
    match unknown {
        Some(name) => {
            let message = format!("OpenSSL has no cipher {name:?} enabled; tls.getCiphers() lists Node's names");
            Err(Box::new(NativeError::option(CODE, "ciphers", &message)))
        }
        None => Ok(()),
    }
}

fn unknown_name(code: &str, option: &str, what: &str, name: Option<String>, stack: &ErrorStack) -> Box<NativeError> {
    let error = match name {
        Some(name) => NativeError::option(code, option, &format!("OpenSSL has no {what} {name:?}")),
        None => NativeError::refused(option, stack),
    };
    Box::new(error.caused_by(stack.errors()))
}

/// The first item of a list that OpenSSL does not take even alone.
fn offender(
    list: &str,
    separators: &[char],
    bare: impl Fn(&str) -> String,
    set: impl Fn(&mut SslContextBuilder, &str) -> Result<(), ErrorStack>,
) -> Option<String> {
    let mut scratch = scratch().ok()?;
    list.split(separators).map(bare).find(|item| set(&mut scratch, item).is_err())
}

/// A context to try settings on.
fn scratch() -> Result<SslContextBuilder, ErrorStack> {
    SslContext::builder(SslMethod::tls())
}

fn version(name: &str) -> SslVersion {
    match name {
        "TLSv1" => SslVersion::TLS1,
        "TLSv1.1" => SslVersion::TLS1_1,
        "TLSv1.2" => SslVersion::TLS1_2,
        _ => SslVersion::TLS1_3,
    }
}
