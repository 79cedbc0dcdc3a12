//! `fuzz/run`: the first byte of an input chooses what is disturbed, the others are the schedule.

#![no_main]

#[path = "../../crates/libssl-async/tests/schedules/conversation.rs"]
mod conversation;
#[path = "../../crates/libssl-async/tests/schedules/exchange.rs"]
mod exchange;
#[path = "../../crates/libssl-async/tests/schedules/handshakes.rs"]
mod handshakes;
#[path = "../../crates/libssl-async/tests/schedules/pair.rs"]
mod pair;
#[path = "../../crates/libssl-async/tests/schedules/schedule.rs"]
mod schedule;
#[path = "../../crates/libssl-async/tests/support/mod.rs"]
mod support;
#[path = "../../crates/libssl-async/tests/schedules/talk.rs"]
mod talk;
#[path = "../../crates/libssl-async/tests/schedules/transport.rs"]
mod transport;

libfuzzer_sys::fuzz_target!(|input: &[u8]| {
    let Some((choice, schedule)) = input.split_first() else { return };
    match choice % 6 {
        0 => conversation::of_streams(schedule),
        1 => conversation::of_a_pinned_stream(schedule),
        2 => exchange::in_pieces(schedule),
        3 => exchange::with_a_change(schedule),
        4 => handshakes::changed(schedule),
        _ => handshakes::with_nonsense(schedule),
    }
});
