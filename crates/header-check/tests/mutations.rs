//! The check of the check: wrong declarations, put into a copy of `libssl-async-sys` one at a time, do not compile.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Edits of files below `libssl-async-sys/src` (file, text that is there once, replacement), and the name that the
/// compiler has to complain about.
struct Mutation {
    name: &'static str,
    edits: &'static [(&'static str, &'static str, &'static str)],
}

const MUTATIONS: [Mutation; 9] = [
    // An argument's type.
    Mutation { name: "ASYNC_init_thread", edits: &[("asynch.rs", "init_size: size_t)", "init_size: c_int)")] },
    // An argument too few, for the caller in the same crate, too.
    Mutation {
        name: "SSL_get_async_status",
        edits: &[
            ("ssl.rs", "SSL_get_async_status(s: *mut SSL, status: *mut c_int)", "SSL_get_async_status(s: *mut SSL)"),
            ("thin.rs", "SSL_get_async_status(ssl.as_ptr(), &mut status)", "SSL_get_async_status(ssl.as_ptr())"),
        ],
    },
    // A pointer's constness.
    Mutation { name: "SSL_has_pending", edits: &[("ssl.rs", "SSL_has_pending(s: *const", "SSL_has_pending(s: *mut")] },
    // The value of a number.
    Mutation { name: "SSL_MODE_ASYNC", edits: &[("ssl.rs", "0x100;", "0x200;")] },
    // The value of a text.
    Mutation { name: "OSSL_SIGNATURE_PARAM_PSS_SALTLEN", edits: &[("params.rs", "c\"saltlen\"", "c\"salt-len\"")] },
    // The type of a function that a provider implements.
    Mutation { name: "OSSL_FUNC_keymgmt_load_fn", edits: &[("provider/keymgmt.rs", "reference: *const c_void, ", "")] },
    // The order of fields.
    Mutation {
        name: "OSSL_ALGORITHM",
        edits: &[
            ("provider.rs", "pub property_definition: *const c_char,", "pub between: *const c_char,"),
            ("provider.rs", "pub algorithm_description: *const c_char,", "pub property_definition: *const c_char,"),
            ("provider.rs", "pub between: *const c_char,", "pub algorithm_description: *const c_char,"),
        ],
    },
    // A function that OpenSSL does not have.
    Mutation { name: "SSL_waiting", edits: &[("ssl.rs", "SSL_waiting_for_async", "SSL_waiting")] },
    // A function that openssl-sys declares, too.
    Mutation { name: "SSL_pending", edits: &[("ssl.rs", "fn SSL_has_pending", "fn SSL_pending")] },
];

#[test]
fn wrong_declarations_are_found() {
    let workspace = Workspace::copy();
    workspace.check().expect("the declarations as they are");
    for Mutation { name, edits } in MUTATIONS {
        for (file, from, to) in edits {
            workspace.edit(file, from, to);
        }
        let errors = workspace.check().expect_err(name);
        assert!(errors.contains("could not compile `header-check`"), "{name}: {errors}");
        assert!(errors.contains(&format!(":: {name} ")), "{name}: {errors}");
        for (file, ..) in edits {
            workspace.restore(file);
        }
    }
}

/// A copy of the part of the workspace that the check needs, which shares the target folder with it.
struct Workspace {
    original: PathBuf,
    copy: PathBuf,
}

impl Workspace {
    fn copy() -> Self {
        let original = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
        let copy = Path::new(env!("CARGO_TARGET_TMPDIR")).join("mutated");
        if copy.exists() {
            fs::remove_dir_all(&copy).unwrap();
        }
        let workspace = Self { original, copy };
        for part in ["Cargo.lock", "crates/header-check", "crates/libssl-async-sys"] {
            workspace.restore_part(Path::new(part));
        }
        // The default members are not all there.
        let manifest = fs::read_to_string(workspace.original.join("Cargo.toml")).unwrap();
        let lines = manifest.lines().filter(|line| !line.starts_with("default-members"));
        fs::write(workspace.copy.join("Cargo.toml"), lines.collect::<Vec<_>>().join("\n")).unwrap();
        workspace
    }

    fn restore(&self, source: &str) {
        self.restore_part(&sources().join(source));
    }

    fn restore_part(&self, part: &Path) {
        let (from, to) = (self.original.join(part), self.copy.join(part));
        if from.is_dir() {
            for entry in fs::read_dir(from).unwrap() {
                self.restore_part(&part.join(entry.unwrap().file_name()));
            }
        } else {
            fs::create_dir_all(to.parent().unwrap()).unwrap();
            fs::write(to, fs::read(from).unwrap()).unwrap();
        }
    }

    fn edit(&self, source: &str, from: &str, to: &str) {
        let path = self.copy.join(sources()).join(source);
        let text = fs::read_to_string(&path).unwrap();
        assert_eq!(text.matches(from).count(), 1, "{from:?} in {source}");
        fs::write(path, text.replace(from, to)).unwrap();
    }

    /// Runs the check; the error is what the compiler said.
    fn check(&self) -> Result<(), String> {
        let target = Path::new(env!("CARGO_TARGET_TMPDIR")).parent().unwrap();
        let output = Command::new(env::var_os("CARGO").unwrap())
            .args(["check", "--offline", "--package", "header-check"])
            .current_dir(&self.copy)
            .env("CARGO_TARGET_DIR", target)
            .output()
            .unwrap();
        if output.status.success() { Ok(()) } else { Err(String::from_utf8_lossy(&output.stderr).into_owned()) }
    }
}

fn sources() -> &'static Path {
    Path::new("crates/libssl-async-sys/src")
}
