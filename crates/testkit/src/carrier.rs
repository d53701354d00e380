//! What carries the filter into Envoy in the tests: the wasm module, or with `CARRIER=native` the dynamic module. Each suite
//! runs with both, and what follows is all that differs:
//!
//! | | wasm | native |
//! |---|---|---|
//! | environment variables | those that the VM is given | those of Envoy's process, alike for all filters |
//! | verification service | a cache, bounds and calls per worker | one cache, bounds and calls for all workers |
//! | identities in dynamic metadata | at any depth | one key below the filter's name: Envoy offers no more |
//! | counters in `/stats` | `byok.decision.…requests` | `byok.requests.decision.…`, with labels already |
//! | requests are counted | at once | within a tenth of a second |

use std::collections::BTreeMap;
use std::ffi::OsString;

use serde_json::{Map, Value, json};

use crate::module;

/// What carries the filter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Carrier {
    Wasm,
    Native,
}

/// The carrier that the tests run with.
///
/// # Panics
/// `CARRIER` is neither `wasm` nor `native`.
pub fn carrier() -> Carrier {
    match std::env::var("CARRIER").as_deref() {
        Err(_) | Ok("" | "wasm") => Carrier::Wasm,
        Ok("native") => Carrier::Native,
        Ok(other) => panic!("CARRIER={other}: expected wasm or native"),
    }
}

const STRING: &str = "type.googleapis.com/google.protobuf.StringValue";
/// Where a listener keeps the variables of its filter, for the process: Envoy ignores it.
const VARIABLES: &str = "test.variables";

impl Carrier {
    /// Returns the type of the filter's configuration in Envoy.
    pub fn type_url(self) -> &'static str {
        match self {
            Self::Wasm => "type.googleapis.com/envoy.extensions.filters.http.wasm.v3.Wasm",
            Self::Native => "type.googleapis.com/envoy.extensions.filters.http.dynamic_modules.v3.DynamicModuleFilter",
        }
    }

    /// Returns the name of Envoy's log of the module.
    pub fn log_component(self) -> &'static str {
        match self {
            Self::Wasm => "wasm",
            Self::Native => "dynamic_modules",
        }
    }

    /// Returns how many times that many workers ask about the same key.
    pub fn askers(self, workers: u32) -> usize {
        match self {
            Self::Wasm => workers as usize,
            Self::Native => 1,
        }
    }

    /// Returns the configuration of the filter in Envoy; its log lines bear the name.
    ///
    /// # Panics
    /// The module is missing or older than its sources, or the configuration is no JSON.
    pub fn filter(self, name: &str, configuration: &str, variables: &BTreeMap<String, String>) -> Value {
        let configuration = json!({ "@type": STRING, "value": self.readable_configuration(configuration) });
        match self {
            Self::Wasm => json!({
                "@type": self.type_url(),
                "config": {
                    "name": name,
                    // Envoy names the root in the log lines of a configuration, and the plugin in those of a request.
                    "root_id": name,
                    "failure_policy": "FAIL_RELOAD",
                    "vm_config": {
                        "vm_id": "byok",
                        "runtime": "envoy.wasm.runtime.v8",
                        "code": { "local": { "filename": module::path() } },
                        "environment_variables": { "key_values": variables },
                    },
                    "configuration": configuration,
                },
            }),
            Self::Native => json!({
                "@type": self.type_url(),
                "dynamic_module_config": {
                    "name": "byok_filter", "do_not_close": true, "metrics_namespace": "wasmcustom" },
                "filter_name": name,
                "filter_config": configuration,
            }),
        }
    }

    /// Keeps variables in a listener for [`Carrier::environment`].
    pub(crate) fn set_variables(self, listener: &mut Value, variables: &BTreeMap<String, String>) {
        if self == Self::Native {
            listener["metadata"] = json!({ "filter_metadata": { VARIABLES: variables } });
        }
    }

    /// Returns the environment that Envoy's process needs for the module and the filters of these listeners.
    ///
    /// # Panics
    /// The module is missing or older than its sources.
    pub fn environment(self, listeners: &[Value]) -> Vec<(String, OsString)> {
        if self == Self::Wasm {
            module::path();
            return Vec::new();
        }
        let module = module::native_path();
        let folder = module.parent().expect("the module is in a folder").as_os_str().to_owned();
        let of = |listener: &Value| listener["metadata"]["filter_metadata"][VARIABLES].as_object().cloned();
        let variables: Map<String, Value> = listeners.iter().filter_map(of).flatten().collect();
        let text = |value: Value| OsString::from(value.as_str().unwrap_or_default());
        let variables = variables.into_iter().map(|(name, value)| (name, text(value)));
        variables.chain([("ENVOY_DYNAMIC_MODULES_SEARCH_PATH".to_owned(), folder)]).collect()
    }

    /// Returns the path of a property as the carrier can read it: natively, what is below a filter's name in dynamic metadata
    /// is one key.
    pub(crate) fn readable(self, property: &[String]) -> Vec<String> {
        match property {
            [metadata, filters, namespace, key @ ..]
                if self == Self::Native && metadata == "metadata" && key.len() > 1 =>
            {
                vec![metadata.clone(), filters.clone(), namespace.clone(), key.join(".")]
            }
            _ => property.to_vec(),
        }
    }

    fn readable_configuration(self, configuration: &str) -> String {
        let nested = |property: &Vec<String>| self.readable(property) != *property;
        if !crate::corpus::identities_of(configuration).iter().any(|(_, property)| nested(property)) {
            return configuration.to_owned();
        }
        let mut configuration: Value = serde_json::from_str(configuration).expect("JSON");
        for identity in configuration["identities"].as_array_mut().expect("a list") {
            let property: Vec<String> = serde_json::from_value(identity["property"].take()).expect("a path");
            identity["property"] = json!(self.readable(&property));
        }
        configuration.to_string()
    }
}

/// Gives a filter another name.
pub fn set_name(filter: &mut Value, name: &str) {
    filter["name"] = name.into();
    let configuration = &mut filter["typed_config"];
    match carrier() {
        Carrier::Wasm => {
            configuration["config"]["name"] = name.into();
            configuration["config"]["root_id"] = name.into();
        }
        Carrier::Native => configuration["filter_name"] = name.into(),
    }
}

/// Gives a filter another configuration.
pub fn set_configuration(filter: &mut Value, json: &Value) {
    let configuration = &mut filter["typed_config"];
    let configuration = match carrier() {
        Carrier::Wasm => &mut configuration["config"]["configuration"],
        Carrier::Native => &mut configuration["filter_config"],
    };
    configuration["value"] = json.to_string().into();
}

/// Lets a filter read these variables of Envoy's process; natively it reads all.
pub fn expose_variables(filter: &mut Value, names: &[&str]) {
    if carrier() == Carrier::Wasm {
        filter["typed_config"]["config"]["vm_config"]["environment_variables"] = json!({ "host_env_keys": names });
    }
}

/// Lets a filter stop headers alone, as some set-ups do; natively there is no such setting.
pub fn allow_stop_iteration(filter: &mut Value) {
    if carrier() == Carrier::Wasm {
        filter["typed_config"]["config"]["allow_on_headers_stop_iteration"] = true.into();
    }
}
