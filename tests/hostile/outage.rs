//! A service that hangs while clients with good keys go on asking: no attacker is needed.

use std::thread;
use std::time::{Duration, Instant};

use byok_testkit::corpus::say;
use byok_testkit::gateway::{Flood, until};
use byok_testkit::service::{ALICE, CONFIGURED, Gate, HOST, Issuer, knows, request};
use serde_json::json;

use crate::attack::Tally;
use crate::good_clients::beside;
use crate::stage::{Stage, rounds};

const TIMEOUT: Duration = Duration::from_secs(2);
const OUTAGE: Duration = Duration::from_secs(3);
const SLACK: Duration = Duration::from_secs(5);
/// In each worker; together 200 requests a second.
const CONNECTIONS: usize = 4;
const REQUESTS: u32 = 50;
const VALID: &str = "sk-EXAMPLE-valid";

/// Sends requests at an even pace for as long as the outage takes, and reads on until all are answered.
fn client(mut flood: Flood) -> Tally {
    let begin = Instant::now();
    for sent in 1..=REQUESTS * OUTAGE.as_secs() as u32 * rounds() as u32 {
        assert!(flood.waiting() < flood.max_streams(), "{} requests wait", flood.waiting());
        flood.send(&[request(VALID)], HOST).expect("the request is sent");
        let next = begin + Duration::from_secs(1) * sent / REQUESTS;
        flood.read_until(next).expect("the answers are HTTP/2");
        thread::sleep(next.saturating_duration_since(Instant::now()));
    }
    flood.read_until(Instant::now() + TIMEOUT + SLACK).expect("the answers are HTTP/2");
    let mut tally = Tally::default();
    tally.add(&flood);
    tally
}

#[test]
fn a_service_that_hangs_under_load_refuses_within_the_time_out_and_serves_again_once_it_is_back() {
    for workers in [1, 2] {
        let gate = Gate::default();
        let issuer = Issuer::start({
            let (gate, knows) = (gate.clone(), knows(&[(VALID, ALICE)]));
            move |call| {
                gate.pass();
                knows(call)
            }
        });
        let timeout = format!("{}s", TIMEOUT.as_secs());
        let stage = Stage::start(issuer, json!({ "timeout": timeout }), workers);
        let address = stage.scene.address_of("gateway");
        let (tally, served) = beside(address, &[CONFIGURED; 2], || {
            thread::scope(|scope| {
                let open = || Flood::open(address).expect("a connection");
                let clients: Vec<_> = (0..CONNECTIONS * workers as usize)
                    .map(|_| open())
                    .map(|flood| scope.spawn(|| client(flood)))
                    .collect();
                let mut all = Tally::default();
                for one in clients {
                    all.merge(one.join().expect("a client"));
                }
                all
            })
        });
        gate.open();
        let begin = Instant::now();
        let back = until(|| (stage.scene.ask(VALID).status == 200).then(|| begin.elapsed()));
        say(&format!("outage, workers {workers}: back {back:.1?} after the service"));
        stage.assert_unharmed("an outage under load", &tally, &served);
        tally.assert_only("an outage under load", &[503]);
        assert!(tally.slowest < TIMEOUT + SLACK, "{tally}");
        assert!(served.slowest() < SLACK, "{served}");
        assert!(back.is_some_and(|back| back < Duration::from_secs(1)), "back after {back:?}");
    }
}
