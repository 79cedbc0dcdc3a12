//! The system's compiler, for engines and providers in C.

use std::path::{Path, PathBuf};
use std::process::Command;

/// What compiles a shared object of this name with the headers of this OpenSSL.
pub(crate) fn compiler(name: &str) -> Command {
    let mut compiler = Command::new("cc");
    compiler.args(["-shared", "-fPIC", "-O1", "-g"]).arg(format!("-I{}", env!("OPENSSL_INCLUDE")));
    compiler.arg("-o").arg(target(name));
    compiler
}

pub(crate) fn target(name: &str) -> PathBuf {
    Path::new(env!("CARGO_TARGET_TMPDIR")).join(name)
}

pub(crate) fn run(command: &mut Command) {
    let output = command.output().unwrap();
    assert!(output.status.success(), "{command:?}: {}", String::from_utf8_lossy(&output.stderr));
}
