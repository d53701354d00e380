//! `envoy/jwt`, `envoy/mtls` and `envoy/rate-limit` at work: the answers that their READMEs show.

use std::fs;
use std::net::{SocketAddr, TcpListener};
use std::process::Command;

use byok_testkit::certificates::{Issued, write_example};
use byok_testkit::envoy::{Envoy, Options};
use byok_testkit::gateway::exchange_http1;
use byok_testkit::root;
use byok_testkit::tools::envoy_binary;

use crate::certificates::exchange;
use crate::scene::{CLIENT_KEY, request};

/// Starts a file on free ports.
fn start(file: &str) -> (Envoy, SocketAddr) {
    byok_testkit::module::path();
    let mut config = fs::read_to_string(root().join(file)).expect("an example");
    for port in ["10000", "10001", "9901"] {
        let free = TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr()).expect("a free port");
        config = config.replace(&format!("port_value: {port} "), &format!("port_value: {} ", free.port()));
    }
    let environment = vec![("ANTHROPIC_API_KEY".to_owned(), "sk-ant-api03-EXAMPLE-deployment".into())];
    let binary = envoy_binary().expect("an Envoy");
    let envoy = Envoy::start(&binary, &config, &Options { environment, ..Options::default() });
    let envoy = envoy.unwrap_or_else(|error| panic!("{error:#}"));
    let address = envoy.listener("gateway").expect("a listener");
    (envoy, address)
}

/// The answer that a README shows.
fn shown(directory: &str) -> String {
    let readme = fs::read_to_string(root().join(directory).join("README.md")).expect("a README");
    readme.lines().find(|line| line.starts_with('{')).expect("an answer").to_owned()
}

#[test]
fn a_token_of_the_example_passes_as_its_readme_shows() {
    let (_envoy, address) = start("envoy/jwt/envoy.yaml");
    let token = |subject: &str| {
        let output = Command::new("python3").arg(root().join("envoy/jwt/token.py")).arg(subject).output();
        let output = output.expect("Python starts");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        format!("Bearer {}", String::from_utf8_lossy(&output.stdout).trim())
    };
    let ask = |lines: &[(&str, &str)]| {
        let answer = exchange_http1(address, &request(lines), &[("host", b"localhost:10000")]).expect("an answer");
        (answer.status, String::from_utf8_lossy(&answer.body).trim().to_owned())
    };
    let alice = token("alice@example.com");
    assert_eq!(ask(&[("authorization", &alice), ("x-api-key", CLIENT_KEY)]), (200, shown("envoy/jwt")));
    assert_eq!(ask(&[("x-litellm-api-key", "byok-demo-team-a"), ("x-api-key", CLIENT_KEY)]), (200, shown("envoy/jwt")));
    // Who is not a team pays for itself.
    assert_eq!(ask(&[("authorization", &token("bob@example.com"))]).0, 401);
    assert_eq!(ask(&[("authorization", &token("mallory@example.com")), ("x-api-key", CLIENT_KEY)]).0, 401);
}

#[test]
fn a_certificate_of_the_example_passes_as_its_readme_shows() {
    let directory = root().join("dist/mtls");
    write_example(&directory).expect("certificates");
    let read = |name: &str| fs::read_to_string(directory.join(name)).expect("a certificate");
    let (_envoy, address) = start("envoy/mtls/envoy.yaml");
    let issued =
        |name: &str| Issued { certificate: read(&format!("{name}.pem")), key: read(&format!("{name}-key.pem")) };
    let ask = |client: Option<&Issued>, lines: &[(&str, &str)]| {
        let answer = exchange(address, &read("ca.pem"), client, lines).expect("an answer");
        let text = String::from_utf8_lossy(&answer.body).into_owned();
        (answer.status, text.split_once("\r\n\r\n").map(|(_, body)| body.trim().to_owned()).unwrap_or_default())
    };
    let own_key = [("x-api-key", CLIENT_KEY)];
    assert_eq!(ask(Some(&issued("team-a")), &own_key), (200, shown("envoy/mtls")));
    assert_eq!(ask(Some(&issued("other")), &own_key).0, 401);
    assert_eq!(ask(None, &own_key).0, 401);
    assert_eq!(
        ask(None, &[("x-litellm-api-key", "byok-demo-team-b"), ("x-api-key", CLIENT_KEY)]),
        (200, shown("envoy/mtls"))
    );
}

#[test]
fn the_tier_of_the_caller_limits_its_requests() {
    let (_envoy, address) = start("envoy/rate-limit/envoy.yaml");
    let statuses = |key: &str| -> Vec<u16> {
        let ask = || exchange_http1(address, &request(&[("x-api-key", key)]), &[("host", b"localhost:10000")]);
        (0..4).map(|_| ask().expect("an answer").status).collect()
    };
    assert_eq!(statuses("byok-demo-team-b"), [200, 200, 200, 429]);
    assert_eq!(statuses("byok-demo-team-a"), [200; 4]);
    assert_eq!(statuses("guess"), [401; 4]);
}
