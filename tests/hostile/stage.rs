//! An Envoy under attack, alone on the machine.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

use serde_json::{Value, json};

use crate::attack::Tally;
use crate::corpus::say;
use crate::good_clients::Served;
use crate::issuer::Issuer;
use crate::scene::{Scene, configuration, site};

/// One attack at a time: the tests measure how good clients fare.
static TURN: Mutex<()> = Mutex::new(());

/// Whatever Envoy logs of a module that has failed.
const CRASHES: [&str; 5] = ["failed:", "panicked", "Wasm VM failed", "RangeError", "memory allocation"];

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

    /// Says what an attack has come to, and panics where the module has failed or a good client was not served.
    pub(crate) fn assert_unharmed(&self, attack: &str, tally: &Tally, served: &Served) {
        let crashes = self.crashes();
        say(&format!(
            "{attack}, workers {}: {tally}; good clients: {served}; crash lines {}; calls {}, memory {} MB",
            self.workers,
            crashes.len(),
            self.issuer.calls(),
            self.scene.memory() / 1024,
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
