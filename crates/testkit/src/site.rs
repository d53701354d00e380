//! A gateway with one site, and short ways to ask it.

use std::collections::BTreeMap;
use std::net::SocketAddr;

use serde_json::Value;

use crate::corpus::Message;
use crate::gateway::{Gateway, Response, Site, Upstream, exchange_http1, listener};

pub const PROXY_KEY: &str = "proxy-EXAMPLE-a";
pub const CLIENT_KEY: &str = "sk-ant-api03-EXAMPLE-client";
pub const DEPLOYMENT_KEY: &str = "sk-ant-api03-EXAMPLE-deployment";

/// One consumer, client keys allowed, a deployment key.
pub const BYOK: &str = r#"{
    "forward_llm_provider_auth_headers": true,
    "consumers": [ { "name": "team-a", "keys": [ { "id": "1", "value": "proxy-EXAMPLE-a" } ] } ],
    "providers": { "anthropic": { "deployment_key": { "value": "sk-ant-api03-EXAMPLE-deployment" } } }
}"#;

/// The listener `gateway` in front of the cluster `upstream`.
pub fn gateway_listener(configuration: &str) -> Value {
    let environment = BTreeMap::new();
    listener(&Site { name: "gateway", configuration, environment: &environment, cluster: Some("upstream") })
}

/// An Envoy with that listener.
pub fn start(upstream: &Upstream, listener: Value) -> (Gateway, SocketAddr) {
    let gateway = Gateway::start(&[("upstream", upstream)], &[listener]);
    let address = address(&gateway);
    (gateway, address)
}

/// Where the listener `gateway` serves.
pub fn address(gateway: &Gateway) -> SocketAddr {
    let addresses = gateway.addresses();
    *addresses.get("gateway").unwrap_or_else(|| panic!("the listener is refused; {}", gateway.explanation()))
}

/// Sends a request in the notation of the corpus over HTTP/1.1.
pub fn ask(address: SocketAddr, request: &str) -> Response {
    send(address, &Message::parse(request).expect("a request"))
}

/// Sends a request over HTTP/1.1.
pub fn send(address: SocketAddr, request: &Message) -> Response {
    exchange_http1(address, request, &[("host", b"llm.example.com")]).expect("an answer")
}

/// The one request that has arrived.
pub fn arrived(upstream: &Upstream) -> Message {
    let mut arrivals = upstream.take();
    assert_eq!(arrivals.len(), 1, "arrivals: {arrivals:?}");
    arrivals.remove(0)
}

/// The only value of a header.
pub fn value<'m>(message: &'m Message, name: &'m str) -> Option<String> {
    let values: Vec<_> = message.values(name).map(|value| String::from_utf8_lossy(value).into_owned()).collect();
    assert!(values.len() < 2, "several lines of {name}: {values:?}");
    values.into_iter().next()
}

/// Panics where the proxy key stands anywhere in a request.
pub fn assert_clean(message: &Message) {
    assert!(!message.to_string().contains(PROXY_KEY), "the proxy key goes upstream: {message}");
}
