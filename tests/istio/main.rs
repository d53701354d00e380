//! `envoy/istio` and `envoy/gateway` against the schemas that a cluster's API server would apply; of its rules beyond a schema
//! (`x-kubernetes-validations`) nothing is checked here.
//!
//! `make test-istio` fetches the Go modules that publish them, and names their directories in the environment.
#![allow(clippy::expect_used, clippy::indexing_slicing, clippy::panic, reason = "a test stops where it fails")]

mod schemas;

use std::fs;

use byok_testkit::root;
use serde::Deserialize as _;
use serde_json::Value;

use schemas::Schemas;

const RESOURCES: [&str; 2] = ["envoy/istio", "envoy/gateway"];

/// One mistake each; a validation that accepts one is useless.
const MISTAKES: [(&str, &str, &str); 6] = [
    ("envoy/gateway/policy-http.yaml", "        sha256:", "        sha-256:"),
    ("envoy/gateway/environment.yaml", "envoyDeployment", "envoyDaemon"),
    ("envoy/istio/envoyfilter.yaml", "operation: INSERT_BEFORE", "operation: INSERT_IN_FRONT"),
    ("envoy/istio/wasmplugin.yaml", "failStrategy: FAIL_RELOAD", "failStrategy: FAIL_RETRY"),
    ("envoy/istio/trafficextension.yaml", "  wasm:\n    url:", "  wasm:\n    uri:"),
    ("envoy/istio/environment.yaml", "secretKeyRef", "secretKeyReference"),
];

#[test]
#[ignore = "needs schemas from Go modules: make test-istio"]
fn every_resource_matches_the_schema_of_its_kind() {
    let schemas = Schemas::load();
    let mut count = 0;
    let folders = RESOURCES.iter().flat_map(|folder| fs::read_dir(root().join(folder)).expect("a readable folder"));
    for entry in folders {
        let path = entry.expect("a folder entry").path();
        if path.extension().is_none_or(|extension| extension != "yaml") {
            continue;
        }
        let text = fs::read_to_string(&path).expect("a readable file");
        for resource in documents(&text) {
            assert_eq!(schemas.errors(&resource), [""; 0], "{}", path.display());
            count += 1;
        }
    }
    println!("{count} resources match their schemas");
    assert!(count > 0);
}

#[test]
#[ignore = "needs schemas from Go modules: make test-istio"]
fn a_mistake_is_found() {
    let schemas = Schemas::load();
    for (file, right, wrong) in MISTAKES {
        let text = fs::read_to_string(root().join(file)).expect("a readable file");
        assert!(text.contains(right), "{file} no longer says `{right}`: the test needs another mistake");
        let resources = documents(&text.replacen(right, wrong, 1));
        assert!(resources.iter().any(|resource| !schemas.errors(resource).is_empty()), "{file}: `{wrong}` is accepted");
    }
}

fn documents(text: &str) -> Vec<Value> {
    let documents = serde_yaml_ng::Deserializer::from_str(text);
    documents.map(|document| Value::deserialize(document).expect("YAML")).filter(|value| !value.is_null()).collect()
}
