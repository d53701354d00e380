//! What leaves Envoy: the filter's counters as Prometheus sees them, with `envoy/stats_tags.yaml`, and logs and traces.
#![allow(clippy::expect_used, clippy::indexing_slicing, clippy::panic, reason = "a test stops where it fails")]

mod otel;

use std::collections::BTreeMap;
use std::fs;
use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use byok_testkit::carrier::{Carrier, carrier};
use byok_testkit::envoy::{Envoy, Options};
use byok_testkit::gateway::until;
use byok_testkit::tools::envoy_binary;
use serde_json::{Value, json};

const TAGS: &str = "envoy/stats_tags.yaml";
const EXAMPLE: &str = "envoy/envoy.yaml";
const NATIVE_EXAMPLE: &str = "envoy/native/envoy.yaml";

const KEY: (&str, &str) = ("x-litellm-api-key", "byok-demo-team-a");
const CLIENT_KEY: (&str, &str) = ("x-api-key", "sk-ant-api03-EXAMPLE-client");

#[test]
fn prometheus_shows_requests_by_decision_reason_auth_source_and_credential() {
    let envoy = start();
    let gateway = envoy.listener("gateway").expect("a listener");
    let requests: [(&[(&str, &str)], u16); 6] = [
        (&[KEY], 200),
        (&[KEY, CLIENT_KEY], 200),
        (&[KEY, CLIENT_KEY], 200),
        (&[CLIENT_KEY], 401),
        (&[("authorization", "Bearer sk-ant-oat01-EXAMPLE")], 401),
        (&[("authorization", "Bearer a"), ("authorization", "Bearer b")], 400),
    ];
    for (headers, status) in requests {
        assert_eq!(status_of(gateway, headers), status, "{headers:?}");
    }

    let expected = [
        (["allow", "verified", "x-litellm-api-key", "client"], 2),
        (["allow", "verified", "x-litellm-api-key", "deployment"], 1),
        (["deny", "ambiguous_credential", "none", "none"], 1),
        (["deny", "missing_api_key", "none", "none"], 1),
        (["deny", "unknown_api_key", "x-api-key", "none"], 1),
    ];
    let expected: BTreeMap<String, u64> = expected
        .into_iter()
        .map(|([decision, reason, source, credential], count)| {
            let labels =
                [("decision", decision), ("reason", reason), ("auth_source", source), ("credential", credential)];
            (series(&labels), count)
        })
        .collect();
    let read = || envoy.admin_get("/stats/prometheus").expect("metrics");
    // The native module counts a moment later.
    let metrics = until(|| Some(read()).filter(|metrics| of_the_filter(metrics) == expected)).unwrap_or_else(read);
    assert_eq!(of_the_filter(&metrics), expected);
    assert!(metrics.contains("# TYPE byok_requests counter\n"), "no type is given");
}

#[test]
fn the_example_has_the_same_tags() {
    assert_eq!(yaml(EXAMPLE)["stats_config"], yaml(TAGS)["stats_config"]);
}

/// Envoy with the example's filter, and the tags merged in as the file says.
fn start() -> Envoy {
    let mut config = yaml(match carrier() {
        Carrier::Wasm => EXAMPLE,
        Carrier::Native => NATIVE_EXAMPLE,
    });
    config.as_object_mut().expect("a bootstrap").remove("stats_config");
    config["admin"]["address"]["socket_address"]["port_value"] = 0.into();
    let listeners = &mut config["static_resources"]["listeners"];
    listeners.as_array_mut().expect("listeners").truncate(1);
    let listener = &mut listeners[0];
    listener["address"]["socket_address"]["port_value"] = 0.into();
    let manager = &mut listener["filter_chains"][0]["filters"][0]["typed_config"];
    manager["route_config"]["virtual_hosts"][0]["routes"] =
        json!([{ "match": { "prefix": "/" }, "direct_response": { "status": 200 } }]);

    let tags = fs::read_to_string(byok_testkit::root().join(TAGS)).expect("a readable file");
    let mut environment = carrier().environment(&[]);
    environment.push(("ANTHROPIC_API_KEY".to_owned(), "sk-ant-api03-EXAMPLE-deployment".into()));
    let options = Options {
        environment,
        log_level: "warning".to_owned(),
        arguments: vec!["--config-yaml".to_owned(), tags],
        ..Options::default()
    };
    let binary = envoy_binary().unwrap_or_else(|error| panic!("{error:#}"));
    Envoy::start(&binary, &config.to_string(), &options).unwrap_or_else(|error| panic!("{error:#}"))
}

/// All series whose name begins with the filter's, whatever follows, but those that have counted nothing.
fn of_the_filter(metrics: &str) -> BTreeMap<String, u64> {
    let lines = metrics.lines().filter(|line| line.starts_with("byok") || line.contains("wasmcustom"));
    let parts = lines.map(|line| line.rsplit_once(' ').expect("a series and its value"));
    let parts = parts.map(|(series, value)| (series.to_owned(), value.parse().expect("a whole number")));
    parts.filter(|(_, value)| *value > 0).collect()
}

fn series(labels: &[(&str, &str)]) -> String {
    let labels: Vec<String> = labels.iter().map(|(name, value)| format!("{name}=\"{value}\"")).collect();
    format!("byok_requests{{{}}}", labels.join(","))
}

fn status_of(gateway: SocketAddr, headers: &[(&str, &str)]) -> u16 {
    let lines: String = headers.iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect();
    let mut connection = TcpStream::connect(gateway).expect("a connection");
    connection.set_read_timeout(Some(Duration::from_secs(20))).expect("a time-out");
    write!(connection, "GET /v1/messages HTTP/1.1\r\nhost: gateway\r\nconnection: close\r\n{lines}\r\n")
        .expect("a request");
    let mut answer = String::new();
    connection.read_to_string(&mut answer).expect("an answer");
    answer.split(' ').nth(1).and_then(|status| status.parse().ok()).unwrap_or_else(|| panic!("no status: {answer}"))
}

fn yaml(file: &str) -> Value {
    let text = fs::read_to_string(byok_testkit::root().join(file)).expect("a readable file");
    serde_yaml_ng::from_str(&text).unwrap_or_else(|error| panic!("{file}: {error}"))
}
