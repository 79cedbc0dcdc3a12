//! A part of a test in a process of its own: the test program, run again.

use std::any::type_name_of_val;
use std::env;
use std::process::{Command, ExitStatus, exit};

/// Set in the process that runs the part.
const MARK: &str = "LIBSSL_ASYNC_TEST_CHILD";

/// Runs `part` in a process of its own, which exits with 0 if it returns and with 101 if it panics.
///
/// To be called by a test function itself, with a closure, of whose type the name of the test is read.
pub(crate) fn in_child(part: impl FnOnce()) -> ExitStatus {
    if env::var_os(MARK).is_some() {
        // What hangs is killed by the alarm.
        // SAFETY: asks for a signal.
        unsafe { libc::alarm(60) };
        part();
        exit(0);
    }
    let name = type_name_of_val(&part).trim_end_matches("::{{closure}}");
    let (_program, name) = name.split_once("::").unwrap();
    let output = Command::new(env::current_exe().unwrap())
        .args([name, "--exact", "--nocapture", "--include-ignored"])
        .env(MARK, "1")
        .output()
        .unwrap();
    print!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    output.status
}

/// Blocks on a future, in a child.
pub(crate) fn block_on<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(future)
}
