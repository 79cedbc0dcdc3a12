//! Turns the version of the OpenSSL that `openssl-sys` found into cfgs.

use std::env;

fn main() {
    println!("cargo:rustc-check-cfg=cfg(model)");
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
}
