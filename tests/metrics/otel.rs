//! What `docs/observability.md` shows of logs and traces by OpenTelemetry, in Envoy, with a collector that keeps what it gets.

use byok_testkit::gateway::{Gateway, Upstream, connection_manager_of, until};
use byok_testkit::site::{BYOK, CLIENT_KEY, DEPLOYMENT_KEY, PROXY_KEY, address, ask, gateway_listener};
use serde_json::{Value, json};

const PAGE: &str = "docs/observability.md";
const WRONG_KEY: &str = "proxy-EXAMPLE-wrong";

#[test]
fn a_collector_gets_each_decision_as_attributes_and_no_secret() {
    let collector = Upstream::keeping_bodies();
    let upstream = Upstream::start();
    // A key may be in the query too, which is part of the URL that Envoy puts into a span.
    let mut configuration: Value = serde_json::from_str(BYOK).expect("JSON");
    configuration["key_sources"] = json!([{ "query": "key" }, { "header": "x-api-key" }]);
    let mut listener = gateway_listener(&configuration.to_string());
    let manager = connection_manager_of(&mut listener);
    for field in ["access_log", "tracing"] {
        manager[field] = block(field);
    }
    let mut cluster = block("clusters")[0].take();
    cluster["type"] = "STATIC".into();
    let endpoint = &mut cluster["load_assignment"]["endpoints"][0]["lb_endpoints"][0]["endpoint"];
    endpoint["address"]["socket_address"] = json!({ "address": "127.0.0.1", "port_value": collector.address().port() });
    let gateway = Gateway::start_with(&[("upstream", &upstream)], &[listener], |bootstrap, _| {
        bootstrap["static_resources"]["clusters"].as_array_mut().expect("a list").push(cluster);
    });

    let gateway_address = address(&gateway);
    let allowed = format!("POST /v1/messages?key={PROXY_KEY}&beta=1\nx-api-key: {CLIENT_KEY}");
    assert_eq!(ask(gateway_address, &allowed).status, 200, "{}", gateway.explanation());
    let refused = format!("POST /v1/messages?key={WRONG_KEY}&beta=2\nx-api-key: {CLIENT_KEY}");
    assert_eq!(ask(gateway_address, &refused).status, 401);

    let expected = [
        ("byok.decision", "allow"),
        ("byok.reason", "verified"),
        ("byok.consumer", "team-a"),
        ("byok.credential_source", "client"),
        ("byok.decision", "deny"),
        ("byok.reason", "unknown_api_key"),
    ];
    for path in ["/v1/logs", "/v1/traces"] {
        let all = until(|| {
            let body = collector.bodies(path);
            expected.iter().all(|(key, value)| has_attribute(&body, key, value)).then_some(body)
        });
        let body = all.unwrap_or_else(|| {
            let received = String::from_utf8_lossy(&collector.bodies(path)).into_owned();
            panic!("{path} lacks an attribute of {expected:?}: {received:?}; {}", gateway.explanation())
        });
        assert!(
            path != "/v1/traces" || contains(&body, b"/v1/messages?beta=2"),
            "the URL is no part of a span any more"
        );
        for secret in [PROXY_KEY, WRONG_KEY, CLIENT_KEY, DEPLOYMENT_KEY] {
            assert!(!contains(&body, secret.as_bytes()), "{path} gets {secret}");
        }
    }
    let doubts: Vec<String> =
        gateway.envoy.log().lines().filter(|line| line.contains("eprecated")).map(str::to_owned).collect();
    assert_eq!(doubts, [""; 0]);
}

/// The value of a field that a block of the page gives.
fn block(field: &str) -> Value {
    let page = std::fs::read_to_string(byok_testkit::root().join(PAGE)).expect("a page");
    let blocks = page.split("```yaml\n").skip(1).filter_map(|rest| rest.split("\n```").next());
    let of_field: Vec<&str> = blocks.filter(|block| block.starts_with(&format!("{field}:"))).collect();
    assert_eq!(of_field.len(), 1, "blocks of {field} on {PAGE}");
    let block: Value = serde_yaml_ng::from_str(of_field[0]).unwrap_or_else(|error| panic!("{field}: {error}"));
    block[field].clone()
}

/// Looks for a `KeyValue` of OTLP with a text, as protobuf encodes it.
fn has_attribute(body: &[u8], key: &str, value: &str) -> bool {
    let length = |text: &str| u8::try_from(text.len()).expect("a short text");
    let text = [&[0x0a, length(value)], value.as_bytes()].concat();
    let encoded = [&[0x0a, length(key)], key.as_bytes(), &[0x12, length(value) + 2], &text].concat();
    contains(body, &encoded)
}

fn contains(body: &[u8], part: &[u8]) -> bool {
    body.windows(part.len()).any(|window| window == part)
}
