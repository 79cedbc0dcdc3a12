//! What `libssl-async-sys` declares under C names.

use std::fs;
use std::path::Path;
use syn::{Attribute, ForeignItem, Ident, Item, Type};

/// The module of Rust forms, which are no declarations.
const RUST_ONLY: &str = "thin";

/// One item that has a counterpart in the headers.
pub(crate) struct Declaration {
    pub(crate) name: Ident,
    /// The `#[cfg]`s of the item and of the modules around it.
    pub(crate) cfgs: Vec<Attribute>,
    pub(crate) kind: Kind,
}

pub(crate) enum Kind {
    /// `type`: a function pointer or a number.
    Alias,
    Function,
    /// A `const` number.
    Number,
    /// An `enum` without variants.
    Opaque,
    /// `struct`, with its fields.
    Struct(Vec<Ident>),
    /// A `const` text.
    Text,
}

/// All declarations of the crate whose sources are in `folder`.
pub(crate) fn read(folder: &Path) -> Vec<Declaration> {
    let mut found = Vec::new();
    module(&folder.join("lib.rs"), folder, &[], &mut found);
    found
}

/// Reads `file`, whose submodules are in `folder`.
fn module(file: &Path, folder: &Path, cfgs: &[Attribute], found: &mut Vec<Declaration>) {
    let source = fs::read_to_string(file).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
    let syntax = syn::parse_file(&source).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
    for item in syntax.items {
        let mut add = |name: Ident, attributes: &[Attribute], kind| {
            found.push(Declaration { name, cfgs: cfgs_of(cfgs, attributes), kind });
        };
        match item {
            Item::Const(item) if matches!(*item.ty, Type::Reference(_)) => add(item.ident, &item.attrs, Kind::Text),
            Item::Const(item) => add(item.ident, &item.attrs, Kind::Number),
            Item::Enum(item) => {
                assert!(item.variants.is_empty(), "{}: no C enum is known to the check", item.ident);
                add(item.ident, &item.attrs, Kind::Opaque);
            }
            Item::ForeignMod(item) => {
                for function in item.items {
                    let ForeignItem::Fn(function) = function else { panic!("{}: not a function", file.display()) };
                    add(function.sig.ident, &function.attrs, Kind::Function);
                }
            }
            Item::Mod(item) if item.ident == RUST_ONLY => {}
            Item::Mod(item) => {
                assert!(item.content.is_none(), "{}: the check does not look into it", item.ident);
                let name = item.ident.to_string();
                let file = folder.join(&name).with_extension("rs");
                module(&file, &folder.join(&name), &cfgs_of(cfgs, &item.attrs), found);
            }
            Item::Struct(item) => {
                let fields = item.fields.into_iter().filter_map(|field| field.ident).collect();
                add(item.ident, &item.attrs, Kind::Struct(fields));
            }
            Item::Type(item) => add(item.ident, &item.attrs, Kind::Alias),
            // A function with a body stands for a macro: its commands are constants, the rest is Rust.
            Item::Fn(_) | Item::Impl(_) | Item::Use(_) => {}
            other => panic!("{}: the check does not know what to do with {other:?}", file.display()),
        }
    }
}

fn cfgs_of(outer: &[Attribute], attributes: &[Attribute]) -> Vec<Attribute> {
    let own = attributes.iter().filter(|attribute| attribute.path().is_ident("cfg"));
    outer.iter().chain(own).cloned().collect()
}
