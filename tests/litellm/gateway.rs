//! Envoy as `envoy/litellm/envoy.yaml` has it, on ports of the system's choice.

use std::fs;
use std::net::SocketAddr;
use std::thread;
use std::time::{Duration, Instant};

use byok_testkit::envoy::{Envoy, Options};
use serde_json::Value;

const PATIENCE: Duration = Duration::from_secs(20);

/// Starts Envoy before `next`, with the example's configuration of the filter or another.
pub(crate) fn start(configuration: Option<&Value>, next: SocketAddr) -> Envoy {
    let path = byok_testkit::root().join("envoy/litellm/envoy.yaml");
    let example = fs::read_to_string(path).expect("envoy/litellm/envoy.yaml");
    let yaml = configuration.map_or_else(|| example.clone(), |configuration| with(&example, configuration));
    let yaml = replaced(&yaml, "port_value: 4000", &format!("port_value: {}", next.port()));
    let yaml = replaced(&yaml, "port_value: 10000", "port_value: 0");
    let yaml = replaced(&yaml, "port_value: 9901", "port_value: 0");
    let binary = byok_testkit::tools::envoy_binary().unwrap_or_else(|error| panic!("{error:#}"));
    Envoy::start(&binary, &yaml, &Options::default()).unwrap_or_else(|error| panic!("{error:#}"))
}

/// Where clients send their requests.
pub(crate) fn address(envoy: &Envoy) -> SocketAddr {
    envoy.listener("gateway").expect("a listener")
}

/// What the access log says of the request with that number, from 0 on.
pub(crate) fn record(envoy: &Envoy, number: usize) -> Value {
    let deadline = Instant::now() + PATIENCE;
    while Instant::now() < deadline {
        let log = envoy.stdout();
        if let Some(line) = log.split_inclusive('\n').nth(number).filter(|line| line.ends_with('\n')) {
            return serde_json::from_str(line).expect("a line of JSON");
        }
        thread::sleep(Duration::from_millis(20));
    }
    panic!("no line {number} in the access log:\n{}", envoy.stdout());
}

fn replaced(yaml: &str, from: &str, to: &str) -> String {
    assert_eq!(yaml.matches(from).count(), 1, "`{from}` stands once in envoy/litellm/envoy.yaml");
    yaml.replace(from, to)
}

/// The example with another configuration of the filter.
fn with(example: &str, configuration: &Value) -> String {
    const BLOCK: &str = "value: |\n";
    const NEXT: &str = "          - name: envoy.filters.http.router";
    let (before, rest) = example.split_once(BLOCK).expect("the filter's configuration");
    let (_, after) = rest.split_once(NEXT).expect("the router behind the filter");
    format!("{before}{BLOCK}{:24}{configuration}\n{NEXT}{after}", "")
}
