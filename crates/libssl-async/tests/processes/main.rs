//! What a process of its own shows: faults, exits, forks, limits.
#![cfg(target_os = "linux")]

#[path = "../sources/source.rs"]
mod source;
#[path = "../support/mod.rs"]
mod support;

mod child;
mod exits;
mod forks;
mod leaks;
// Before OpenSSL 3.2, nobody can give jobs other stacks than malloc's.
#[cfg(ossl320)]
mod stacks;
