//! Floods that go on: what waits stays bounded, and good clients are served throughout.

use std::thread;
use std::time::Duration;

use byok_testkit::corpus::say;
use byok_testkit::gateway::PATIENCE;
use byok_testkit::service::{CONFIGURED, Issuer, json as answer, request};
use serde_json::{Value, json};

use crate::attack::{Tally, flood};
use crate::good_clients::beside;
use crate::stage::{MAX_WAITING, Stage, rounds};

const WAVES: usize = 30;
const STREAMS: usize = 320;
/// Between waves: about 70 kB/s.
const PAUSE: Duration = Duration::from_millis(60);
const SERVICE_TAKES: Duration = Duration::from_millis(100);

/// Sends wave after wave, each over a connection of its own and with one key of its own.
fn attack(what: &str, workers: u32, service: Value, allowed: &[u16]) {
    let issuer = Issuer::start(|_| {
        thread::sleep(SERVICE_TAKES);
        answer(404, "")
    });
    let stage = Stage::start(issuer, service, workers);
    let address = stage.scene.address_of("gateway");
    let wave = |wave: usize| {
        let requests = vec![request(&format!("sk-nobody-EXAMPLE-{wave}")); STREAMS];
        flood(address, &[requests], PATIENCE)
    };
    let waves = || {
        thread::scope(|scope| {
            let wave = &wave;
            let waves = (0..WAVES * rounds()).map(|at| {
                thread::sleep(PAUSE);
                scope.spawn(move || wave(at))
            });
            let waves: Vec<_> = waves.collect();
            let mut all = Tally::default();
            for wave in waves {
                all.merge(wave.join().expect("a flooding client"));
            }
            all
        })
    };
    let (most, (tally, served)) = stage.most_at_once(|| beside(address, &[CONFIGURED; 2], waves));
    say(&format!("{what}, workers {workers}: at most {most} requests under way at once"));
    stage.assert_unharmed(what, &tally, &served);
    tally.assert_only(what, allowed);
    assert_eq!(tally.total(), WAVES * STREAMS * rounds());
    assert!(served.slowest() < Duration::from_secs(5), "{what}: {served}");
    // Beside those that wait there are those that are just being refused.
    let bound = 2 * MAX_WAITING * workers as usize;
    assert!(most < bound, "{what}: {most} requests under way at once");
}

#[test]
fn a_flood_of_made_up_keys_that_goes_on_keeps_no_good_client_out() {
    for workers in [1, 2] {
        attack("320 with one made-up key every 60 ms", workers, json!({}), &[401, 503]);
    }
}

#[test]
fn as_many_requests_wait_as_may_where_the_service_cannot_even_be_asked() {
    attack("the same without a service", 1, json!({ "cluster": "nowhere" }), &[503]);
}
