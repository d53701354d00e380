//! Several policies in one VM: same module, same `vm_id`, a listener each.

use std::collections::BTreeMap;

use byok_testkit::carrier::{Carrier, carrier};
use byok_testkit::gateway::until;
use byok_testkit::service::{ALICE, Gate, Issuer, Scene, ask, configuration, knows, send, site};
use serde_json::{Value, json};

const NAMES: [&str; 3] = ["one", "two", "three"];

/// The policy of a listener: a key and a consumer of its own, and the service of that cluster, if any.
fn policy(name: &str, cluster: Option<&str>) -> Value {
    let mut configuration = configuration(json!({ "cluster": cluster.unwrap_or("none"), "cache_ttl": "1h" }));
    configuration["consumers"] = json!([ { "name": name, "keys": [
        { "id": "own", "value": own_key(name) }, { "id": "shared", "value": SHARED } ] } ]);
    if cluster.is_none() {
        configuration.as_object_mut().expect("an object").remove("verification_service");
    }
    configuration
}

fn own_key(name: &str) -> String {
    format!("proxy-EXAMPLE-of-{name}")
}

/// A key that each of them lists, for a consumer of its own.
const SHARED: &str = "proxy-EXAMPLE-of-all";

#[test]
fn three_policies_in_one_vm_share_neither_keys_nor_answers_and_count_together() {
    let gate = Gate::default();
    let gated = |keys: &[(&str, &str)]| {
        let (gate, knows) = (gate.clone(), knows(keys));
        Issuer::start(move |call| {
            gate.pass();
            knows(call)
        })
    };
    let bob = ALICE.replace("alice", "bob");
    let first = gated(&[("key-of-first", ALICE), ("key-of-both", ALICE)]);
    let second = gated(&[("key-of-second", &bob), ("key-of-both", &bob)]);
    let clusters = [Some("first"), Some("second"), None];
    let sites: Vec<Value> =
        NAMES.iter().zip(clusters).map(|(name, cluster)| site(name, &policy(name, cluster))).collect();
    let services = [("first", first.server()), ("second", second.server())];
    let mut scene = Scene::start_with(&services, &sites[..1], |_, _| ());
    let machines = scene.stat("wasm.envoy.wasm.runtime.v8.active");
    assert_eq!(machines > 0, carrier() == Carrier::Wasm);
    scene.gateway.update(&sites);
    let loaded = until(|| (scene.gateway.addresses().len() == NAMES.len()).then_some(()));
    assert!(loaded.is_some(), "{}", scene.gateway.explanation());
    assert_eq!(scene.stat("wasm.envoy.wasm.runtime.v8.active"), machines, "one VM for all three");
    let addresses = NAMES.map(|name| scene.address_of(name));
    let mut expected: BTreeMap<String, u64> = BTreeMap::new();
    let mut count = |decision: &str, reason: &str, source: &str, credential: &str| {
        let counter =
            format!("byok.decision.{decision}.reason.{reason}.auth_source.{source}.credential.{credential}.requests");
        *expected.entry(counter).or_default() += 1;
    };

    // Keys that all list are all there is while both services are silent.
    let unknown = ["key-of-first", "key-of-second", "key-of-both", "guess"];
    let mut waiting = Vec::new();
    for key in unknown {
        waiting.push([0, 1].map(|at| send(addresses[at], key)));
        assert_eq!(ask(addresses[2], key).status, 401, "{key}");
        count("deny", "unknown_api_key", "x-litellm-api-key", "none");
    }
    for (at, name) in NAMES.iter().enumerate() {
        for key in [&own_key(name), SHARED] {
            assert_eq!(ask(addresses[at], key).status, 200, "{name}; {}", scene.gateway.explanation());
            let message = scene.arrived();
            assert_eq!(message.values("x-consumer-username").collect::<Vec<_>>(), [name.as_bytes()]);
            count("allow", "verified", "x-litellm-api-key", "deployment");
        }
    }
    gate.open();
    let answers = [("first", "service:alice"), ("second", "service:bob")];
    for (key, clients) in unknown.into_iter().zip(waiting) {
        for (client, (service, _)) in clients.into_iter().zip(answers) {
            let known = key == "key-of-both" || key == format!("key-of-{service}");
            let answer = client.answer().expect("an answer");
            assert_eq!(answer.status, if known { 200 } else { 401 }, "{key} at {service}");
            if known {
                count("allow", "verified", "x-litellm-api-key", "deployment");
            } else {
                count("deny", "unknown_api_key", "x-litellm-api-key", "none");
            }
        }
    }
    scene.upstream.take();

    // What one of them remembers is no answer for another, and neither is what one lists.
    for (at, (_, consumer)) in answers.into_iter().enumerate() {
        assert_eq!(ask(addresses[at], "key-of-both").status, 200);
        let message = scene.arrived();
        assert_eq!(message.values("x-consumer-username").collect::<Vec<_>>(), [consumer.as_bytes()]);
        count("allow", "verified", "x-litellm-api-key", "deployment");
    }
    for (at, name) in NAMES.iter().enumerate() {
        for other in NAMES.iter().filter(|other| *other != name) {
            assert_eq!(ask(addresses[at], &own_key(other)).status, 401, "{other}'s key at {name}");
            count("deny", "unknown_api_key", "x-litellm-api-key", "none");
        }
    }
    assert!(scene.upstream.take().is_empty());
    let asked = unknown.len() + NAMES.len() - 1;
    assert_eq!([first.calls(), second.calls()], [asked; 2]);

    expected.insert("byok.verification.calls".to_owned(), 2 * asked as u64);
    expected.insert("byok.verification.cache_hits".to_owned(), 2);
    assert_eq!(scene.gateway.counters_that(|counters| *counters == expected), expected);
}
