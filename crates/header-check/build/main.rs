//! Writes one check for each declaration of `libssl-async-sys`, which its own source lists, against bindgen's reading of
//! the headers that `openssl-sys` builds with.

mod bindings;
#[path = "../../libssl-async-sys/build.rs"]
mod cfgs;
mod checks;
mod declarations;

use std::env;
use std::fs;
use std::path::{Path, PathBuf};

const SOURCE: &str = "../libssl-async-sys/src";

fn main() {
    println!("cargo::rerun-if-changed=build");
    println!("cargo::rerun-if-changed={SOURCE}");
    cfgs::main();

    let declarations = declarations::read(Path::new(SOURCE));
    let include = env::var_os("DEP_OPENSSL_INCLUDE").expect("openssl-sys tells where the headers are");
    let out = PathBuf::from(env::var_os("OUT_DIR").expect("cargo sets it"));
    bindings::write(&declarations, Path::new(&include), &out);
    fs::write(out.join("checks.rs"), checks::of(&declarations)).expect("OUT_DIR is writable");
}
