//! Where a configuration of the filter is embedded: nowhere, or in a document of Envoy, Istio or Envoy Gateway.

use std::collections::{BTreeMap, BTreeSet};

use super::envoy_identities::Surroundings;
use super::form::is_field;
use crate::diagnostic::Diagnostic;
use crate::document::{Node, Position, Value};

/// A plugin with a configuration of the filter.
pub(crate) struct Plugin<'a> {
    /// The configuration, or the string that contains it.
    pub(crate) configuration: Option<&'a Node>,
    pub(crate) at: Position,
    pub(crate) variables: Variables,
    /// Whether the carrier delivers secrets by SDS; `None` if the document does not say what carries the filter.
    pub(crate) has_sds: Option<bool>,
    /// What is wrong with the settings around the configuration.
    pub(crate) diagnostics: Vec<Diagnostic>,
    /// Where the filter is, if it is in an Envoy configuration.
    pub(crate) surroundings: Surroundings<'a>,
}

/// The environment variables that the document passes to the filter.
pub(crate) enum Variables {
    /// The document does not specify them.
    Unspecified,
    /// These and no others.
    Passed {
        from_host: BTreeSet<String>,
        written: BTreeMap<String, String>,
        /// The field that passes a variable on.
        field: &'static str,
    },
}

/// The fields that distinguish a configuration of this filter from another plugin's.
const FIELDS: [&str; 7] = [
    "consumers",
    "forward_llm_provider_auth_headers",
    "key_sources",
    "providers",
    "routes",
    "verification_service",
    "shadow",
];

/// Returns the plugins of a document that are this filter, in order; `is_only` says that there is no other document.
pub(crate) fn plugins(document: &Node, is_only: bool) -> Vec<Plugin<'_>> {
    if is_alone(document, is_only) {
        let (at, configuration) = (document.at, Some(document));
        let (variables, diagnostics) = (Variables::Unspecified, Vec::new());
        let (has_sds, surroundings) = (None, Surroundings::default());
        return vec![Plugin { configuration, at, variables, has_sds, diagnostics, surroundings }];
    }
    let mut found = Vec::new();
    search(document, Surroundings::default(), &mut found);
    found
}

/// Whether the document is the filter's configuration and nothing else. The only document probably is; one of several
/// has at least one of its fields.
fn is_alone(document: &Node, is_only: bool) -> bool {
    const OTHERS: [&str; 8] =
        ["static_resources", "dynamic_resources", "apiVersion", "kind", "@type", "resources", "admin", "http_filters"];
    let entries = document.entries();
    document.is_map()
        && !entries.iter().any(|entry| OTHERS.contains(&&*entry.name))
        && (entries.iter().any(|entry| is_field(&entry.name))
            || (is_only && entries.iter().all(|entry| !entry.value.is_map())))
}

fn search<'a>(node: &'a Node, mut surroundings: Surroundings<'a>, found: &mut Vec<Plugin<'a>>) {
    let of_type =
        |name: &str| ["@type", "type_url"].iter().any(|field| node.text_of(field).rsplit('.').next() == Some(name));
    if of_type("HttpConnectionManager") {
        surroundings.connection_manager = Some(node);
    }
    if node.get("filters").is_some() {
        surroundings.filter_chain = Some(node);
    }
    let of_envoy = of_type("Wasm") && !of_type("HttpConnectionManager");
    let kind = node.text_of("kind");
    let before = found.len();
    if of_envoy {
        let value = node.get("value").filter(|value| value.is_map()).unwrap_or(node);
        found.extend(value.get("config").and_then(|config| envoy(config, surroundings)));
    } else if of_type("DynamicModuleFilter") {
        let filter = node.get("value").filter(|value| value.is_map()).unwrap_or(node);
        found.extend(dynamic_module(filter, surroundings));
    } else if kind == "WasmPlugin" {
        found.extend(node.get("spec").and_then(|spec| istio(node, spec)));
    } else if kind == "TrafficExtension" {
        found.extend(node.at(&["spec", "wasm"]).and_then(|wasm| istio(node, wasm)));
    } else if kind == "EnvoyExtensionPolicy" {
        let listed = node.at(&["spec", "wasm"]).map(Node::items).unwrap_or_default();
        found.extend(listed.iter().filter_map(|wasm| gateway(node, wasm)));
    }
    if found.len() > before {
        return;
    }
    match &node.value {
        Value::List(items) => items.iter().for_each(|item| search(item, surroundings, found)),
        Value::Map(entries) => entries.iter().for_each(|entry| search(&entry.value, surroundings, found)),
        _ => {}
    }
}

/// `envoy.extensions.wasm.v3.PluginConfig`.
fn envoy<'a>(config: &'a Node, surroundings: Surroundings<'a>) -> Option<Plugin<'a>> {
    let configuration = config.get("configuration").map(|any| any.get("value").unwrap_or(any));
    let vm = config.get("vm_config");
    let names = [config.text_of("name"), config.text_of("root_id"), vm.map_or("", |vm| vm.text_of("vm_id"))];
    let code = vm.and_then(|vm| vm.get("code"));
    if !is_ours(&names, code, configuration) {
        return None;
    }
    let mut diagnostics = Vec::new();
    let policy = config.get("failure_policy").filter(|policy| policy.text() == Some("FAIL_OPEN"));
    diagnostics.extend(policy.map(|policy| fails_open("failure_policy", policy)));
    diagnostics.extend(config.get("fail_open").filter(|open| open.is_true()).map(|open| fails_open("fail_open", open)));
    if vm.is_none_or(|vm| vm.text_of("vm_id").is_empty()) {
        let at = vm.map_or(config.at, |vm| vm.at);
        let missing = "is not set: plugins without an id of their own share their data";
        diagnostics.push(
            Diagnostic::warning("vm_config.vm_id", missing, Some(at)).with_help("give each plugin its own vm_id"),
        );
    }
    let passed = vm.and_then(|vm| vm.get("environment_variables"));
    let from_host = passed.and_then(|passed| passed.get("host_env_keys")).map(texts).unwrap_or_default();
    let written = passed.and_then(|passed| passed.get("key_values")).map(Node::entries).unwrap_or_default();
    let written =
        written.iter().filter_map(|entry| Some((entry.name.clone(), entry.value.text()?.to_owned()))).collect();
    let variables = Variables::Passed { from_host, written, field: "vm_config.environment_variables.host_env_keys" };
    Some(Plugin { configuration, at: config.at, variables, has_sds: Some(false), diagnostics, surroundings })
}

/// `envoy.extensions.filters.http.dynamic_modules.v3.DynamicModuleFilter`. The filter sees all variables of Envoy's process.
fn dynamic_module<'a>(filter: &'a Node, surroundings: Surroundings<'a>) -> Option<Plugin<'a>> {
    let configuration = filter.get("filter_config").map(|any| any.get("value").unwrap_or(any));
    let module = filter.get("dynamic_module_config");
    let names = [filter.text_of("filter_name"), module.map_or("", |module| module.text_of("name"))];
    let (variables, diagnostics) = (Variables::Unspecified, Vec::new());
    is_ours(&names, None, configuration).then_some(Plugin {
        configuration,
        at: filter.at,
        variables,
        has_sds: Some(true),
        diagnostics,
        surroundings,
    })
}

/// `WasmPlugin.spec`, and `TrafficExtension.spec.wasm` of the same fields.
fn istio<'a>(resource: &'a Node, wasm: &'a Node) -> Option<Plugin<'a>> {
    let configuration = wasm.get("pluginConfig");
    let names =
        [resource.at(&["metadata", "name"]).and_then(Node::text).unwrap_or_default(), wasm.text_of("pluginName")];
    if !is_ours(&names, wasm.get("url"), configuration) {
        return None;
    }
    let open = wasm.get("failStrategy").filter(|strategy| strategy.text() == Some("FAIL_OPEN"));
    let diagnostics = open.map(|open| fails_open("failStrategy", open)).into_iter().collect();
    let mut from_host = BTreeSet::new();
    let mut written = BTreeMap::new();
    for variable in wasm.at(&["vmConfig", "env"]).map(Node::items).unwrap_or_default() {
        let name = variable.text_of("name").to_owned();
        if variable.text_of("valueFrom") == "HOST" {
            from_host.insert(name);
        } else {
            written.insert(name, variable.text_of("value").to_owned());
        }
    }
    let variables = Variables::Passed { from_host, written, field: "vmConfig.env, valueFrom: HOST" };
    let (has_sds, surroundings) = (Some(false), Surroundings::default());
    Some(Plugin { configuration, at: wasm.at, variables, has_sds, diagnostics, surroundings })
}

/// An item of `EnvoyExtensionPolicy.spec.wasm`.
fn gateway<'a>(resource: &'a Node, wasm: &'a Node) -> Option<Plugin<'a>> {
    let configuration = wasm.get("config");
    let names = [
        resource.at(&["metadata", "name"]).and_then(Node::text).unwrap_or_default(),
        wasm.text_of("name"),
        wasm.text_of("rootID"),
    ];
    if !is_ours(&names, wasm.get("code"), configuration) {
        return None;
    }
    let open = wasm.get("failOpen").filter(|open| open.is_true());
    let diagnostics = open.map(|open| fails_open("failOpen", open)).into_iter().collect();
    let from_host = wasm.at(&["env", "hostKeys"]).map(texts).unwrap_or_default();
    let variables = Variables::Passed { from_host, written: BTreeMap::new(), field: "env.hostKeys" };
    let (has_sds, surroundings) = (Some(false), Surroundings::default());
    Some(Plugin { configuration, at: wasm.at, variables, has_sds, diagnostics, surroundings })
}

fn fails_open(field: &str, at: &Node) -> Diagnostic {
    Diagnostic::warning(field, "lets every request pass unauthenticated if the filter fails", Some(at.at))
}

/// Whether a plugin is this filter: by a name, by its code, or by the fields of its configuration.
fn is_ours(names: &[&str], code: Option<&Node>, configuration: Option<&Node>) -> bool {
    let mut texts: Vec<&str> = names.to_vec();
    code.into_iter().for_each(|code| collect_texts(code, &mut texts));
    let named = texts.iter().any(|text| text.to_ascii_lowercase().contains("byok"));
    named
        || configuration.is_some_and(|configuration| match &configuration.value {
            Value::Text(text, _) => FIELDS.iter().any(|field| text.contains(&format!("\"{field}\""))),
            _ => configuration.entries().iter().any(|entry| FIELDS.contains(&&*entry.name)),
        })
}

fn collect_texts<'a>(node: &'a Node, texts: &mut Vec<&'a str>) {
    match &node.value {
        Value::Text(text, _) => texts.push(text),
        Value::List(items) => items.iter().for_each(|item| collect_texts(item, texts)),
        // Inline code does not identify a plugin.
        Value::Map(entries) => {
            entries
                .iter()
                .filter(|entry| !entry.name.starts_with("inline"))
                .for_each(|entry| collect_texts(&entry.value, texts));
        }
        _ => {}
    }
}

fn texts(list: &Node) -> BTreeSet<String> {
    list.items().iter().filter_map(Node::text).map(str::to_owned).collect()
}
