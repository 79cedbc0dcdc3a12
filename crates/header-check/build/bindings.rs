//! bindgen's reading of the headers.

use crate::declarations::{Declaration, Kind};
use bindgen::Builder;
use quote::format_ident;
use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use syn::Ident;

/// Writes two files to `out`: `signatures.rs` with functions, function pointers and constants, which refer to the types
/// of `libssl-async-sys` by name, and `layouts.rs` with types of its own.
pub(crate) fn write(declarations: &[Declaration], include: &Path, out: &Path) {
    let constants = out.join("constants.h");
    // A set, because a name may be declared once for each platform.
    let definitions: BTreeSet<String> = declarations.iter().map(define).collect();
    fs::write(&constants, definitions.into_iter().collect::<String>()).expect("OUT_DIR is writable");
    let mut signatures = builder(include)
        .header(constants.to_str().expect("OUT_DIR is UTF-8"))
        .allowlist_recursively(false)
        .allowlist_type("header_type");
    let mut layouts = builder(include);
    for Declaration { name, kind, .. } in declarations {
        match kind {
            Kind::Alias => signatures = signatures.allowlist_type(name.to_string()),
            Kind::Number | Kind::Text => signatures = signatures.allowlist_var(constant(name).to_string()),
            Kind::Function => signatures = signatures.allowlist_function(name.to_string()),
            Kind::Opaque | Kind::Struct(_) => layouts = layouts.allowlist_type(name.to_string()),
        }
    }
    for (builder, file) in [(signatures, "signatures.rs"), (layouts, "layouts.rs")] {
        let bindings = builder.generate().unwrap_or_else(|error| panic!("{file}: {error}"));
        bindings.write_to_file(out.join(file)).expect("OUT_DIR is writable");
    }
}

/// The name of the C constant that has the value of the macro `name`.
pub(crate) fn constant(name: &Ident) -> Ident {
    format_ident!("header_{name}")
}

/// bindgen evaluates few macros, but every constant.
fn define(Declaration { name, kind, .. }: &Declaration) -> String {
    let of_type = match kind {
        Kind::Number => format!("__typeof__({name})"),
        Kind::Text => "char *const".to_owned(),
        _ => return String::new(),
    };
    format!("#ifdef {name}\nstatic const {of_type} {constant} = {name};\n#endif\n", constant = constant(name))
}

fn builder(include: &Path) -> Builder {
    bindgen::builder()
        .header("build/headers.h")
        .clang_arg(format!("-I{}", include.display()))
        .generate_cstr(true)
        .generate_comments(false)
        .layout_tests(false)
}
