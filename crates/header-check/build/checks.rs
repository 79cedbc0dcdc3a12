//! What has to compile.

use crate::bindings::constant;
use crate::declarations::{Declaration, Kind};
use quote::{ToTokens, quote};

/// The checks, one a line, for `src/lib.rs`.
pub(crate) fn of(declarations: &[Declaration]) -> String {
    let names = declarations.iter().map(|declaration| declaration.name.to_string());
    let list = quote! { #[cfg(test)] const CHECKED: &[&str] = &[#(#names),*]; };
    let checks = declarations.iter().map(|declaration| check(declaration).into_token_stream());
    checks.chain([list]).map(|line| format!("{line}\n")).collect()
}

fn check(Declaration { name, cfgs, kind }: &Declaration) -> impl ToTokens {
    let message = format!("{name} is not what the header says");
    let constant = constant(name);
    let body = match kind {
        Kind::Alias => quote! { let _ = |declared: sys::#name| -> signatures::#name { declared }; },
        Kind::Function => quote! { let _ = [sys::#name, signatures::#name]; },
        Kind::Number => quote! { assert!(sys::#name as i128 == signatures::#constant as i128, #message); },
        Kind::Opaque => quote! { let _ = |_: &sys::#name, _: &layouts::#name| {}; },
        Kind::Struct(fields) => quote! {
            assert!(size_of::<sys::#name>() == size_of::<layouts::#name>(), #message);
            assert!(align_of::<sys::#name>() == align_of::<layouts::#name>(), #message);
            #(assert!(offset_of!(sys::#name, #fields) == offset_of!(layouts::#name, #fields), #message);)*
        },
        Kind::Text => quote! { assert!(same_text(sys::#name, signatures::#constant), #message); },
    };
    quote! { #(#cfgs)* const _: () = { #body }; }
}
