//! The files under `envoy/`: the configurations of the filter in them, and what their READMEs show.

mod catalogue;
mod envoy;
mod gateway;
pub(crate) mod istio;
pub(crate) mod readme;
mod stand_in;

use std::fs;
use std::path::Path;

use serde::Deserialize as _;
use serde_json::Value;

pub(crate) use envoy::{validate, validate_filters, validate_patches};

/// One configuration of the filter, and what stands around it.
pub(crate) struct Example {
    /// File and name, for a failure.
    pub(crate) place: String,
    pub(crate) setting: Setting,
    /// As the filter gets it: JSON.
    pub(crate) configuration: String,
    /// The environment variables that it may see.
    pub(crate) variables: Vec<String>,
    /// In Envoy's words; `None` with the native module, which has none.
    pub(crate) failure_policy: Option<String>,
}

pub(crate) enum Setting {
    /// The file, seen from the repository's root, is a bootstrap of Envoy's.
    Bootstrap(String),
    /// A control plane puts the filter into a listener: Envoy Gateway, or a server of ECDS.
    ControlPlane,
    /// The plugin runs in the proxies of this workload.
    Istio(istio::Workload),
}

/// All YAML files, seen from the repository's root, in order.
pub(crate) fn files() -> Vec<String> {
    let mut files = Vec::new();
    collect(Path::new("envoy"), &mut files);
    files.sort();
    files
}

/// The configurations of all files.
pub(crate) fn all() -> Vec<Example> {
    let examples: Vec<Example> = files().iter().flat_map(|file| of(file)).collect();
    assert!(!examples.is_empty(), "no example under envoy/");
    examples
}

/// The configurations of one file.
pub(crate) fn of(file: &str) -> Vec<Example> {
    documents(file)
        .iter()
        .flat_map(|document| match document["kind"].as_str() {
            Some("WasmPlugin") => vec![istio::example(file, document, &document["spec"])],
            Some("TrafficExtension") => vec![istio::example(file, document, &document["spec"]["wasm"])],
            Some("EnvoyFilter") => istio::patches(file, document),
            Some("EnvoyExtensionPolicy") => gateway::examples(file, document),
            _ => envoy::examples(file, document),
        })
        .collect()
}

/// The documents of a YAML file.
fn documents(file: &str) -> Vec<Value> {
    let text = fs::read_to_string(byok_testkit::root().join(file)).expect("a readable example");
    let documents = serde_yaml_ng::Deserializer::from_str(&text);
    documents.map(|document| Value::deserialize(document).unwrap_or_else(|error| panic!("{file}: {error}"))).collect()
}

fn collect(directory: &Path, files: &mut Vec<String>) {
    for entry in fs::read_dir(byok_testkit::root().join(directory)).expect("a readable folder") {
        let path = directory.join(entry.expect("a folder entry").file_name());
        if byok_testkit::root().join(&path).is_dir() {
            collect(&path, files);
        } else if path.extension().is_some_and(|extension| extension == "yaml") {
            files.push(path.to_str().expect("a name in UTF-8").to_owned());
        }
    }
}

/// The strings of a list.
fn strings(list: &Value) -> Vec<String> {
    list.as_array().into_iter().flatten().filter_map(Value::as_str).map(str::to_owned).collect()
}
