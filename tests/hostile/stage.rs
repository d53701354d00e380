//! An Envoy under attack, alone on the machine.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

use byok_testkit::corpus::say;
use byok_testkit::service::{Issuer, Scene, configuration, site};
use serde_json::{Value, json};

use crate::attack::Tally;
use crate::good_clients::Served;

/// One attack at a time: the tests measure how good clients fare.
static TURN: Mutex<()> = Mutex::new(());

/// Whatever Envoy logs of a module that has failed.
const CRASHES: [&str; 5] = ["failed:", "panicked", "Wasm VM failed", "RangeError", "memory allocation"];

/// The requests of one worker that may wait at once with keys that were never valid: a fifth of 1,024 is for others.
pub(crate) const MAX_WAITING: usize = 820;

pub(crate) struct Stage {
    pub(crate) scene: Scene,
    pub(crate) issuer: Issuer,
    workers: u32,
    _turn: MutexGuard<'static, ()>,
}

impl Stage {
    /// Starts Envoy with that many workers; `service` replaces and adds fields of the verification service.
    pub(crate) fn start(issuer: Issuer, service: Value, workers: u32) -> Self {
        let turn = TURN.lock().unwrap_or_else(PoisonError::into_inner);
        let sites = [site("gateway", &configuration(service))];
        let scene = Scene::start_with(&[("issuer", issuer.server())], &sites, |bootstrap, options| {
            options.concurrency = workers;
            // As in production: a line for each of the refused requests is another test's matter.
            options.component_log_levels.clear();
            // Envoy's own limits on calls to the upstream are not what is attacked.
            let clusters = bootstrap["static_resources"]["clusters"].as_array_mut().expect("clusters");
            let upstream = clusters.iter_mut().find(|cluster| cluster["name"] == "upstream").expect("an upstream");
            upstream["circuit_breakers"] = json!({ "thresholds": [
                { "max_connections": 10_000, "max_pending_requests": 10_000, "max_requests": 10_000 } ] });
        });
        Self { scene, issuer, workers, _turn: turn }
    }

    /// The lines of Envoy's log that tell of a crash.
    pub(crate) fn crashes(&self) -> Vec<String> {
        // What Envoy has to say about a crash may take its time.
        thread::sleep(Duration::from_millis(50));
        let log = self.scene.gateway.envoy.log();
        let crash = |line: &&str| CRASHES.iter().any(|sign| line.contains(sign));
        log.lines().filter(crash).map(str::to_owned).collect()
    }

    /// Attacks, and returns how many requests Envoy had under way at once, as often as it was asked.
    pub(crate) fn most_at_once<T>(&self, attack: impl FnOnce() -> T) -> (usize, T) {
        let over = AtomicBool::new(false);
        thread::scope(|scope| {
            let watch = scope.spawn(|| {
                let mut most = 0;
                while !over.load(Ordering::Relaxed) {
                    most = most.max(self.scene.stat("http.test.downstream_rq_active"));
                    thread::sleep(Duration::from_millis(10));
                }
                usize::try_from(most).expect("a number")
            });
            let result = attack();
            over.store(true, Ordering::Relaxed);
            (watch.join().expect("a watch"), result)
        })
    }

    /// Kilobytes that Envoy uses, the module's memory included: without what its allocator keeps of memory that is free.
    pub(crate) fn memory_in_use(&self) -> i64 {
        let memory = self.scene.gateway.envoy.admin_get("/memory").expect("Envoy's memory");
        let memory: Value = serde_json::from_str(&memory).expect("JSON");
        let free: i64 = memory["pageheap_free"].as_str().and_then(|bytes| bytes.parse().ok()).expect("a size");
        self.scene.memory() - free / 1024
    }

    /// Says what an attack has come to, and panics where the module has failed or a good client was not served.
    pub(crate) fn assert_unharmed(&self, attack: &str, tally: &Tally, served: &Served) {
        let crashes = self.crashes();
        say(&format!(
            "{attack}, workers {}: {tally}; good clients: {served}; crash lines {}; calls {}, memory {} MB, {} MB in use",
            self.workers,
            crashes.len(),
            self.issuer.calls(),
            self.scene.memory() / 1024,
            self.memory_in_use() / 1024,
        ));
        assert!(crashes.is_empty(), "{attack}: {} lines, the first {:?}", crashes.len(), crashes.first());
        tally.assert_answered(attack);
        served.assert_all(attack);
    }
}

/// How often each attack is repeated.
pub(crate) fn rounds() -> usize {
    std::env::var("HOSTILE_ROUNDS").ok().and_then(|rounds| rounds.parse().ok()).unwrap_or(1).max(1)
}
