//! Turns the version of the OpenSSL that `openssl-sys` found into cfgs.

use std::env;

fn main() {
    println!("cargo:rustc-check-cfg=cfg(model)");
    println!("cargo:rustc-check-cfg=cfg(engine)");
    println!("cargo:rustc-check-cfg=cfg(ossl320)");
    println!("cargo:rustc-check-cfg=cfg(ossl350)");
    let version = env::var("DEP_OPENSSL_VERSION_NUMBER").expect("openssl-sys tells the version it links");
    let version = u64::from_str_radix(&version, 16).expect("the version is a hexadecimal number");
    assert!(version >= 0x3000_0000, "libssl-async needs OpenSSL 3.0 or newer");
    for (first, cfg) in [(0x3020_0000, "ossl320"), (0x3050_0000, "ossl350")] {
        if version >= first {
            println!("cargo:rustc-cfg={cfg}");
        }
    }
    // Rule 28: OpenSSL 4.0 has none, and 3.x may be built without.
    let conf = env::var("DEP_OPENSSL_CONF").unwrap_or_default();
    if version < 0x4000_0000 && !conf.split(',').any(|name| name == "OPENSSL_NO_ENGINE") {
        println!("cargo:rustc-cfg=engine");
    }
    // For the tests, which compile an engine.
    println!("cargo:rustc-env=OPENSSL_INCLUDE={}", env::var("DEP_OPENSSL_INCLUDE").unwrap_or_default());
}
