//! Asynchronous sources that are not ours, good ones and bad ones, on the fibres of our connections.

#[path = "../support/mod.rs"]
mod support;

mod abandoned;
mod completions;
#[cfg(target_os = "linux")]
mod descriptors;
mod every_call;
mod off_the_fibre;
mod pinned;
mod source;
mod statuses;
