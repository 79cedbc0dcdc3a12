//! Third-party engines: the asynchronous one of `accelerator/`, and OpenSSL's own.
#![cfg(all(engine, target_os = "linux"))]

#[path = "../interop/authority.rs"]
#[allow(dead_code, reason = "only a part is used")]
mod authority;
#[path = "../support/compiler.rs"]
mod compiler;
#[path = "../local_key/mod.rs"]
mod local_key;
#[path = "../schedules/schedule.rs"]
#[allow(dead_code, reason = "only a part is used")]
mod schedule;
#[path = "../support/mod.rs"]
mod support;
#[path = "../schedules/talk.rs"]
mod talk;
#[path = "../schedules/transport.rs"]
#[allow(dead_code, reason = "only a part is used")]
mod transport;

mod accelerator;
mod bulk;
mod dasync;
mod handshakes;
mod loading;

/// The protocols that servers speak.
const PROTOCOLS: &[u8] = b"\x04echo";
