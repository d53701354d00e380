//! Examples with a next hop on another machine: another listener of the same Envoy takes its place, and answers with the request
//! that it received.

use std::fs;
use std::net::TcpListener;

use byok_testkit::certificates::{Authority, Issued};
use byok_testkit::envoy::{Envoy, Options};
use byok_testkit::http;
use byok_testkit::root;
use byok_testkit::tools::envoy_binary;
use serde_json::{Value, json};
use tempfile::TempDir;

const TLS: &str = "type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.DownstreamTlsContext";
const INSPECTOR: &str = "type.googleapis.com/envoy.extensions.filters.listener.tls_inspector.v3.TlsInspector";
const MANAGER: &str =
    "type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager";
const ROUTER: &str = "type.googleapis.com/envoy.extensions.filters.http.router.v3.Router";

const CLIENT_KEY: &str = "sk-ant-api03-EXAMPLE-client";
const DEPLOYMENT_KEY: &str = "sk-ant-api03-EXAMPLE-deployment";
const PROXY_KEY: &str = "byok-demo-team-a";

const ANTHROPIC: NextHop = NextHop {
    file: "envoy/anthropic/envoy.yaml",
    address: "api.anthropic.com",
    port: 443,
    certificate: Some("api.anthropic.com"),
    environment: &[("ANTHROPIC_API_KEY", DEPLOYMENT_KEY), ("TEAM_A_KEY", PROXY_KEY)],
};
const LITELLM: NextHop =
    NextHop { file: "envoy/litellm/envoy.yaml", address: "127.0.0.1", port: 4000, certificate: None, environment: &[] };

/// A next hop that an example names.
struct NextHop {
    file: &'static str,
    address: &'static str,
    port: u16,
    /// The name in the certificate that the stand-in shows; `None` without TLS.
    certificate: Option<&'static str>,
    environment: &'static [(&'static str, &'static str)],
}

/// A running example.
struct Running {
    envoy: Envoy,
    _directory: TempDir,
}

impl NextHop {
    /// Starts the example with a stand-in.
    fn start(&self) -> Running {
        let directory = tempfile::tempdir().expect("a directory");
        let authority = Authority::new().expect("an authority");
        let roots = directory.path().join("roots.pem");
        fs::write(&roots, authority.certificate()).expect("a file");
        let example = fs::read_to_string(root().join(self.file)).expect("an example");
        let port = TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr()).expect("a port").port();
        let mut replacements = vec![
            ("port_value: 10000".to_owned(), "port_value: 0".to_owned()),
            ("port_value: 9901".to_owned(), "port_value: 0".to_owned()),
            (
                format!(
                    "endpoint: {{ address: {{ socket_address: {{ address: {}, port_value: {} ",
                    self.address, self.port
                ),
                // Envoy takes an address for the name of the host, unless there is one.
                format!(
                    "endpoint: {{ hostname: {}, address: {{ socket_address: {{ address: 127.0.0.1, port_value: {port} ",
                    self.address
                ),
            ),
        ];
        if self.certificate.is_some() {
            let roots = format!("filename: {} ", roots.display());
            replacements.push(("filename: /etc/ssl/certs/ca-certificates.crt ".to_owned(), roots));
        }
        let config = replacements.iter().fold(example, |config, (from, to)| {
            assert_eq!(config.matches(from.as_str()).count(), 1, "{}: `{from}`", self.file);
            config.replace(from, to)
        });
        let mut config: Value = serde_yaml_ng::from_str(&config).expect("YAML");
        let shown = self.certificate.map(|name| authority.server(name).expect("a certificate"));
        let listeners = config["static_resources"]["listeners"].as_array_mut().expect("listeners");
        listeners.push(stand_in(port, shown.as_ref()));

        byok_testkit::module::path();
        let environment = self.environment.iter().map(|(name, value)| ((*name).to_owned(), value.into())).collect();
        let options = Options { environment, ..Options::default() };
        let envoy = Envoy::start(&envoy_binary().expect("an Envoy"), &config.to_string(), &options);
        Running { envoy: envoy.unwrap_or_else(|error| panic!("{error:#}")), _directory: directory }
    }
}

impl Running {
    /// Returns the status, and what the next hop got, without what it did not get.
    fn ask(&self, path: &str, headers: &[(&str, &str)]) -> (u16, Value) {
        let address = self.envoy.listener("gateway").expect("a listener");
        let answer = http::get(&format!("http://{address}{path}"), headers).expect("an answer");
        let mut body: Value = serde_json::from_str(&answer.body).unwrap_or_default();
        if let Some(fields) = body.as_object_mut().filter(|_| answer.status == 200) {
            fields.retain(|_, value| !value.is_null());
        }
        (answer.status, body)
    }
}

fn stand_in(port: u16, certificate: Option<&Issued>) -> Value {
    let got = json!({
        "host": "%REQ(:authority)%",
        "server_name": "%REQUESTED_SERVER_NAME%",
        "authorization": "%REQ(authorization)%",
        "x-api-key": "%REQ(x-api-key)%",
        "x-litellm-api-key": "%REQ(x-litellm-api-key)%",
    });
    let route = json!({
        "match": { "prefix": "/" },
        "direct_response": { "status": 200, "body_format": { "json_format": got } },
    });
    let manager = json!({
        "@type": MANAGER,
        "stat_prefix": "stand_in",
        "http_filters": [ { "name": "envoy.filters.http.router", "typed_config": { "@type": ROUTER } } ],
        "route_config": { "virtual_hosts": [ { "name": "all", "domains": ["*"], "routes": [route] } ] },
    });
    let mut chain = json!({
        "filters": [ { "name": "envoy.filters.network.http_connection_manager", "typed_config": manager } ],
    });
    if let Some(Issued { certificate, key }) = certificate {
        let inline = |text: &str| json!({ "inline_string": text });
        let certificates = json!([{ "certificate_chain": inline(certificate), "private_key": inline(key) }]);
        let context = json!({ "tls_certificates": certificates, "alpn_protocols": ["h2", "http/1.1"] });
        chain["transport_socket"] = json!({
            "name": "envoy.transport_sockets.tls",
            "typed_config": { "@type": TLS, "common_tls_context": context },
        });
    }
    json!({
        "name": "stand_in",
        "address": { "socket_address": { "address": "127.0.0.1", "port_value": port } },
        // It reads the name of the server that the client wants to talk to.
        "listener_filters": [ { "name": "envoy.filters.listener.tls_inspector", "typed_config": { "@type": INSPECTOR } } ],
        "filter_chains": [chain],
    })
}

#[test]
fn the_anthropic_api_gets_one_key_over_tls() {
    let running = ANTHROPIC.start();
    let got = |name: &str, value: &str| {
        (200, json!({ "host": "api.anthropic.com", "server_name": "api.anthropic.com", name: value }))
    };
    let key = ("x-litellm-api-key", PROXY_KEY);
    let own = ("x-api-key", CLIENT_KEY);
    assert_eq!(running.ask("/v1/messages", &[key, own]), got("x-api-key", CLIENT_KEY));
    assert_eq!(running.ask("/v1/messages", &[key]), got("x-api-key", DEPLOYMENT_KEY));
    let token = "Bearer sk-ant-oat01-EXAMPLE-token";
    assert_eq!(running.ask("/v1/messages", &[key, ("authorization", token)]), got("authorization", token));
    assert_eq!(running.ask("/v1/messages", &[own]).0, 401);
}

#[test]
fn a_server_with_the_certificate_of_another_gets_no_key() {
    let running = NextHop { certificate: Some("api.example.com"), ..ANTHROPIC }.start();
    assert_eq!(running.ask("/v1/messages", &[("x-litellm-api-key", PROXY_KEY)]).0, 503);
}

#[test]
fn litellm_gets_the_proxy_key_and_a_key_of_the_client_on_paths_of_anthropic_alone() {
    const VIRTUAL_KEY: &str = "sk-byok-demo-team-a";
    let running = LITELLM.start();
    let lines = [("authorization", "Bearer sk-byok-demo-team-a"), ("x-api-key", CLIENT_KEY)];
    let got = |path: &str| {
        let (status, mut got) = running.ask(path, &lines);
        got.as_object_mut().expect("an answer").remove("host");
        (status, got)
    };
    let bearer = format!("Bearer {VIRTUAL_KEY}");
    assert_eq!(got("/v1/messages"), (200, json!({ "authorization": bearer, "x-api-key": CLIENT_KEY })));
    assert_eq!(got("/v1/chat/completions"), (200, json!({ "authorization": bearer })));
    assert_eq!(got("/passthrough/v1"), (200, json!({})));
}
