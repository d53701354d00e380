//! Many large configurations, one after the other, under load.

use std::fmt::Write as _;
use std::fs;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

use byok_core::KeyDigest;
use byok_testkit::corpus::say;
use byok_testkit::gateway::{Gateway, Upstream, until};
use byok_testkit::site::{PROXY_KEY, address, ask, gateway_listener};

const GROUPS: usize = 6;
/// Updates that follow each other before the old ones are drained.
const UPDATES: usize = 4;
const KEYS: usize = 20_000;
const MAX_GROWTH_KB: i64 = 24 * 1024;
/// An old configuration lives on until its connections are drained: ten minutes, if nothing is said. The time runs from
/// the main thread's update on, so that a worker that is later than this cuts off requests that it has just taken.
const DRAIN: &str = "4";

#[test]
fn twenty_four_updates_of_20_000_keys_drop_no_request_and_leave_memory_flat() {
    let upstream = Upstream::start();
    let listener = |update| gateway_listener(&configuration(update));
    let mut gateway = Gateway::start_with(&[("upstream", &upstream)], &[listener(0)], |_, options| {
        options.arguments.extend(["--drain-time-s", DRAIN, "--drain-strategy", "immediate"].map(str::to_owned));
    });
    let address = address(&gateway);
    let served = AtomicUsize::new(0);
    let done = AtomicBool::new(false);
    let memory: Vec<i64> = thread::scope(|scope| {
        let traffic = scope.spawn(|| {
            while !done.load(Ordering::Relaxed) {
                let answer = ask(address, &request(PROXY_KEY));
                assert_eq!(answer.status, 200, "after {} requests", served.load(Ordering::Relaxed));
                upstream.take();
                served.fetch_add(1, Ordering::Relaxed);
                thread::sleep(Duration::from_millis(2));
            }
        });
        // Also where an assertion fails: the scope waits for the traffic.
        let _stop = StoreOnDrop(&done);
        let memory = (0..GROUPS).map(|group| {
            for update in group * UPDATES + 1..=(group + 1) * UPDATES {
                gateway.update(&[listener(update)]);
                // The keys of one update are none in the next.
                let took_over = until(|| (ask(address, &request(&key(update, KEYS - 1))).status == 200).then_some(()));
                assert!(took_over.is_some(), "update {update}; {}", gateway.explanation());
                assert_eq!(ask(address, &request(&key(update - 1, KEYS - 1))).status, 401, "update {update}");
            }
            let drained = until(|| {
                let stats = gateway.envoy.admin_get("/stats?filter=total_filter_chains_draining").ok()?;
                stats.contains(": 0").then_some(())
            });
            assert!(drained.is_some(), "group {group}; {}", gateway.explanation());
            resident_kb(&gateway)
        });
        let memory = memory.collect();
        done.store(true, Ordering::Relaxed);
        traffic.join().expect("no dropped request");
        memory
    });
    let updates = GROUPS * UPDATES;
    let served = served.into_inner();
    say(&format!("{updates} updates of {KEYS} keys, {served} requests meanwhile, kB after each {UPDATES}: {memory:?}"));
    let (early, late) = (memory[0], memory[GROUPS - 1]);
    assert!(late - early < MAX_GROWTH_KB, "{early} kB after {UPDATES} updates, {late} kB after {updates}");
}

/// Becomes `true` when this is dropped.
struct StoreOnDrop<'a>(&'a AtomicBool);

impl Drop for StoreOnDrop<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// One consumer whose key stays, and many keys that only this update has.
fn configuration(update: usize) -> String {
    let digest = |key: &str| KeyDigest::of(key.as_bytes()).to_hex();
    let mut keys = format!(r#"{{ "id": "stays", "sha256": "{}" }}"#, digest(PROXY_KEY));
    for at in 0..KEYS {
        let _ = write!(keys, r#", {{ "id": "{at}", "sha256": "{}" }}"#, digest(&key(update, at)));
    }
    format!(r#"{{ "consumers": [ {{ "name": "team-a", "keys": [ {keys} ] }} ] }}"#)
}

fn key(update: usize, at: usize) -> String {
    format!("proxy-EXAMPLE-{update}-{at}")
}

fn request(key: &str) -> String {
    format!("POST /v1/messages\nx-litellm-api-key: {key}")
}

fn resident_kb(gateway: &Gateway) -> i64 {
    let status = fs::read_to_string(format!("/proc/{}/status", gateway.envoy.pid())).expect("a process");
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).expect("its memory");
    line.trim().trim_end_matches(" kB").parse().expect("kilobytes")
}
