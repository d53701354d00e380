//! One Envoy, with a listener for each vendor, in clear text and with TLS.

use std::collections::BTreeMap;
use std::net::SocketAddr;

use byok_testkit::certificates::{Authority, Issued};
use byok_testkit::gateway::{Gateway, Site, connection_manager_of, listener};
use serde_json::{Value, json};

use crate::credentials::{GATEWAY_KEY, Vendor};

/// The listener of Anthropic's API, with TLS, where a filter collects each answer before it sends it.
pub(crate) const BUFFERING: &str = "buffering";

/// Starts Envoy before the provider.
pub(crate) fn start(provider: SocketAddr, authority: &Authority) -> Gateway {
    let server = authority.server("localhost").expect("a certificate");
    let environment = BTreeMap::new();
    let site = |name: &str, vendor: Vendor| {
        let configuration = configuration(vendor).to_string();
        listener(&Site { name, configuration: &configuration, environment: &environment, cluster: Some("provider") })
    };
    let mut listeners = Vec::new();
    for vendor in Vendor::ALL {
        listeners.push(site(vendor.profile(), vendor));
        let mut with_tls = site(&format!("{}_tls", vendor.profile()), vendor);
        with_tls["filter_chains"][0]["transport_socket"] = tls(&server);
        listeners.push(with_tls);
    }
    let mut buffering = site(BUFFERING, Vendor::Anthropic);
    let filters = connection_manager_of(&mut buffering)["http_filters"].as_array_mut().expect("a chain of filters");
    filters.insert(0, collecting());
    buffering["filter_chains"][0]["transport_socket"] = tls(&server);
    listeners.push(buffering);

    Gateway::start_with(&[], &listeners, |bootstrap, _| {
        let endpoint =
            json!({ "address": { "socket_address": { "address": "127.0.0.1", "port_value": provider.port() } } });
        bootstrap["static_resources"]["clusters"] = json!([ {
            "name": "provider",
            "connect_timeout": "5s",
            "type": "STATIC",
            "load_assignment": {
                "cluster_name": "provider",
                "endpoints": [ { "lb_endpoints": [ { "endpoint": endpoint } ] } ],
            },
        } ]);
    })
}

/// The default key sources of all profiles, and a query parameter for browsers, which can't set headers on a WebSocket.
fn configuration(vendor: Vendor) -> Value {
    let key_sources = json!([
        { "header": "x-litellm-api-key" },
        { "header": "authorization", "scheme": "Bearer" },
        { "header": "x-api-key" },
        { "header": "api-key" },
        { "header": "x-goog-api-key" },
        { "websocket_protocol": "openai-insecure-api-key." },
        { "query": "gateway_key" },
    ]);
    json!({
        "forward_llm_provider_auth_headers": true,
        "key_sources": key_sources,
        "consumers": [ { "name": "team-a", "keys": [ { "id": "1", "value": GATEWAY_KEY } ] } ],
        "providers": { (vendor.profile()): { "deployment_key": { "value": vendor.deployment_key() } } },
    })
}

fn tls(server: &Issued) -> Value {
    let inline = |text: &str| json!({ "inline_string": text });
    json!({
        "name": "envoy.transport_sockets.tls",
        "typed_config": {
            "@type": "type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.DownstreamTlsContext",
            "common_tls_context": {
                "alpn_protocols": ["h2", "http/1.1"],
                "tls_certificates": [
                    { "certificate_chain": inline(&server.certificate), "private_key": inline(&server.key) } ],
            },
        },
    })
}

fn collecting() -> Value {
    json!({
        "name": "envoy.filters.http.lua",
        "typed_config": {
            "@type": "type.googleapis.com/envoy.extensions.filters.http.lua.v3.Lua",
            "default_source_code": { "inline_string": "function envoy_on_response(handle) handle:body() end" },
        },
    })
}
