//! Turns what `openssl-sys` found out about OpenSSL into the cfgs of this crate, named as its own are. The header check
//! runs it, too, to see the same declarations.

use std::env;

/// A cfg is set from this `OPENSSL_VERSION_NUMBER` on.
const VERSIONS: [(&str, u64); 2] = [("ossl320", 0x3020_0000), ("ossl400", 0x4000_0000)];
const OLDEST: u64 = 0x3000_0000;

pub(crate) fn main() {
    for (name, _) in VERSIONS {
        println!("cargo::rustc-check-cfg=cfg({name})");
    }
    println!("cargo::rustc-check-cfg=cfg(osslconf, values(\"OPENSSL_NO_ENGINE\"))");

    let version = env::var("DEP_OPENSSL_VERSION_NUMBER").ok().and_then(|hex| u64::from_str_radix(&hex, 16).ok());
    let Some(version) = version.filter(|version| *version >= OLDEST) else {
        println!(
            "cargo::error=libssl-async needs OpenSSL 3.0 or newer; LibreSSL, BoringSSL and AWS-LC have no ASYNC_JOB"
        );
        return;
    };
    for (name, first) in VERSIONS {
        if version >= first {
            println!("cargo::rustc-cfg={name}");
        }
    }
    let conf = env::var("DEP_OPENSSL_CONF").unwrap_or_default();
    if conf.split(',').any(|macro_name| macro_name == "OPENSSL_NO_ENGINE") {
        println!("cargo::rustc-cfg=osslconf=\"OPENSSL_NO_ENGINE\"");
    }
}
