//! The configuration by which a provider gets its parameters: 3.0 has no other way.

use std::ffi::c_int;
use std::path::Path;
use std::ptr;

use libssl_async_sys as sys;
use openssl_sys as ffi;

use super::ProviderError;

/// The text of a configuration that has one provider, which is not activated by it: why that fails would be lost.
pub(super) fn of(name: &str, path: Option<&Path>, parameters: &[(String, String)]) -> Result<String, ProviderError> {
    let mut text =
        format!("openssl_conf = main\n[main]\nproviders = all\n[all]\n{} = provider\n[provider]\n", checked(name)?);
    if let Some(path) = path {
        let path = path.to_str().ok_or_else(|| ProviderError::Configuration(path.display().to_string()))?;
        text.push_str(&format!("module = {}\n", quoted(path)?));
    }
    for (name, value) in parameters {
        text.push_str(&format!("{} = {}\n", checked(name)?, quoted(value)?));
    }
    Ok(text)
}

/// Applies it to a library context. What went wrong is in the error queue.
///
/// # Safety
/// The context is valid.
pub(super) unsafe fn apply(context: *mut ffi::OSSL_LIB_CTX, text: &str) -> bool {
    let Ok(length) = c_int::try_from(text.len()) else { return false };
    // SAFETY: the context is the caller's; the text outlives the BIO, which only reads it.
    unsafe {
        let bio = ffi::BIO_new_mem_buf(text.as_ptr().cast(), length);
        let configuration = sys::NCONF_new_ex(context, ptr::null_mut());
        let applied = !bio.is_null()
            && !configuration.is_null()
            && sys::NCONF_load_bio(configuration, bio, ptr::null_mut()) > 0
            && sys::CONF_modules_load(configuration, ptr::null(), 0) > 0;
        ffi::NCONF_free(configuration);
        ffi::BIO_free_all(bio);
        applied
    }
}

/// A name, which cannot be quoted.
fn checked(name: &str) -> Result<&str, ProviderError> {
    let allowed = |character: char| character.is_ascii_alphanumeric() || "-_.".contains(character);
    if name.is_empty() || !name.chars().all(allowed) {
        return Err(ProviderError::Configuration(name.to_owned()));
    }
    Ok(name)
}

/// A value, which means nothing but itself.
fn quoted(value: &str) -> Result<String, ProviderError> {
    if value.contains(['\n', '\r', '\0']) || value.trim() != value {
        return Err(ProviderError::Configuration(value.to_owned()));
    }
    let special = |character: char| "\\\"'`#$;".contains(character);
    let mut quoted = String::with_capacity(value.len());
    for character in value.chars() {
        if special(character) {
            quoted.push('\\');
        }
        quoted.push(character);
    }
    Ok(quoted)
}

#[cfg(all(test, not(model)))]
mod tests {
    use super::*;

    #[test]
    fn nothing_gets_out_of_its_place() {
        let parameters = |name: &str, value: &str| [(name.to_owned(), value.to_owned())];
        let text = of("some", Some(Path::new("/a b/$c#d.so")), &parameters("pin", "it's \\n")).unwrap();
        assert!(text.ends_with("some = provider\n[provider]\nmodule = /a b/\\$c\\#d.so\npin = it\\'s \\\\n\n"));
        for (name, value) in [("a b", ""), ("a]", ""), ("", ""), ("a", "b\n[c]"), ("a", " b"), ("a", "\0")] {
            of("some", None, &parameters(name, value)).unwrap_err();
        }
        of("no\nname", None, &[]).unwrap_err();
    }
}
