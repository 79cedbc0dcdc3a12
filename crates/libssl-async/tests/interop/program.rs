//! Programs that may be missing.

use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::Duration;

/// Whether the program can be run; if not, says that the test is skipped.
pub(crate) fn is_installed(program: &str, argument: &str) -> bool {
    let found = Command::new(program).arg(argument).stdout(Stdio::null()).stderr(Stdio::null()).status().is_ok();
    if !found {
        eprintln!("SKIPPED: `{program}` is not installed");
    }
    found
}

/// Waits for a conversation with a program, which fails rather than hangs if one of the two waits for ever.
pub(crate) async fn conversation<T>(conversation: impl Future<Output = T>) -> T {
    tokio::time::timeout(Duration::from_secs(60), conversation).await.expect("the program waits for ever")
}

/// A folder for the files of one test, removed at its end.
pub(crate) struct Folder(PathBuf);

impl Folder {
    pub(crate) fn new(test: &str) -> Self {
        let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(format!("{test}-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        Self(folder)
    }

    pub(crate) fn file(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }

    /// The path of a file that has these contents.
    pub(crate) fn write(&self, name: &str, contents: &[u8]) -> PathBuf {
        std::fs::write(self.file(name), contents).unwrap();
        self.file(name)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _left = std::fs::remove_dir_all(&self.0);
    }
}
