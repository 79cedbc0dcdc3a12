//! The one OpenSSL build that debug, release, sanitizer and bench builds share.

use std::ffi::OsString;
use std::fs::{self, File};
use std::io::{self, BufRead, BufReader, IsTerminal, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::thread::available_parallelism;

use crate::{TARGET, workspace};

/// The hidden command under which this program runs `openssl-src`, whose output the parent keeps in a log.
pub(crate) const COMPILE: &str = "compile-openssl";

/// A build of the bundled OpenSSL.
pub(crate) struct Bundled {
    /// Where it is built, and what links it.
    pub(crate) folder: PathBuf,
    triple: String,
    no_async: bool,
}

impl Bundled {
    /// One for this machine, or for the target that `option` names; with `no_async` one whose jobs cannot pause.
    pub(crate) fn new(no_async: bool, option: Option<OsString>) -> Result<Self, String> {
        let named = option.as_ref().and_then(|option| option.to_str()?.strip_prefix(TARGET));
        let mut folder = workspace().join("target");
        folder.extend(named);
        if no_async {
            folder.push("no-async");
        }
        Ok(Self { folder, triple: named.map_or_else(host, |triple| Ok(triple.to_owned()))?, no_async })
    }

    /// Returns where it is installed. It is built first if it is missing.
    pub(crate) fn build(&self) -> Result<PathBuf, String> {
        // `openssl-src` versions read `400.0.2+4.0.3`: the crate's own, then OpenSSL's.
        let version = openssl_src::version().rsplit('+').next().unwrap_or_default();
        let folder = self.folder.join("openssl").join(version);
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
            match self.compile_logged(&folder, &log) {
                Ok(true) => {}
                Ok(false) => return Err(format!("building OpenSSL {version} failed, see {}", log.display())),
                Err(error) => return Err(format!("building OpenSSL {version} failed: {error}")),
            }
            fs::write(&stamp, version).map_err(|error| format!("{}: {error}", stamp.display()))?;
        }
        Ok(folder.join("install"))
    }

    /// The child's part: compiles into `folder`.
    pub(crate) fn compile(&self, folder: &Path) -> Result<(), String> {
        openssl_src::Build::new()
            .out_dir(folder)
            .target(&self.triple)
            .host(&host()?)
            // Compiled in as the default place of certificates and openssl.cnf: never this build's own folder.
            .openssl_dir("/etc/ssl")
            .try_build()
            .map(drop)
    }

    fn compile_logged(&self, folder: &Path, log: &Path) -> io::Result<bool> {
        let jobs = available_parallelism().map_or(1, usize::from);
        let log_file = File::create(log)?;
        let mut child = Command::new(std::env::current_exe()?)
            .arg(format!("{TARGET}{}", self.triple))
            .arg(COMPILE)
            .arg(folder)
            .env("CARGO_MAKEFLAGS", format!("-j{jobs}"))
            .envs(self.no_async.then_some(("CFLAGS", "-DOPENSSL_NO_ASYNC")))
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
}

/// The target that this machine's compiler makes programs for.
pub(crate) fn host() -> Result<String, String> {
    let output = Command::new("rustc")
        .args(["--print", "host-tuple"])
        .output()
        .map_err(|error| format!("cannot start rustc: {error}"))?;
    Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned())
}
