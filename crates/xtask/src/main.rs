//! `cargo xtask`: builds the bundled OpenSSL once and runs cargo against it.

mod openssl;

use openssl::Bundled;
use std::env;
use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

/// The option that names a target.
const TARGET: &str = "--target=";

const USAGE: &str = "\
usage: cargo xtask <command>

  openssl              build the bundled OpenSSL if it is missing, print its folder
  env                  print the variables that make cargo use it, for `env $(cargo xtask env)`
  sanitize <which> ... run cargo test with that sanitizer of rustc's: address, and leak with it
  <cargo command> ...  run cargo with the bundled OpenSSL, in a target folder of its own
                       (build, test, bench, run, clippy, doc, rustc, ...)

With --no-async before the command: an OpenSSL that cannot pause, as on musl, in `target/no-async/`.
With --target=<triple> before it: an OpenSSL for that target, by the compiler of CC_<triple>, in `target/<triple>/`.
With --system before sanitize: the system's OpenSSL, in `target/system/`.

Plain cargo uses the system's OpenSSL.";

fn main() -> ExitCode {
    let mut args = env::args_os().skip(1).peekable();
    let no_async = args.next_if(|first| first == "--no-async").is_some();
    let triple = args.next_if(|first| first.to_string_lossy().starts_with(TARGET));
    let system = args.next_if(|first| first == "--system").is_some();
    let result = match args.next() {
        None => Err(USAGE.to_owned()),
        Some(command) if system => run_on_system(&command, args.collect()),
        Some(command) => Bundled::new(no_async, triple).and_then(|bundled| run(&command, args.collect(), &bundled)),
    };
    result.unwrap_or_else(|message| {
        eprintln!("{message}");
        ExitCode::FAILURE
    })
}

fn run(command: &OsString, args: Vec<OsString>, bundled: &Bundled) -> Result<ExitCode, String> {
    match command.to_str() {
        Some("openssl") => println!("{}", bundled.build()?.display()),
        Some("env") => {
            for (name, value) in environment(bundled)? {
                println!("{name}={}", value.display());
            }
        }
        Some("sanitize") => {
            let (which, args) = args.split_first().ok_or(USAGE)?;
            let variables = environment(bundled)?.map(|(name, value)| (name, value.into()));
            return cargo("test", args, variables.into_iter().chain(sanitizer(which, &bundled.folder)?));
        }
        Some(openssl::COMPILE) => bundled.compile(Path::new(args.first().ok_or(USAGE)?))?,
        Some("help" | "-h" | "--help") => println!("{USAGE}"),
        _ => return cargo(command, &args, environment(bundled)?),
    }
    Ok(ExitCode::SUCCESS)
}

fn run_on_system(command: &OsString, args: Vec<OsString>) -> Result<ExitCode, String> {
    match args.split_first() {
        Some((which, args)) if command == "sanitize" => {
            cargo("test", args, sanitizer(which, &workspace().join("target/system"))?)
        }
        _ => Err(USAGE.to_owned()),
    }
}

fn cargo<N: AsRef<OsStr>, V: AsRef<OsStr>>(
    command: impl AsRef<OsStr>,
    args: &[OsString],
    environment: impl IntoIterator<Item = (N, V)>,
) -> Result<ExitCode, String> {
    let status = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()))
        .arg(command)
        .args(args)
        .envs(environment)
        .status()
        .map_err(|error| format!("cannot start cargo: {error}"))?;
    Ok(status.code().map_or(ExitCode::FAILURE, |code| ExitCode::from(code as u8)))
}

/// What makes cargo build with a sanitizer, which stable compilers bring too, and only do not offer.
///
/// A target that is named keeps the flags away from build scripts and macros, which are not to be sanitized.
fn sanitizer(which: &OsStr, target: &Path) -> Result<[(&'static str, OsString); 6], String> {
    let mut flags = OsString::from("-Zsanitizer=");
    flags.push(which);
    Ok([
        ("CARGO_TARGET_DIR", target.join("sanitize").join(which).into()),
        ("CARGO_BUILD_TARGET", openssl::host()?.into()),
        ("RUSTC_BOOTSTRAP", "1".into()),
        ("RUSTFLAGS", flags.clone()),
        ("RUSTDOCFLAGS", flags),
        // Frames that are kept elsewhere after a return do not go together with fibres.
        ("ASAN_OPTIONS", "detect_stack_use_after_return=0".into()),
    ])
}

/// What makes `openssl-sys` link the bundled OpenSSL, in a target folder that the system build does not share.
fn environment(bundled: &Bundled) -> Result<[(&'static str, PathBuf); 4], String> {
    Ok([
        ("OPENSSL_DIR", bundled.build()?),
        ("OPENSSL_STATIC", "1".into()),
        ("OPENSSL_NO_VENDOR", "1".into()),
        ("CARGO_TARGET_DIR", bundled.folder.join("bundled")),
    ])
}

fn workspace() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").canonicalize().expect("the crate stands in the workspace")
}
