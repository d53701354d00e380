//! Many requests that wait for one answer, or for one each.

use std::thread;
use std::time::Duration;

use byok_testkit::carrier::carrier;
use byok_testkit::corpus::Message;
use byok_testkit::gateway::until;
use byok_testkit::service::{ALICE, CONFIGURED, Issuer, knows, path_for, request};
use serde_json::json;

use crate::attack::{Tally, flood};
use crate::good_clients::beside;
use crate::stage::{MAX_WAITING, Stage, rounds};

const SERVICE_TAKES: Duration = Duration::from_millis(400);
/// How long the answers are waited for; far longer than they may take.
const PATIENCE: Duration = Duration::from_secs(15);
/// A key that the service knows and has told the filter about.
const KNOWN: &str = "sk-EXAMPLE-known";

/// Which key the requests bring.
#[derive(Clone, Copy)]
enum Key {
    MadeUp,
    Valid,
    MadeUpEach,
}

impl Key {
    /// As it is in one round, by one of all requests of the round.
    fn of(self, round: usize, request: usize) -> String {
        match self {
            Self::MadeUp => format!("sk-nobody-EXAMPLE-{round}"),
            Self::Valid => valid(round),
            Self::MadeUpEach => format!("sk-nobody-EXAMPLE-{round}-{request}"),
        }
    }
}

fn valid(round: usize) -> String {
    format!("sk-EXAMPLE-valid-{round}")
}

/// Attacks in all rounds, and returns what became of each.
fn attack(what: &str, workers: u32, connections: usize, streams: usize, key: Key) -> Vec<Tally> {
    let known: Vec<String> = (0..rounds()).map(valid).chain([KNOWN.to_owned()]).collect();
    let known: Vec<(&str, &str)> = known.iter().map(|key| (key.as_str(), ALICE)).collect();
    let knows = knows(&known);
    let issuer = Issuer::start(move |call| {
        if call.path.as_deref() != Some(path_for(KNOWN).as_bytes()) {
            thread::sleep(SERVICE_TAKES);
        }
        knows(call)
    });
    let stage = Stage::start(issuer, json!({ "cache_ttl": "1h" }), workers);
    let address = stage.scene.address_of("gateway");
    // Whoever asks for itself is to know it before there is no room for a call.
    let all_know = until(|| {
        assert_eq!(stage.scene.ask(KNOWN).status, 200);
        (stage.issuer.calls() == carrier().askers(workers)).then_some(())
    });
    assert!(all_know.is_some(), "a worker gets no request");
    let one = |round: usize| {
        let requests = |connection: usize| {
            let one = |stream: usize| request(&key.of(round, connection * streams + stream));
            (0..streams).map(one).collect::<Vec<Message>>()
        };
        let requests: Vec<_> = (0..connections).map(requests).collect();
        let (tally, served) = beside(address, &[CONFIGURED, KNOWN], || flood(address, &requests, PATIENCE));
        stage.assert_unharmed(what, &tally, &served);
        // 16 at a time are told, and the service is waited for once.
        assert!(tally.slowest < SERVICE_TAKES + Duration::from_secs(5), "{what}: {tally}");
        assert!(served.slowest() < Duration::from_secs(5), "{what}: {served}");
        assert_eq!(tally.total(), connections * streams);
        tally
    };
    (0..rounds()).map(one).collect()
}

#[test]
fn all_320_requests_with_one_made_up_key_in_one_write_are_refused() {
    for tally in attack("320 with one made-up key", 1, 1, 320, Key::MadeUp) {
        assert_eq!(tally.with(401), 320, "{tally}");
    }
}

#[test]
fn all_800_requests_with_one_made_up_key_in_one_write_are_refused() {
    for tally in attack("800 with one made-up key", 2, 1, 800, Key::MadeUp) {
        assert_eq!(tally.with(401), 800, "{tally}");
    }
}

#[test]
fn as_many_requests_with_one_made_up_key_as_may_wait_are_refused_when_the_answer_comes_and_others_at_once() {
    for workers in [1, 2] {
        for tally in attack("2 x 1,000 with one made-up key", workers, 2, 1_000, Key::MadeUp) {
            tally.assert_only("made up", &[401, 503]);
            assert!(tally.with(401) >= MAX_WAITING, "{tally}");
        }
    }
}

#[test]
fn all_requests_with_one_valid_key_in_one_write_pass_when_the_answer_comes() {
    for (workers, streams) in [(1, 800), (2, 800)] {
        for tally in attack(&format!("{streams} with one valid key"), workers, 1, streams, Key::Valid) {
            assert_eq!(tally.with(200), streams, "{tally}");
        }
    }
}

#[test]
fn as_many_requests_with_one_valid_key_as_may_wait_pass_and_others_are_refused_as_unavailable() {
    for tally in attack("2 x 1,000 with one valid key", 2, 2, 1_000, Key::Valid) {
        tally.assert_only("valid", &[200, 503]);
        assert!(tally.with(200) >= MAX_WAITING, "{tally}");
    }
}

#[test]
fn requests_with_a_made_up_key_each_are_refused_as_unknown_or_as_too_many_calls() {
    for (workers, connections, streams) in [(1, 1, 320), (2, 2, 1_000)] {
        let what = format!("{connections} x {streams} with a made-up key each");
        for tally in attack(&what, workers, connections, streams, Key::MadeUpEach) {
            tally.assert_only(&what, &[401, 503]);
            assert!(tally.with(401) > 0 && tally.with(503) > 0, "{tally}");
        }
    }
}
