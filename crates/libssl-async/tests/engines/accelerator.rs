//! The test engine, compiled when it is first needed.

use std::ffi::c_long;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use libssl_async::engine::{Engine, EngineBuilder};
use tokio::sync::{Mutex, MutexGuard};

use crate::compiler::{compiler, run, target};

/// Its file.
pub(crate) static FILE: LazyLock<PathBuf> = LazyLock::new(|| compile("async-test.so", &[]));

/// Compiles the engine, with arguments for the linker.
pub(crate) fn compile(name: &str, link: &[&str]) -> PathBuf {
    let sources = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/engines/accelerator");
    let mut compiler = compiler(name);
    compiler.args(["-Wall", "-Wextra", "-Werror", "-pthread"]);
    compiler.args(["engine.c", "methods.c", "cipher.c", "accelerator.c"].map(|source| sources.join(source)));
    run(compiler.args(link));
    target(name)
}

/// Defaults are those of the process, and an engine is loaded once: one test at a time has it.
pub(crate) async fn alone() -> MutexGuard<'static, ()> {
    static ALONE: Mutex<()> = Mutex::const_new(());
    ALONE.lock().await
}

/// The engine, not loaded yet.
pub(crate) fn accelerator() -> EngineBuilder {
    Engine::by_path(&*FILE)
}

/// What the engine counts; the names are those of its `enum counter`.
#[derive(Clone, Copy)]
pub(crate) enum Count {
    Taken = 16,
    Told,
    Refused,
    Callbacks,
    Polls,
    Failed,
}

pub(crate) fn count(engine: &Engine, which: Count) -> u64 {
    // SAFETY: the test engine's command tells the address of a counter.
    let count = unsafe { engine.counter("GET_NUM_REQUESTS_IN_FLIGHT", which as c_long) }.unwrap().unwrap();
    count.try_into().unwrap()
}
