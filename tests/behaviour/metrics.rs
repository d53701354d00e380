//! The filter's counters as Prometheus reads them.

use std::fs;

use crate::gateway::{Gateway, Upstream};
use crate::site::{BYOK, CLIENT_KEY, PROXY_KEY, address, ask, gateway_listener};

#[test]
fn prometheus_shows_one_metric_with_labels() {
    let tags = concat!(env!("CARGO_MANIFEST_DIR"), "/envoy/stats_tags.yaml");
    let tags = fs::read_to_string(tags).expect("the snippet");
    let upstream = Upstream::start();
    // As the snippet says: Envoy merges it into the bootstrap.
    let gateway = Gateway::start_with(&[("upstream", &upstream)], &[gateway_listener(BYOK)], |_, options| {
        options.arguments.extend(["--config-yaml".to_owned(), tags]);
    });
    let address = address(&gateway);
    ask(address, &format!("POST /v1/messages\nauthorization: Bearer {PROXY_KEY}"));
    ask(address, &format!("POST /v1/messages\nx-litellm-api-key: {PROXY_KEY}\nx-api-key: {CLIENT_KEY}"));
    ask(address, "POST /v1/messages\nx-api-key: guess");
    ask(address, "POST /v1/messages\nx-api-key: other-guess");
    ask(address, "POST /v1/messages");

    let stats = gateway.envoy.admin_get("/stats/prometheus").expect("Envoy's statistics");
    let mut got: Vec<String> = stats
        .lines()
        .filter(|line| line.starts_with("byok_requests{"))
        .map(|line| sorted_labels(line).unwrap_or_else(|| panic!("{line}")))
        .collect();
    got.sort();
    let expected = [
        r#"auth_source="authorization",credential="deployment",decision="allow",reason="verified" 1"#,
        r#"auth_source="none",credential="none",decision="deny",reason="missing_api_key" 1"#,
        r#"auth_source="x-api-key",credential="none",decision="deny",reason="unknown_api_key" 2"#,
        r#"auth_source="x-litellm-api-key",credential="client",decision="allow",reason="verified" 1"#,
    ];
    let byok: Vec<&str> = stats.lines().filter(|line| line.contains("byok")).collect();
    assert_eq!(got, expected, "{byok:#?}");
    assert!(!stats.contains("guess"), "what a client sends becomes part of no name");
}

/// The labels in the order of their names, without those that Envoy itself adds, and the value.
fn sorted_labels(line: &str) -> Option<String> {
    let (labels, value) = line.strip_prefix("byok_requests{")?.split_once("} ")?;
    let mut labels: Vec<&str> = labels.split(',').filter(|label| !label.starts_with("envoy_")).collect();
    labels.sort_unstable();
    Some(format!("{} {value}", labels.join(",")))
}
