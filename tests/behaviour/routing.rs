//! Envoy's own routing around the filter: retries, mirrors, and routes that match on headers.

use std::sync::atomic::{AtomicUsize, Ordering};

use byok_testkit::gateway::{Gateway, OK, Upstream, set_routes, until};
use byok_testkit::site::{
    BYOK, CLIENT_KEY, DEPLOYMENT_KEY, PROXY_KEY, address, arrived, ask, assert_clean, gateway_listener, start, value,
};
use serde_json::{Value, json};

#[test]
fn a_retry_carries_the_cleaned_headers_and_counts_once() {
    let count = AtomicUsize::new(0);
    let upstream = Upstream::answering(move |_| match count.fetch_add(1, Ordering::Relaxed) {
        0 => "HTTP/1.1 503 Service Unavailable\r\ncontent-length: 0\r\n\r\n".to_owned(),
        _ => OK.to_owned(),
    });
    let mut listener = gateway_listener(BYOK);
    let retry = json!({ "retry_on": "5xx", "num_retries": 2 });
    set_routes(
        &mut listener,
        json!([ { "match": { "prefix": "/" }, "route": { "cluster": "upstream", "retry_policy": retry } } ]),
    );
    let (gateway, address) = start(&upstream, listener);
    let request = format!("POST /v1/messages\nauthorization: Bearer {PROXY_KEY}\nx-api-key: {CLIENT_KEY}");
    assert_eq!(ask(address, &request).status, 200, "{}", gateway.explanation());
    let arrivals = upstream.take();
    assert_eq!(arrivals.len(), 2);
    for message in &arrivals {
        assert_clean(message);
        assert_eq!(value(message, "x-api-key").as_deref(), Some(CLIENT_KEY));
    }
    assert_eq!(gateway.counters_that(|counters| !counters.is_empty()).values().sum::<u64>(), 1);
}

#[test]
fn a_mirror_sees_the_cleaned_headers() {
    let (upstream, mirror) = (Upstream::start(), Upstream::start());
    let mut listener = gateway_listener(BYOK);
    let mirrors = json!([ { "cluster": "mirror" } ]);
    set_routes(
        &mut listener,
        json!([ { "match": { "prefix": "/" }, "route": { "cluster": "upstream", "request_mirror_policies": mirrors } } ]),
    );
    let gateway = Gateway::start(&[("upstream", &upstream), ("mirror", &mirror)], &[listener]);
    let address = address(&gateway);
    assert_eq!(ask(address, &format!("POST /v1/messages\nauthorization: Bearer {PROXY_KEY}")).status, 200);
    let mirrored = until(|| Some(mirror.take()).filter(|arrivals| !arrivals.is_empty())).expect("a mirrored request");
    for message in [arrived(&upstream), mirrored[0].clone()] {
        assert_clean(&message);
        assert_eq!(value(&message, "x-api-key").as_deref(), Some(DEPLOYMENT_KEY));
    }
}

/// The limit of `clusters`: a header change makes Envoy route anew, past the cluster that the filter has checked.
#[test]
fn a_route_on_a_header_that_the_filter_removes_escapes_the_check_of_clusters() {
    let (checked, other) = (Upstream::start(), Upstream::start());
    let configuration = BYOK.replace(r#""anthropic": {"#, r#""anthropic": { "clusters": ["checked"],"#);
    let mut listener = gateway_listener(&configuration);
    let with_key = json!([ { "name": "x-litellm-api-key", "present_match": true } ]);
    set_routes(
        &mut listener,
        json!([
            { "match": { "prefix": "/", "headers": with_key }, "route": { "cluster": "checked" } },
            { "match": { "prefix": "/" }, "route": { "cluster": "other" } } ]),
    );
    let gateway = Gateway::start(&[("checked", &checked), ("other", &other)], &[listener]);
    let address = address(&gateway);
    assert_eq!(ask(address, &format!("POST /v1/messages\nx-litellm-api-key: {PROXY_KEY}")).status, 200);
    assert!(checked.take().is_empty());
    assert_eq!(value(&arrived(&other), "x-api-key").as_deref(), Some(DEPLOYMENT_KEY));

    // Where the route does not depend on a header, the check holds.
    let answer = ask(address, &format!("POST /v1/messages\nx-api-key: {PROXY_KEY}"));
    assert_eq!(answer.status, 403, "{}", gateway.explanation());
    assert!(other.take().is_empty());
}

/// The sound way: Envoy routes by what only the filter can set.
#[test]
fn a_route_on_the_provider_header_reaches_the_right_cluster_whatever_the_client_says() {
    let (anthropic, openai) = (Upstream::start(), Upstream::start());
    let configuration = r#"{
        "forward_llm_provider_auth_headers": true,
        "consumers": [ { "name": "team-a", "keys": [ { "id": "1", "value": "proxy-EXAMPLE-a" } ] } ],
        "providers": {
            "anthropic": { "deployment_key": { "value": "sk-ant-api03-EXAMPLE-deployment" } },
            "openai": { "deployment_key": { "value": "sk-EXAMPLE-deployment" } } },
        "default_provider": "anthropic",
        "identity_headers": { "provider": "x-byok-provider" },
        "routes": [ { "match": { "path_prefix": "/openai" }, "provider": "openai" } ] }"#;
    let mut listener = gateway_listener(configuration);
    set_routes(
        &mut listener,
        json!([
            to_provider("anthropic"),
            to_provider("openai"),
            { "match": { "prefix": "/" }, "direct_response": { "status": 500 } } ]),
    );
    let gateway = Gateway::start(&[("anthropic", &anthropic), ("openai", &openai)], &[listener]);
    let address = address(&gateway);
    for forged in ["", "\nx-byok-provider: openai", "\nx_byok_provider: openai", "\nX-Byok-Provider: anthropic"] {
        let key = format!("x-api-key: {PROXY_KEY}{forged}");
        assert_eq!(ask(address, &format!("POST /v1/messages\n{key}")).status, 200, "{forged}");
        assert_eq!(value(&arrived(&anthropic), "x-api-key").as_deref(), Some(DEPLOYMENT_KEY), "{forged}");
        assert_eq!(ask(address, &format!("POST /openai/v1/chat\n{key}")).status, 200, "{forged}");
        let expected = Some("Bearer sk-EXAMPLE-deployment");
        assert_eq!(value(&arrived(&openai), "authorization").as_deref(), expected, "{forged}");
    }
    assert!(anthropic.take().is_empty() && openai.take().is_empty());
}

fn to_provider(name: &str) -> Value {
    let header = json!([ { "name": "x-byok-provider", "string_match": { "exact": name } } ]);
    json!({ "match": { "prefix": "/", "headers": header }, "route": { "cluster": name } })
}
