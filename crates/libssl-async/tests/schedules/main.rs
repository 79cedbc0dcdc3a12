//! Connections whose input comes in any pieces, whose operations are dropped at any poll and whose keys answer at any
//! time, deliver the bytes that an undisturbed one delivers. `fuzz/` runs the same on inputs that libFuzzer finds.

#[path = "../support/mod.rs"]
mod support;

mod conversation;
mod exchange;
mod handshakes;
mod pair;
mod schedule;
mod talk;
mod transport;

use proptest::collection::vec;
use proptest::prelude::*;

/// Long enough to disturb all that the longest of them does.
fn schedules() -> impl Strategy<Value = Vec<u8>> {
    vec(any::<u8>(), 0..400)
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 64,
        failure_persistence: None,
        max_shrink_time: 60_000,
        ..ProptestConfig::default()
    })]

    #[test]
    fn a_disturbed_conversation_delivers_what_was_sent(schedule in schedules()) {
        conversation::of_streams(&schedule);
    }

    #[test]
    fn a_disturbed_conversation_of_a_pinned_stream_delivers_what_was_sent(schedule in schedules()) {
        conversation::of_a_pinned_stream(&schedule);
    }

    #[test]
    fn ciphertext_in_any_pieces_delivers_what_was_sent(schedule in schedules()) {
        exchange::in_pieces(&schedule);
    }

    #[test]
    fn changed_ciphertext_delivers_nothing_that_was_not_sent(schedule in schedules()) {
        exchange::with_a_change(&schedule);
    }

    #[test]
    fn a_changed_handshake_succeeds_on_neither_side_or_is_the_one_meant(schedule in schedules()) {
        handshakes::changed(&schedule);
    }

    #[test]
    fn a_server_ends_whatever_it_is_sent(schedule in schedules()) {
        handshakes::with_nonsense(&schedule);
    }
}
