//! Envoy's configuration for the tests: as little of Envoy's own cleaning as possible, so that tricks reach the filter.

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::path::Path;

use serde_json::{Value, json};

use super::{Upstream, metadata};
use crate::carrier::carrier;

/// One listener with one configuration of the filter.
pub struct Site<'a> {
    /// Name of the listener and of the plugin, which Envoy puts before each of the module's log lines.
    pub name: &'a str,
    pub configuration: &'a str,
    pub environment: &'a BTreeMap<String, String>,
    /// Where requests go; without a cluster Envoy answers 200 itself.
    pub cluster: Option<&'a str>,
}

pub(super) fn bootstrap(clusters: &[(&str, &Upstream)], listeners: &Path) -> Value {
    let clusters: Vec<Value> = clusters.iter().map(|(name, upstream)| cluster(name, upstream.address())).collect();
    json!({
        "admin": { "address": address(0) },
        "node": { "id": "test", "cluster": "test" },
        "static_resources": { "clusters": clusters },
        "dynamic_resources": {
            "lds_config": { "resource_api_version": "V3", "path_config_source": { "path": listeners } }
        }
    })
}

/// The listener of a site on a port of the system's choice.
pub fn listener(site: &Site<'_>) -> Value {
    let mut listener = json!({
        "@type": "type.googleapis.com/envoy.config.listener.v3.Listener",
        "name": site.name,
        "address": address(0),
        "filter_chains": [ { "filters": [ {
            "name": "envoy.filters.network.http_connection_manager",
            "typed_config": connection_manager(site),
        } ] } ],
    });
    carrier().set_variables(&mut listener, site.environment);
    listener
}

/// The part of a listener that says what HTTP is spoken.
pub fn connection_manager_of(listener: &mut Value) -> &mut Value {
    &mut listener["filter_chains"][0]["filters"][0]["typed_config"]
}

/// Puts other routes into a listener.
pub fn set_routes(listener: &mut Value, routes: Value) {
    connection_manager_of(listener)["route_config"]["virtual_hosts"][0]["routes"] = routes;
}

fn connection_manager(site: &Site<'_>) -> Value {
    json!({
        "@type": "type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager",
        "stat_prefix": "test",
        "preserve_external_request_id": true,
        "normalize_path": false,
        "merge_slashes": false,
        "path_with_escaped_slashes_action": "KEEP_UNCHANGED",
        "max_request_headers_kb": 96,
        "common_http_protocol_options": { "headers_with_underscores_action": "ALLOW", "max_headers_count": 200 },
        "http2_protocol_options": { "allow_connect": true },
        "upgrade_configs": [ { "upgrade_type": "CONNECT" }, { "upgrade_type": "websocket" } ],
        "access_log": [ access_log(site.configuration) ],
        "http_filters": http_filters(site),
        "route_config": { "virtual_hosts": [ { "name": "all", "domains": ["*"], "routes": routes(site.cluster) } ] },
    })
}

fn http_filters(site: &Site<'_>) -> Vec<Value> {
    let router = json!({
        "name": "envoy.filters.http.router",
        "typed_config": { "@type": "type.googleapis.com/envoy.extensions.filters.http.router.v3.Router" },
    });
    metadata::filter(site.configuration).into_iter().chain([filter(site), router]).collect()
}

fn routes(cluster: Option<&str>) -> Vec<Value> {
    let action = match cluster {
        Some(cluster) => ("route", json!({ "cluster": cluster })),
        None => ("direct_response", json!({ "status": 200 })),
    };
    [json!({ "connect_matcher": {} }), json!({ "prefix": "/" })]
        .into_iter()
        .map(|matched| json!({ "match": matched, (action.0): action.1 }))
        .collect()
}

fn filter(site: &Site<'_>) -> Value {
    let filter = carrier().filter(site.name, site.configuration, site.environment);
    json!({ "name": "byok", "typed_config": filter })
}

fn access_log(configuration: &str) -> Value {
    let mut format = json!({
        "local": "%DOWNSTREAM_LOCAL_ADDRESS%",
        "remote": "%DOWNSTREAM_DIRECT_REMOTE_ADDRESS%",
        "protocol": "%PROTOCOL%",
        "path": "%REQ(:PATH)%",
        "status": "%RESPONSE_CODE%",
        "details": "%RESPONSE_CODE_DETAILS%",
    });
    for part in crate::corpus::RECORD_PARTS {
        format[part] = format!("%FILTER_STATE(wasm.byok.{part}:PLAIN)%").into();
    }
    for part in label_parts(configuration) {
        format[&part] = format!("%FILTER_STATE(wasm.byok.{part}:PLAIN)%").into();
    }
    json!({
        "name": "envoy.access_loggers.stdout",
        "typed_config": {
            "@type": "type.googleapis.com/envoy.extensions.access_loggers.stream.v3.StdoutAccessLog",
            "log_format": { "json_format": format },
        },
    })
}

/// Returns the parts of the record for the labels in a configuration.
fn label_parts(configuration: &str) -> BTreeSet<String> {
    let configuration: Value = serde_json::from_str(configuration).unwrap_or_default();
    let consumers = configuration["consumers"].as_array().into_iter().flatten();
    let labels = consumers.filter_map(|consumer| consumer["labels"].as_object()).flat_map(|labels| labels.keys());
    labels.map(|name| format!("label.{name}")).collect()
}

fn cluster(name: &str, upstream: SocketAddr) -> Value {
    json!({
        "name": name,
        "connect_timeout": "5s",
        "type": "STATIC",
        "load_assignment": { "cluster_name": name, "endpoints": [ { "lb_endpoints": [
            { "endpoint": { "address": address(upstream.port()) } }
        ] } ] },
    })
}

fn address(port: u16) -> Value {
    json!({ "socket_address": { "address": "127.0.0.1", "port_value": port } })
}
