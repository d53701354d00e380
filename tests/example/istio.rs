//! Istio's resources: plugins, and the workloads whose proxies run them.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::{Example, Setting, documents, envoy, strings};

/// Namespace and labels of a workload's pods.
pub(crate) type Workload = (String, BTreeMap<String, String>);

const ENVIRONMENT: &str = "envoy/istio/environment.yaml";

/// One plugin; `wasm` is the part of the resource that concerns the module.
pub(super) fn example(file: &str, resource: &Value, wasm: &Value) -> Example {
    let metadata = &resource["metadata"];
    let environment = wasm["vmConfig"]["env"].as_array().expect("variables of the proxy");
    let names = environment.iter().map(|variable| {
        assert_eq!(variable["valueFrom"], "HOST", "{file}: a secret in the resource itself");
        variable["name"].clone()
    });
    Example {
        place: format!("{file}, {}", metadata["namespace"].as_str().expect("a namespace")),
        setting: Setting::Istio(workload(&metadata["namespace"], &resource["spec"]["selector"]["matchLabels"])),
        configuration: wasm["pluginConfig"].to_string(),
        variables: strings(&names.collect()),
        failure_policy: Some(wasm["failStrategy"].as_str().unwrap_or_default().to_owned()),
    }
}

/// The filters that an `EnvoyFilter` puts into listeners.
pub(super) fn patches(file: &str, resource: &Value) -> Vec<Example> {
    let spec = &resource["spec"];
    let workload = workload(&resource["metadata"]["namespace"], &spec["workloadSelector"]["labels"]);
    let patches = spec["configPatches"].as_array().expect("patches").iter();
    let examples = patches.flat_map(|patch| envoy::examples(file, &patch["patch"]["value"]));
    examples.map(|example| Example { setting: Setting::Istio(workload.clone()), ..example }).collect()
}

/// Applies an `EnvoyFilter` to a connection manager, as Istio would.
pub(super) fn apply(resource: &Value, manager: &mut Value) {
    for patch in resource["spec"]["configPatches"].as_array().expect("patches") {
        assert_eq!((&patch["applyTo"], &patch["patch"]["operation"]), (&"HTTP_FILTER".into(), &"INSERT_BEFORE".into()));
        let place = &patch["match"]["listener"]["filterChain"]["filter"];
        assert_eq!(place["name"], "envoy.filters.network.http_connection_manager");
        let filters = manager["http_filters"].as_array_mut().expect("filters");
        let at = filters.iter().position(|filter| filter["name"] == place["subFilter"]["name"]);
        filters.insert(at.expect("the filter that the patch names"), patch["patch"]["value"].clone());
    }
}

/// The variables that each workload's proxy gets from a Secret which is there.
pub(crate) fn variables_of_proxies() -> BTreeMap<Workload, BTreeSet<String>> {
    let resources = documents(ENVIRONMENT);
    let of_kind = |kind: &'static str| resources.iter().filter(move |resource| resource["kind"] == kind);
    of_kind("Deployment")
        .map(|deployment| {
            let namespace = &deployment["metadata"]["namespace"];
            let template = &deployment["spec"]["template"];
            let containers = template["spec"]["containers"].as_array().expect("containers");
            let proxy = containers.iter().find(|container| container["name"] == "istio-proxy").expect("a proxy");
            let variables = proxy["env"].as_array().expect("variables").iter().map(|variable| {
                let source = &variable["valueFrom"]["secretKeyRef"];
                let key = source["key"].as_str().expect("a key of a Secret");
                let there = of_kind("Secret").any(|secret| {
                    let metadata = &secret["metadata"];
                    metadata["name"] == source["name"]
                        && metadata["namespace"] == *namespace
                        && secret["stringData"].get(key).is_some()
                });
                assert!(there, "no Secret in {namespace} has the key {key}");
                variable["name"].as_str().expect("a name").to_owned()
            });
            let mut labels = template["metadata"]["labels"].clone();
            labels.as_object_mut().expect("labels").remove("sidecar.istio.io/inject");
            (workload(namespace, &labels), variables.collect())
        })
        .collect()
}

fn workload(namespace: &Value, labels: &Value) -> Workload {
    let namespace = namespace.as_str().expect("a namespace").to_owned();
    let labels = labels.as_object().expect("labels").iter();
    (namespace, labels.map(|(name, value)| (name.clone(), value.as_str().unwrap_or_default().to_owned())).collect())
}
