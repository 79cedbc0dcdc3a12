//! What OpenSSL's asynchronous mode needs and [`openssl_sys`] does not bind.
//!
//! | module | header | what |
//! |---|---|---|
//! | [`asynch`] | `async.h` | jobs, wait contexts, job stacks |
//! | [`ssl`] | `ssl.h` | `SSL_MODE_ASYNC`, the async callbacks, status and descriptors; libssl's own retry points |
//! | [`provider`] | `provider.h`, `core.h`, `core_dispatch.h` | what a provider compiled into the program needs |
//! | [`params`] | `params.h`, `core_names.h` | typed parameters and their names |
//! | [`pkey`] | `evp.h`, `rsa.h` | keys that a provider holds |
//! | [`x509`] | `x509_vfy.h`, `pkcs12.h` | verification, revocation lists, archives |
//! | [`crypto`] | `crypto.h`, `conf.h`, `err.h` | initialisation, error marks |
//! | [`store`] | `store.h` | keys by URI |
//! | [`ui`] | `ui.h` | passphrases |
//! | `engine` | `engine.h` | third-party engines; absent from OpenSSL 4.0 and `no-engine` builds |
//! | [`thin`] | | the man page's functions on the `openssl` crate's types |
//!
//! Everything but [`thin`] is re-exported here under its C name; a name that `openssl_sys` binds is not declared again.
//! Every signature, constant and layout is compared with OpenSSL's headers in CI (`crates/header-check`).
//!
//! OpenSSL 3.0 or newer. What a later version added or removed is present only with that version.

// The names are OpenSSL's, to be found in its manual.
#![allow(non_camel_case_types, non_snake_case)]

pub mod asynch;
pub mod crypto;
#[cfg(not(any(ossl400, osslconf = "OPENSSL_NO_ENGINE")))]
pub mod engine;
pub mod params;
pub mod pkey;
pub mod provider;
pub mod ssl;
pub mod store;
pub mod thin;
pub mod ui;
pub mod x509;

pub use asynch::*;
pub use crypto::*;
#[cfg(not(any(ossl400, osslconf = "OPENSSL_NO_ENGINE")))]
pub use engine::*;
pub use params::*;
pub use pkey::*;
pub use provider::*;
pub use ssl::*;
pub use store::*;
pub use ui::*;
pub use x509::*;

#[cfg(not(any(ossl400, osslconf = "OPENSSL_NO_ENGINE")))]
pub use openssl_sys::ENGINE;
pub use openssl_sys::{
    BIGNUM, BIO, CONF, CONF_METHOD, EVP_CIPHER_CTX, EVP_MAC_CTX, EVP_MD, EVP_MD_CTX, EVP_PKEY, EVP_PKEY_CTX,
    OPENSSL_INIT_SETTINGS, OSSL_LIB_CTX, OSSL_PARAM, OSSL_PROVIDER, PKCS12, SSL, SSL_CTX, SSL_METHOD, SSL_SESSION,
    X509, X509_CRL, X509_STORE, X509_STORE_CTX, stack_st_SSL_CIPHER,
};
