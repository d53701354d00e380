//! Internal redirects: Envoy runs the filter again, on headers that it has changed.

use std::net::SocketAddr;

use byok_testkit::corpus::Message;
use byok_testkit::gateway::{Gateway, Upstream, set_routes};
use byok_testkit::site::{CLIENT_KEY, PROXY_KEY, ask, assert_clean, gateway_listener, start, value};
use serde_json::json;

const CONFIGURATION: &str = r#"{
    "forward_llm_provider_auth_headers": true,
    "consumers": [
        { "name": "team-a", "keys": [ { "id": "1", "value": "proxy-EXAMPLE-a" } ] },
        { "name": "team-b", "keys": [ { "id": "1", "value": "proxy-EXAMPLE-b" } ], "providers": ["anthropic"] } ],
    "providers": {
        "anthropic": { "deployment_key": { "value": "sk-ant-api03-EXAMPLE-deployment" } },
        "openai": { "deployment_key": { "value": "sk-EXAMPLE-deployment" } } },
    "default_provider": "anthropic",
    "identity_headers": { "consumer": "x-consumer-username", "provider": "x-byok-provider" },
    "routes": [
        { "match": { "path_prefix": "/open" }, "mode": "off" },
        { "match": { "path_prefix": "/openai" }, "provider": "openai" } ]
}"#;

/// An upstream that sends whoever asks for `/…/to/TARGET` on to `/TARGET`, and the gateway that follows.
fn following() -> (Upstream, Gateway, SocketAddr) {
    let upstream = Upstream::answering(|message| {
        let path = String::from_utf8_lossy(message.path.as_deref().unwrap_or_default()).into_owned();
        match path.split_once("/to/") {
            None => byok_testkit::gateway::OK.to_owned(),
            Some((_, target)) => {
                format!("HTTP/1.1 302 Found\r\nlocation: http://llm.example.com/{target}\r\ncontent-length: 0\r\n\r\n")
            }
        }
    });
    let mut listener = gateway_listener(CONFIGURATION);
    let policy = json!({ "max_internal_redirects": 2 });
    set_routes(
        &mut listener,
        json!([ { "match": { "prefix": "/" }, "route": { "cluster": "upstream", "internal_redirect_policy": policy } } ]),
    );
    let (gateway, address) = start(&upstream, listener);
    (upstream, gateway, address)
}

/// The requests before and after the redirect.
fn both(upstream: &Upstream) -> (Message, Message) {
    let arrivals = upstream.take();
    let [first, second] = arrivals.as_slice() else { panic!("arrivals: {arrivals:?}") };
    assert_clean(first);
    assert_clean(second);
    (first.clone(), second.clone())
}

#[test]
fn a_verified_caller_is_still_known_and_keeps_the_key_of_the_same_provider() {
    let (upstream, gateway, address) = following();
    let request = format!("POST /v1/to/v1/messages\nauthorization: Bearer {PROXY_KEY}\nx-api-key: {CLIENT_KEY}");
    assert_eq!(ask(address, &request).status, 200, "{}", gateway.explanation());
    let (first, second) = both(&upstream);
    for message in [first, second] {
        assert_eq!(value(&message, "x-api-key").as_deref(), Some(CLIENT_KEY));
        assert_eq!(value(&message, "x-consumer-username").as_deref(), Some("team-a"));
    }
    for row in gateway.rows(2) {
        assert_eq!(row.record.get("consumer").map(String::as_str), Some("team-a"));
        assert_eq!(row.record.get("credential_source").map(String::as_str), Some("client"));
    }
}

#[test]
fn a_client_key_does_not_follow_to_another_provider() {
    let (upstream, gateway, address) = following();
    let request = format!("POST /v1/to/openai/v1/chat\nx-litellm-api-key: {PROXY_KEY}\nx-api-key: {CLIENT_KEY}");
    assert_eq!(ask(address, &request).status, 200, "{}", gateway.explanation());
    let (first, second) = both(&upstream);
    assert_eq!(value(&first, "x-api-key").as_deref(), Some(CLIENT_KEY));
    assert_eq!(value(&second, "x-api-key"), None);
    assert_eq!(value(&second, "authorization").as_deref(), Some("Bearer sk-EXAMPLE-deployment"));
    assert_eq!(value(&second, "x-byok-provider").as_deref(), Some("openai"));
}

#[test]
fn a_deployment_key_does_not_follow_to_another_provider() {
    let (upstream, gateway, address) = following();
    let request = format!("POST /v1/to/openai/v1/chat\nx-api-key: {PROXY_KEY}");
    assert_eq!(ask(address, &request).status, 200, "{}", gateway.explanation());
    let (first, second) = both(&upstream);
    assert_eq!(value(&first, "x-api-key").as_deref(), Some("sk-ant-api03-EXAMPLE-deployment"));
    assert_eq!(value(&second, "x-api-key"), None);
    assert_eq!(value(&second, "authorization").as_deref(), Some("Bearer sk-EXAMPLE-deployment"));

    // And back: its own key again, not the other provider's as the client's.
    let request = format!("POST /openai/to/v1/messages\nx-api-key: {PROXY_KEY}");
    assert_eq!(ask(address, &request).status, 200, "{}", gateway.explanation());
    let (_, second) = both(&upstream);
    assert_eq!(value(&second, "x-api-key").as_deref(), Some("sk-ant-api03-EXAMPLE-deployment"));
    assert_eq!(value(&second, "authorization"), None);
}

#[test]
fn a_caller_who_passed_unverified_is_still_unverified() {
    let (upstream, gateway, address) = following();
    for credential in [format!("x-api-key: {PROXY_KEY}"), "x-api-key: guess".to_owned(), "accept: */*".to_owned()] {
        let answer = ask(address, &format!("POST /open/to/v1/messages\n{credential}"));
        assert_eq!(answer.status, 401, "{credential}; {}", gateway.explanation());
        let arrivals = upstream.take();
        assert_eq!(arrivals.len(), 1, "{credential}: {arrivals:?}");
        assert_eq!(value(&arrivals[0], "x-consumer-username"), None);
    }
}

#[test]
fn what_the_caller_may_not_reach_stays_out_of_reach() {
    let (upstream, gateway, address) = following();
    let answer = ask(address, "POST /v1/to/openai/v1/chat\nx-api-key: proxy-EXAMPLE-b");
    assert_eq!(answer.status, 403, "{}", gateway.explanation());
    assert_eq!(upstream.take().len(), 1);
}

#[test]
fn the_next_request_of_the_connection_is_decided_from_scratch() {
    let (upstream, _gateway, address) = following();
    assert_eq!(ask(address, &format!("POST /v1/to/v1/messages\nx-api-key: {PROXY_KEY}")).status, 200);
    upstream.take();
    assert_eq!(ask(address, "POST /v1/messages\nx-api-key: sk-ant-api03-EXAMPLE-deployment").status, 401);
    assert!(upstream.take().is_empty());
}
