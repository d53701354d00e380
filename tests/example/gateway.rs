//! Resources of Envoy Gateway.

use serde_json::Value;

use super::{Example, Setting, strings};

/// The plugins of an `EnvoyExtensionPolicy`.
pub(super) fn examples(file: &str, policy: &Value) -> Vec<Example> {
    let plugins = policy["spec"]["wasm"].as_array().unwrap_or_else(|| panic!("{file}: no plugin"));
    let example = |plugin: &Value| Example {
        place: format!("{file}, {}", plugin["name"].as_str().expect("a name")),
        setting: Setting::ControlPlane,
        configuration: plugin["config"].to_string(),
        variables: strings(&plugin["env"]["hostKeys"]),
        // Envoy Gateway knows two policies: with `failOpen: false`, the default, nothing passes unchecked.
        failure_policy: Some(if plugin["failOpen"] == true { "FAIL_OPEN" } else { "FAIL_RELOAD" }.to_owned()),
    };
    plugins.iter().map(example).collect()
}
