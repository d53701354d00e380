//! A flood of made-up keys: the issuer is spared, configured keys pass, memory stays bounded.

use std::fmt;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use byok_testkit::corpus::say;
use byok_testkit::service::{ALICE, CONFIGURED, Gate, Issuer, Scene, ask, knows};
use serde_json::json;

#[test]
fn more_calls_than_allowed_are_refused_at_once() {
    let gate = Gate::default();
    let issuer = Issuer::start({
        let (gate, knows) = (gate.clone(), knows(&[("a", ALICE), ("b", ALICE), ("c", ALICE)]));
        move |call| {
            gate.pass();
            knows(call)
        }
    });
    // One of them is reserved for keys that were valid before.
    let scene = Scene::start(&issuer, json!({ "max_in_flight": 3 }));
    let waiting: Vec<_> = ["a", "b", "a"].map(|key| scene.send(key)).into();
    issuer.wait_for_calls(2);
    scene.wait_for_requests(3);
    let begin = Instant::now();
    scene.assert_refused(&scene.ask("c"), 503, "verification_unavailable");
    assert!(begin.elapsed() < Duration::from_secs(5), "{:?}", begin.elapsed());
    assert_eq!(scene.ask(CONFIGURED).status, 200);
    gate.open();
    for client in waiting {
        assert_eq!(client.answer().expect("an answer").status, 200, "{}", scene.gateway.explanation());
    }
    assert_eq!(scene.ask("c").status, 200);
    assert_eq!(issuer.calls(), 3);
    assert_eq!(scene.all_counted(), [3, 0, 0, 1]);
}

#[test]
fn ten_thousand_made_up_keys_drown_neither_issuer_nor_filter() {
    const KEYS: usize = 10_000;
    const CLIENTS: usize = 16;
    const MAX_IN_FLIGHT: usize = 8;
    const MAX_GROWTH_KB: i64 = 24 * 1024;
    const MAX_TRIES: usize = 10_000;
    let knows = knows(&[("key", ALICE)]);
    let issuer = Issuer::start(move |call| {
        thread::sleep(Duration::from_millis(2));
        knows(call)
    });
    // A known key that must be asked about again would wait in line with the made-up ones.
    let bounds = json!({ "max_in_flight": MAX_IN_FLIGHT, "cache_max_entries": 1_000, "cache_ttl": "1h" });
    let scene = Scene::start(&issuer, bounds);
    let address = scene.address_of("gateway");
    let pass = |key: &str| {
        let begin = Instant::now();
        assert_eq!(ask(address, key).status, 200, "{}", scene.gateway.explanation());
        begin.elapsed()
    };
    let flood = |keys: std::ops::Range<usize>| {
        let (next, refused, over) = (AtomicUsize::new(keys.start), AtomicUsize::new(0), AtomicBool::new(false));
        let times = thread::scope(|scope| {
            let clients: Vec<_> = (0..CLIENTS)
                .map(|_| {
                    scope.spawn(|| {
                        loop {
                            let at = next.fetch_add(1, Ordering::Relaxed);
                            if at >= keys.end {
                                return;
                            }
                            // As a client that does not give up: in the end the issuer is asked about every key.
                            let tries = (0..MAX_TRIES).map(|tries| {
                                thread::sleep(Duration::from_millis(if tries == 0 { 0 } else { 5 }));
                                ask(address, &format!("guess-{at}")).status
                            });
                            let statuses: Vec<u16> = tries.take_while(|status| *status != 401).collect();
                            assert!(statuses.iter().all(|status| *status == 503), "{statuses:?} to a made-up key");
                            refused.fetch_add(statuses.len(), Ordering::Relaxed);
                        }
                    })
                })
                .collect();
            let honest = scope.spawn(|| {
                let mut times = Vec::new();
                while !over.load(Ordering::Relaxed) {
                    times.extend([pass(CONFIGURED), pass("key")]);
                }
                Times::of(times)
            });
            for client in clients {
                client.join().expect("a flooding client");
            }
            over.store(true, Ordering::Relaxed);
            honest.join().expect("an honest client")
        });
        (refused.into_inner(), times)
    };

    pass("key");
    let calm = Times::of((0..200).map(|_| pass(CONFIGURED)).collect());
    flood(0..1_000);
    let before = scene.memory();
    let begin = Instant::now();
    let (refused, flooded) = flood(1_000..1_000 + KEYS);
    let (took, after) = (begin.elapsed(), scene.memory());
    say(&format!(
        "flood: {KEYS} made-up keys in {took:.1?}, {refused} refused for lack of room, {} calls in all, at most {} at \
         once; good requests {calm} without the flood, {flooded} in it; memory {before} kB before, {after} kB after",
        issuer.calls(),
        issuer.most_at_once(),
    ));
    assert!(issuer.most_at_once() <= MAX_IN_FLIGHT, "{} calls at once", issuer.most_at_once());
    assert!(refused > 0, "the bound was never reached");
    assert!(flooded.slowest < Duration::from_secs(10), "{flooded}");
    assert!(after - before < MAX_GROWTH_KB, "{before} kB before, {after} kB after");
    let [calls, _, failures, overflows] = scene.all_counted();
    assert_eq!((calls, failures), (issuer.calls() as u64, 0));
    assert!(calls > KEYS as u64, "{calls} calls");
    assert!(overflows > refused as u64, "{overflows} overflows");
    // A key that was known is still known.
    let asked = issuer
        .seen()
        .iter()
        .filter(|call| call.path.as_deref() == Some(byok_testkit::service::path_for("key").as_bytes()))
        .count();
    assert_eq!(asked, 1);
}

/// How long requests took.
struct Times {
    median: Duration,
    slowest: Duration,
}

impl Times {
    fn of(mut times: Vec<Duration>) -> Self {
        times.sort();
        Self { median: times[times.len() / 2], slowest: times[times.len() - 1] }
    }
}

impl fmt::Display for Times {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:.1?} (at most {:.1?})", self.median, self.slowest)
    }
}
