//! Requests with large headers that wait: on the wire they cost next to nothing.

use std::time::Duration;

use byok_testkit::corpus::{Message, say};
use byok_testkit::service::{CONFIGURED, Gate, Issuer, json as answer, request};
use serde_json::json;

use crate::attack::{Tally, flood};
use crate::good_clients::beside;
use crate::stage::{Stage, rounds};

/// What Envoy lets into one connection is 1,024.
const STREAMS: usize = 1_020;
/// Lines of a request beside the key; together about 50 KiB.
const LINES: usize = 13;
const LINE_BYTES: usize = 3_790;
const TIMEOUT: Duration = Duration::from_secs(1);
/// What a busy machine may need to hand out all answers.
const SLACK: Duration = Duration::from_secs(60);
/// How much more memory may be in use after all rounds than before them. Envoy's allocator keeps much of what the
/// headers took, more than a gigabyte, with or without the filter; the module's own memory never shrinks.
const MAX_GROWTH_KB: i64 = 128 * 1024;

/// The key comes last: the lines are in the table first.
fn large(key: &str) -> Message {
    let mut message = request(key);
    let line = (b"x-padding".to_vec(), vec![b'x'; LINE_BYTES]);
    message.lines.splice(0..0, std::iter::repeat_n(line, LINES));
    message
}

fn attack(connections: usize, workers: u32, rounds: usize) {
    // A service that hangs, though not for ever.
    let gate = Gate::default();
    let issuer = Issuer::start({
        let gate = gate.clone();
        move |_| {
            gate.pass();
            answer(404, "")
        }
    });
    let timeout = format!("{}s", TIMEOUT.as_secs());
    let stage = Stage::start(issuer, json!({ "timeout": timeout }), workers);
    let address = stage.scene.address_of("gateway");
    let what = format!("{connections} x {STREAMS} with headers of {} KiB", LINES * LINE_BYTES / 1024);
    let mut memory = vec![stage.memory_in_use()];
    for round in 0..rounds {
        let requests = |connection: usize| vec![large(&format!("sk-nobody-EXAMPLE-{round}-{connection}")); STREAMS];
        let requests: Vec<_> = (0..connections).map(requests).collect();
        let (tally, served): (Tally, _) =
            beside(address, &[CONFIGURED; 2], || flood(address, &requests, TIMEOUT + SLACK));
        memory.push(stage.memory_in_use());
        stage.assert_unharmed(&what, &tally, &served);
        tally.assert_only(&what, &[503]);
        assert_eq!(tally.total(), connections * STREAMS);
        assert!(tally.slowest < TIMEOUT + SLACK, "{what}: {tally}");
        assert!(served.slowest() < SLACK, "{what}: {served}");
    }
    say(&format!("{what}, workers {workers}: memory in use before and after each round {memory:?} kB"));
    assert!(memory[memory.len() - 1] - memory[0] < MAX_GROWTH_KB, "{what}: memory {memory:?} kB");
    gate.open();
}

#[test]
fn one_connection_is_answered_within_the_time_out() {
    attack(1, 1, rounds());
}

#[test]
fn two_connections_are_answered_within_the_time_out() {
    attack(2, 2, 2 * rounds());
}

#[test]
fn twenty_four_connections_are_answered_within_the_time_out() {
    attack(24, 1, rounds());
    if rounds() > 1 {
        attack(24, 2, rounds());
    }
}
