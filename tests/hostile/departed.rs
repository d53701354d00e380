//! Clients that ask and leave. A module cannot cancel a call: it continues without its clients until it is answered or its
//! time-out is over. Such calls keep nobody else out until there are as many of them as calls may be under way; nothing
//! else of those clients stays.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use byok_testkit::corpus::{Message, say};
use byok_testkit::gateway::{Fate, Flood, PATIENCE, until};
use byok_testkit::service::{CONFIGURED, Gate, HOST, Issuer, json as answer, request};
use serde_json::json;

use crate::attack::Tally;
use crate::stage::{Stage, rounds};

/// So many calls may be under way for keys that were never valid: four fifths of `max_in_flight`.
const MAX_IN_FLIGHT: usize = 100;

/// An issuer that knows no key, and says so when the gate is open.
fn gated(gate: &Gate) -> Issuer {
    let gate = gate.clone();
    Issuer::start(move |_| {
        gate.pass();
        answer(404, "")
    })
}

/// Requests with a key each that nobody has seen.
fn guesses(count: usize, round: usize) -> Vec<Message> {
    (0..count).map(|at| request(&format!("sk-nobody-EXAMPLE-{round}-{at}"))).collect()
}

#[test]
fn requests_that_are_cancelled_at_once_are_not_asked_about_and_use_up_no_call() {
    for workers in [1, 2] {
        let gate = Gate::default();
        gate.open();
        let stage = Stage::start(gated(&gate), json!({ "max_in_flight": MAX_IN_FLIGHT }), workers);
        let address = stage.scene.address_of("gateway");
        for round in 0..2 * rounds() {
            let mut flood = Flood::open(address).expect("a connection");
            flood.send_and_cancel(&guesses(2 * MAX_IN_FLIGHT, round), HOST).expect("the requests are sent");
            // Behind them on the same connection: there is room for it.
            flood.send(&[request(&format!("sk-nobody-EXAMPLE-after-{round}"))], HOST).expect("the request is sent");
            flood.read_until(Instant::now() + PATIENCE).expect("the answers are HTTP/2");
            let (fate, calls) = (flood.fates().last(), stage.issuer.calls());
            say(&format!("cancelled, workers {workers}: the request behind them {fate:?}, calls {calls}"));
            assert!(matches!(fate, Some(Fate::Answered(401, _))), "{fate:?}");
            // There is one about the request behind them.
            assert_eq!(calls, round + 1);
        }
        assert_eq!(stage.crashes(), [""; 0]);
    }
}

#[test]
fn clients_that_leave_during_their_calls_keep_others_out_once_there_are_as_many_and_no_longer_than_the_time_out() {
    const TIMEOUT: Duration = Duration::from_secs(2);
    let hangs = Arc::new(AtomicBool::new(true));
    let issuer = Issuer::start({
        let hangs = Arc::clone(&hangs);
        move |_| {
            if hangs.load(Ordering::Relaxed) {
                thread::sleep(2 * TIMEOUT);
            }
            answer(404, "")
        }
    });
    let service = json!({ "max_in_flight": MAX_IN_FLIGHT * 5 / 4, "timeout": format!("{}s", TIMEOUT.as_secs()) });
    let stage = Stage::start(issuer, service, 1);
    let address = stage.scene.address_of("gateway");
    let ask_and_leave = |round: usize| {
        hangs.store(true, Ordering::Relaxed);
        let mut flood = Flood::open(address).expect("a connection");
        let before = stage.issuer.calls();
        flood.send(&guesses(MAX_IN_FLIGHT, round), HOST).expect("the requests are sent");
        stage.issuer.wait_for_calls(before + MAX_IN_FLIGHT);
        drop(flood);
        stage.scene.wait_for_requests(0);
        hangs.store(false, Ordering::Relaxed);
        assert_eq!(stage.scene.ask(CONFIGURED).status, 200);
    };
    for round in 0..rounds() {
        if round > 0 {
            // The issuer goes on with calls that Envoy has given up.
            thread::sleep(2 * TIMEOUT);
        }
        let begin = Instant::now();
        ask_and_leave(2 * round);
        let first = stage.scene.ask(&format!("sk-nobody-EXAMPLE-first-{round}")).status;
        ask_and_leave(2 * round + 1);
        let mut refused = 0;
        let asked = until(|| match stage.scene.ask(&format!("sk-nobody-EXAMPLE-{round}-new-{refused}")).status {
            401 => Some(begin.elapsed()),
            status => {
                assert_eq!(status, 503);
                refused += 1;
                None
            }
        });
        say(&format!(
            "clients that left: behind {MAX_IN_FLIGHT} calls a new key gets {first}, behind twice as many it is refused \
             {refused} times and asked about {asked:.1?} after the first call"
        ));
        assert_eq!(first, 401, "the calls of clients that left keep a new key out");
        assert!(refused > 0, "there is no bound on calls of clients that left");
        assert!(asked.is_some_and(|asked| asked < TIMEOUT + Duration::from_secs(3)), "{asked:?}");
    }
    let most = stage.issuer.most_at_once();
    assert!(most <= 2 * MAX_IN_FLIGHT + 1, "{most} calls at once");
    assert_eq!(stage.crashes(), [""; 0]);
}

#[test]
fn requests_of_clients_that_left_do_not_count_among_those_that_wait() {
    const STREAMS: usize = 800;
    for workers in [1, 2] {
        let gate = Gate::default();
        let stage = Stage::start(gated(&gate), json!({}), workers);
        let address = stage.scene.address_of("gateway");
        let requests = vec![request("sk-nobody-EXAMPLE"); STREAMS];
        let wait = || {
            let mut flood = Flood::open(address).expect("a connection");
            flood.send(&requests, HOST).expect("the requests are sent");
            stage.scene.wait_for_requests(STREAMS as u64);
            flood
        };
        for _ in 0..2 * rounds() {
            drop(wait());
            stage.scene.wait_for_requests(0);
        }
        let mut flood = wait();
        gate.open();
        flood.read_until(Instant::now() + PATIENCE).expect("the answers are HTTP/2");
        let mut tally = Tally::default();
        tally.add(&flood);
        let crashes = stage.crashes();
        say(&format!("left and came back, workers {workers}: {tally}; crash lines {}", crashes.len()));
        assert_eq!(crashes, [""; 0]);
        assert_eq!(tally.with(401), STREAMS, "{tally}");
    }
}
