//! A flood of made-up keys while the results for good keys expire: those are asked about again, past the flood.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

use byok_testkit::corpus::say;
use byok_testkit::gateway::PATIENCE;
use byok_testkit::service::{ALICE, Issuer, json as answer, knows, path_for, request};
use serde_json::json;

use crate::attack::{Tally, flood};
use crate::good_clients::beside;
use crate::stage::{Stage, rounds};

const GOOD: [&str; 4] = ["sk-EXAMPLE-1", "sk-EXAMPLE-2", "sk-EXAMPLE-3", "sk-EXAMPLE-4"];
const WAVES: usize = 20;
const STREAMS: usize = 320;
const PAUSE: Duration = Duration::from_millis(150);
/// How long a good key is fresh.
const FRESH: &str = "200ms";

/// Sends waves of requests, whose keys the function names by the numbers of wave and request; the service takes that long for
/// each of these keys.
fn attack(what: &str, service_takes: Duration, key: impl Fn(usize, usize) -> String + Sync) {
    let asked_again = AtomicUsize::new(0);
    let knows = knows(&GOOD.map(|key| (key, ALICE)));
    let good_paths = GOOD.map(path_for);
    let issuer = Issuer::start(move |call| {
        let path = String::from_utf8_lossy(call.path.as_deref().unwrap_or_default()).into_owned();
        if good_paths.contains(&path) {
            return knows(call);
        }
        thread::sleep(service_takes);
        answer(404, "")
    });
    let stage = Stage::start(issuer, json!({ "cache_ttl": FRESH, "max_in_flight": 20 }), 1);
    for good in GOOD {
        assert_eq!(stage.scene.ask(good).status, 200);
    }
    let address = stage.scene.address_of("gateway");
    let wave = |wave: usize| {
        let requests = (0..STREAMS).map(|at| request(&key(wave, at))).collect();
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
    let (tally, served) = beside(address, &GOOD, waves);
    for call in stage.issuer.seen() {
        let path = String::from_utf8_lossy(call.path.as_deref().unwrap_or_default()).into_owned();
        asked_again.fetch_add(usize::from(GOOD.map(path_for).contains(&path)), Ordering::Relaxed);
    }
    let asked_again = asked_again.into_inner() - GOOD.len();
    say(&format!("{what}: good keys were asked about {asked_again} times more"));
    stage.assert_unharmed(what, &tally, &served);
    tally.assert_only(what, &[401, 503]);
    assert!(tally.with(503) > 0, "{what}: no bound was reached: {tally}");
    assert!(asked_again > WAVES, "{what}: {asked_again} times");
}

#[test]
fn known_keys_find_a_call_when_made_up_ones_take_all_others() {
    let service_takes = Duration::from_millis(300);
    attack("each request with a key of its own", service_takes, |wave, at| format!("sk-nobody-EXAMPLE-{wave}-{at}"));
}

#[test]
fn known_keys_find_a_place_to_wait_when_made_up_ones_take_all_others() {
    // Requests with equal keys share a call. Ten waves, each with one call, wait at once: what runs out is the places to wait.
    let service_takes = 10 * PAUSE;
    attack("one key in each wave", service_takes, |wave, _| format!("sk-nobody-EXAMPLE-{wave}"));
}
