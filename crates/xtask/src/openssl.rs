//! The one OpenSSL build that debug, release, sanitizer and bench builds share.

use std::fs::{self, File};
use std::io::{self, BufRead, BufReader, IsTerminal, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::thread::available_parallelism;

/// The hidden command under which this program runs `openssl-src`, whose output the parent keeps in a log.
pub(crate) const COMPILE: &str = "compile-openssl";

/// Returns the folder of the bundled OpenSSL below `target`, which is built first if it is missing; with `no_async` of
/// one whose jobs cannot pause.
pub(crate) fn build(target: &Path, no_async: bool) -> Result<PathBuf, String> {
    // `openssl-src` versions read `400.0.2+4.0.3`: the crate's own, then OpenSSL's.
    let version = openssl_src::version().rsplit('+').next().unwrap_or_default();
    let folder = target.join("openssl").join(version);
    let stamp = folder.join("complete");
    if !stamp.exists() {
        for tool in ["perl", "make", "cc"] {
            let found = Command::new(tool).arg("--version").stdout(Stdio::null()).stderr(Stdio::null()).status();
            if found.is_err() {
                return Err(format!("building OpenSSL {version} needs `{tool}`, which is not installed"));
            }
        }
        fs::create_dir_all(&folder).map_err(|error| format!("{}: {error}", folder.display()))?;
        let log = folder.join("build.log");
        eprintln!("building OpenSSL {version}: once, some minutes, log in {}", log.display());
        match run_logged(&folder, &log, no_async) {
            Ok(true) => {}
            Ok(false) => return Err(format!("building OpenSSL {version} failed, see {}", log.display())),
            Err(error) => return Err(format!("building OpenSSL {version} failed: {error}")),
        }
        fs::write(&stamp, version).map_err(|error| format!("{}: {error}", stamp.display()))?;
    }
    Ok(folder.join("install"))
}

/// The child's part: compiles into `folder`.
pub(crate) fn compile(folder: &Path) -> Result<(), String> {
    let host = host()?;
    openssl_src::Build::new()
        .out_dir(folder)
        .target(&host)
        .host(&host)
        // Compiled in as the default place of certificates and openssl.cnf: never this build's own folder.
        .openssl_dir("/etc/ssl")
        .try_build()
        .map(drop)
}

/// The target that this machine's compiler makes programs for.
pub(crate) fn host() -> Result<String, String> {
    let output = Command::new("rustc")
        .args(["--print", "host-tuple"])
        .output()
        .map_err(|error| format!("cannot start rustc: {error}"))?;
    Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned())
}

fn run_logged(folder: &Path, log: &Path, no_async: bool) -> io::Result<bool> {
    let jobs = available_parallelism().map_or(1, usize::from);
    let log_file = File::create(log)?;
    let mut child = Command::new(std::env::current_exe()?)
        .arg(COMPILE)
        .arg(folder)
        .env("CARGO_MAKEFLAGS", format!("-j{jobs}"))
        .envs(no_async.then_some(("CFLAGS", "-DOPENSSL_NO_ASYNC")))
        .stdout(Stdio::piped())
        .stderr(log_file.try_clone()?)
        .spawn()?;
    let mut log_file = log_file;
    let live = io::stderr().is_terminal();
    let mut compiled = 0;
    for line in BufReader::new(child.stdout.take().expect("stdout is piped")).split(b'\n') {
        let line = line?;
        log_file.write_all(&line)?;
        log_file.write_all(b"\n")?;
        if line.windows(4).any(|part| part == b" -c ") {
            compiled += 1;
            if live && compiled % 20 == 0 {
                eprint!("\r  {compiled} files compiled");
            }
        }
    }
    if live {
        eprintln!();
    }
    Ok(child.wait()?.success())
}
