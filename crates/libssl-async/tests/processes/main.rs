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
mod stacks;
