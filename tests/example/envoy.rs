//! Bootstraps, and Envoy's own verdict on them.

use std::fs;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use byok_testkit::carrier::Carrier;
use byok_testkit::tools::envoy_binary;
use serde_json::{Value, json};

use super::{Example, Setting, documents, istio, strings};

const RESOURCE: &str = "type.googleapis.com/envoy.config.core.v3.TypedExtensionConfig";
const FILTER: &str = "type.googleapis.com/envoy.extensions.filters.http.wasm.v3.Wasm";
const NATIVE_FILTER: &str = "type.googleapis.com/envoy.extensions.filters.http.dynamic_modules.v3.DynamicModuleFilter";

/// Finds the filter anywhere in a bootstrap, or in a configuration that Envoy gets by ECDS.
pub(super) fn examples(file: &str, part: &Value) -> Vec<Example> {
    if part["@type"] == RESOURCE {
        let examples = examples(file, &part["typed_config"]).into_iter();
        return examples.map(|example| Example { setting: Setting::ControlPlane, ..example }).collect();
    }
    if part["@type"] == FILTER {
        return vec![example(file, &part["config"])];
    }
    if part["@type"] == NATIVE_FILTER {
        return vec![native_example(file, part)];
    }
    match part {
        Value::Object(fields) => fields.values().flat_map(|part| examples(file, part)).collect(),
        Value::Array(items) => items.iter().flat_map(|part| examples(file, part)).collect(),
        _ => Vec::new(),
    }
}

fn example(file: &str, plugin: &Value) -> Example {
    let configuration = plugin["configuration"]["value"].as_str();
    Example {
        place: file.to_owned(),
        setting: Setting::Bootstrap(file.to_owned()),
        configuration: configuration.unwrap_or_else(|| panic!("{file}: no configuration in JSON")).to_owned(),
        variables: strings(&plugin["vm_config"]["environment_variables"]["host_env_keys"]),
        failure_policy: Some(plugin["failure_policy"].as_str().unwrap_or_default().to_owned()),
    }
}

/// Natively the filter sees all variables of Envoy's process, and a failure refuses the request that it happens to.
fn native_example(file: &str, filter: &Value) -> Example {
    let configuration = filter["filter_config"]["value"].as_str();
    let configuration = configuration.unwrap_or_else(|| panic!("{file}: no configuration in JSON")).to_owned();
    let names = configuration.split("\"environment_variable\": \"").skip(1).filter_map(|rest| rest.split('"').next());
    Example {
        place: file.to_owned(),
        setting: Setting::Bootstrap(file.to_owned()),
        variables: names.map(str::to_owned).collect(),
        configuration,
        failure_policy: None,
    }
}

/// Asks Envoy whether it would start, and what it says.
pub(crate) fn validate(example: &Example, environment: &[(String, String)]) -> (bool, String) {
    let directory = tempfile::tempdir().expect("a temporary directory");
    let config = match &example.setting {
        Setting::Bootstrap(file) => PathBuf::from(file),
        Setting::Istio(_) | Setting::ControlPlane => {
            let path = directory.path().join("envoy.json");
            fs::write(&path, bootstrap(example).to_string()).expect("a writable file");
            path
        }
    };
    let carrier = if example.failure_policy.is_some() { Carrier::Wasm } else { Carrier::Native };
    let certificates = byok_testkit::root().join("dist/mtls");
    if !certificates.join("ca.pem").exists() {
        byok_testkit::certificates::write_example(&certificates).expect("certificates");
    }
    let output = Command::new(envoy_binary().unwrap_or_else(|error| panic!("{error:#}")))
        .args(["--mode", "validate", "--log-level", "warning", "-c"])
        .arg(config)
        .current_dir(byok_testkit::root())
        .env_clear()
        // Sees to it that the module is there, and no older than its sources.
        .envs(carrier.environment(&[]))
        .envs(environment.iter().map(|(name, value)| (name, value)))
        .stdin(Stdio::null())
        .output()
        .expect("Envoy starts");
    (output.status.success(), String::from_utf8_lossy(&output.stderr).into_owned())
}

/// Asks Envoy whether it would start with these filters in a connection manager, where `byok` is the filter.
pub(crate) fn validate_filters(yaml: &str) -> (bool, String) {
    let key = r#"{ "consumers": [ { "name": "a", "keys": [ { "id": "1", "value": "proxy-EXAMPLE" } ] } ] }"#;
    let ours = Example {
        place: "recipe".to_owned(),
        setting: Setting::ControlPlane,
        configuration: key.to_owned(),
        variables: Vec::new(),
        failure_policy: Some("FAIL_RELOAD".to_owned()),
    };
    let mut bootstrap = bootstrap(&ours);
    let manager = &mut bootstrap["static_resources"]["listeners"][0]["filter_chains"][0]["filters"][0]["typed_config"];
    let own = manager["http_filters"].as_array().expect("filters").clone();
    let recipe: Value = serde_yaml_ng::from_str(yaml).expect("YAML");
    let filters = recipe["http_filters"].as_array().expect("filters");
    let mut filters: Vec<Value> =
        filters.iter().map(|filter| if filter["name"] == "byok" { own[0].clone() } else { filter.clone() }).collect();
    filters.push(own[1].clone());
    manager["http_filters"] = filters.into();
    let secret = |name| json!({ "name": name, "generic_secret": { "secret": { "inline_string": "EXAMPLE" } } });
    bootstrap["static_resources"]["secrets"] = ["anthropic", "oauth2-client", "oauth2-hmac"].map(secret).into();
    let cluster = |name| json!({ "name": name, "load_assignment": { "cluster_name": name } });
    bootstrap["static_resources"]["clusters"] = ["gcp_metadata", "sso"].map(cluster).into();
    run(&bootstrap.to_string())
}

/// Asks Envoy whether it would start with a connection manager to which Istio has applied the patches of an `EnvoyFilter`, where
/// the module is at the path that they name.
pub(crate) fn validate_patches(file: &str, path: &str, environment: &[(&str, &str)]) -> (bool, String) {
    let mut bootstrap = bootstrap_of(json!([router()]));
    let manager = &mut bootstrap["static_resources"]["listeners"][0]["filter_chains"][0]["filters"][0]["typed_config"];
    for resource in documents(file) {
        istio::apply(&resource, manager);
    }
    assert_eq!(manager["http_filters"].as_array().map(Vec::len), Some(2), "{file}: the filter, and the router");
    let bootstrap = bootstrap.to_string();
    assert!(bootstrap.contains(path), "{file}: no {path}");
    let module = byok_testkit::module::path();
    run_with(&bootstrap.replace(path, module.to_str().expect("UTF-8")), environment)
}

fn run(bootstrap: &str) -> (bool, String) {
    run_with(bootstrap, &[])
}

fn run_with(bootstrap: &str, environment: &[(&str, &str)]) -> (bool, String) {
    let directory = tempfile::tempdir().expect("a temporary directory");
    let path = directory.path().join("envoy.json");
    fs::write(&path, bootstrap).expect("a writable file");
    let output = Command::new(envoy_binary().unwrap_or_else(|error| panic!("{error:#}")))
        .args(["--mode", "validate", "--log-level", "warning", "-c"])
        .arg(path)
        .current_dir(byok_testkit::root())
        .envs(environment.iter().copied())
        .stdin(Stdio::null())
        .output()
        .expect("Envoy starts");
    (output.status.success(), String::from_utf8_lossy(&output.stderr).into_owned())
}

/// What the control planes of Istio and Envoy Gateway make of a plugin, as far as the filter sees it.
fn bootstrap(example: &Example) -> Value {
    let plugin = json!({
        "name": example.place,
        "failure_policy": example.failure_policy,
        "vm_config": {
            "runtime": "envoy.wasm.runtime.v8",
            "code": { "local": { "filename": byok_testkit::module::path() } },
            "environment_variables": { "host_env_keys": example.variables },
        },
        "configuration": {
            "@type": "type.googleapis.com/google.protobuf.StringValue",
            "value": example.configuration,
        },
    });
    bootstrap_of(json!([{ "name": "byok", "typed_config": { "@type": FILTER, "config": plugin } }, router()]))
}

fn router() -> Value {
    let router = "type.googleapis.com/envoy.extensions.filters.http.router.v3.Router";
    json!({ "name": "envoy.filters.http.router", "typed_config": { "@type": router } })
}

fn bootstrap_of(filters: Value) -> Value {
    let manager = json!({
        "@type": "type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager",
        "stat_prefix": "test",
        "http_filters": filters,
        "route_config": {},
    });
    json!({ "static_resources": { "listeners": [ {
        "name": "gateway",
        "address": { "socket_address": { "address": "127.0.0.1", "port_value": 0 } },
        "filter_chains": [ { "filters": [
            { "name": "envoy.filters.network.http_connection_manager", "typed_config": manager }
        ] } ],
    } ] } })
}
