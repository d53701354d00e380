//! Envoy's configuration for the benchmarks: one listener for each variant, all of them in one process.

use serde_json::{Value, json};

use crate::filters::{self, DEPLOYMENT_SECRET};
use crate::keys::DEPLOYMENT_KEY;
use crate::variants::Variant;

/// Before the path of a request: the answer says which credentials have come through.
pub(super) const SEEN: &str = "/seen";

pub(super) fn bootstrap<'a>(variants: impl IntoIterator<Item = &'a Variant>) -> String {
    let variants: Vec<&Variant> = variants.into_iter().collect();
    let listeners: Vec<Value> = variants.iter().copied().map(listener).collect();
    let clusters: Vec<&Value> =
        variants.iter().filter_map(|variant| Some(&variant.service.as_ref()?.cluster)).collect();
    json!({
        "admin": { "address": any_port() },
        "static_resources": {
            "listeners": listeners,
            "clusters": clusters,
            "secrets": [{
                "name": DEPLOYMENT_SECRET,
                "generic_secret": { "secret": { "inline_string": DEPLOYMENT_KEY } },
            }],
        },
    })
    .to_string()
}

fn listener(variant: &Variant) -> Value {
    json!({
        "name": variant.name,
        "address": any_port(),
        "filter_chains": [{ "filters": [{
            "name": "envoy.filters.network.http_connection_manager",
            "typed_config": connection_manager(variant),
        }] }],
    })
}

fn connection_manager(variant: &Variant) -> Value {
    let filters: Vec<Value> = variant.filters.iter().cloned().chain([filters::router()]).collect();
    let access_logs: Vec<Value> = variant.access_log.iter().map(access_log).collect();
    json!({
        "@type": "type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager",
        "stat_prefix": "bench",
        "access_log": access_logs,
        "http_filters": filters,
        "route_config": { "virtual_hosts": [{
            "name": "all",
            "domains": ["*"],
            "routes": [
                { "match": { "prefix": SEEN }, "direct_response": { "status": 200, "body_format": {
                    "json_format": {
                        "proxy_key": "%REQ(x-litellm-api-key)%",
                        "provider_key": "%REQ(x-api-key)%",
                        "authorization": "%REQ(authorization)%",
                        "consumer": "%FILTER_STATE(wasm.byok.consumer:PLAIN)%",
                    },
                } } },
                { "match": { "prefix": "/" }, "direct_response": {
                    "status": 200, "body": { "inline_string": "{\"type\":\"message\"}" },
                } },
            ],
        }] },
    })
}

fn access_log(json_format: &Value) -> Value {
    json!({
        "name": "envoy.access_loggers.file",
        "typed_config": {
            "@type": "type.googleapis.com/envoy.extensions.access_loggers.file.v3.FileAccessLog",
            "path": "/dev/null",
            "log_format": { "omit_empty_values": true, "json_format": json_format },
        },
    })
}

fn any_port() -> Value {
    json!({ "socket_address": { "address": "127.0.0.1", "port_value": 0 } })
}
