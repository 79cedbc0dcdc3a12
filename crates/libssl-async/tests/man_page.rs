//! The example of the manual page runs.

#[path = "../examples/man_page.rs"]
mod example;

#[test]
fn the_nine_steps_come_in_their_order() {
    example::main().unwrap();
}
