//! Istio's resources: plugins, and the workloads whose proxies run them.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::{Example, Setting, documents, strings};

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
