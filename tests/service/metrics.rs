//! The metrics that dashboard and alerts read are ones that Envoy exports.

use std::collections::BTreeSet;
use std::fs;

use byok_core::LookupEvent;
use byok_testkit::carrier::{Carrier, carrier};
use byok_testkit::root;
use byok_testkit::service::{ALICE, CONFIGURED, Issuer, Scene, json as answer, knows};
use serde_json::json;

#[test]
fn every_metric_that_dashboard_and_alerts_read_is_exported() {
    // Natively the names need two settings of the bootstrap; `tests/metrics/` has those.
    if carrier() == Carrier::Native {
        return;
    }
    let knows = knows(&[("key", ALICE)]);
    let issuer = Issuer::start(move |call| {
        let is_known =
            call.path.as_deref().is_some_and(|path| path == byok_testkit::service::path_for("key").as_bytes());
        if is_known { knows(call) } else { answer(500, "") }
    });
    let scene = Scene::start(&issuer, json!({ "max_in_flight": 1, "stale_if_error": "10m", "cache_ttl": "1s" }));
    for key in [CONFIGURED, "key", "key", "other"] {
        scene.ask(key);
    }
    let exported = scene.gateway.envoy.admin_get("/stats/prometheus").expect("metrics");
    let is_exported =
        |name: &str| exported.lines().any(|line| line.starts_with("# TYPE ") && line.contains(&format!(" {name} ")));
    // Counters exist once something has been counted; these two need an outage or a flood.
    let later = ["byok_verification_stale", "byok_verification_overflows"];
    // Labels come from the bootstrap, which this one does not have: the name then has them.
    let requests = exported.lines().any(|line| line.starts_with("# TYPE byok_decision_"));
    assert!(requests, "no counter of requests");
    for file in ["alerts.yaml", "dashboard.json"] {
        let text = fs::read_to_string(root().join("envoy/observability").join(file)).expect("a readable file");
        let names: BTreeSet<String> = text
            .split(|one: char| !one.is_ascii_lowercase() && one != '_')
            .filter(|word| word.starts_with("byok_"))
            .map(str::to_owned)
            .collect();
        assert!(names.len() >= 3, "{file}: {names:?}");
        for name in names.iter().filter(|name| *name != "byok_requests" && !later.contains(&name.as_str())) {
            assert!(is_exported(name), "{file} reads {name}, and Envoy exports no such metric");
        }
        for name in names.iter().filter(|name| later.contains(&name.as_str())) {
            let is_counted = LookupEvent::ALL.iter().any(|event| event.counter().replace('.', "_") == *name);
            assert!(is_counted, "{file} reads {name}, which nothing counts");
        }
    }
}
