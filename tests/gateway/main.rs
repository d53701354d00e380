//! `envoy/gateway` at work: a real Envoy Gateway fetches the module, and its Envoy decides requests.
//!
//! `make test-gateway` makes the module and its image, installs Envoy Gateway, and runs this by `.ci/isolated`.
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test stops where it fails"
)]

mod control_plane;
#[path = "../dist/registry.rs"]
mod registry;
mod web_server;

use std::fs;
use std::net::SocketAddr;
use std::process::Command;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use byok_core::KeyDigest;
use byok_testkit::corpus::Message;
use byok_testkit::gateway::{Response, Upstream, exchange_http1};
use byok_testkit::root;
use serde_json::{Value, json};

use control_plane::{ControlPlane, PORT};
use registry::Registry;

const PROXY_KEY: &str = "byok-demo-team-a";
const CLIENT_KEY: &str = "sk-ant-api03-EXAMPLE-client";
const DEPLOYMENT_KEY: &str = "sk-ant-api03-EXAMPLE-deployment";
const PATIENCE: Duration = Duration::from_secs(60);

/// Envoy Gateway listens on fixed ports.
static PORTS: Mutex<()> = Mutex::new(());

fn tool(variable: &str) -> Command {
    Command::new(std::env::var_os(variable).unwrap_or_else(|| panic!("{variable} is not set: run `make test-gateway`")))
}

fn module() -> Vec<u8> {
    fs::read(root().join("dist/release/byok_filter.wasm")).expect("a module: run `make test-gateway`")
}

fn policy(file: &str) -> Value {
    let text = fs::read_to_string(root().join("envoy/gateway").join(file)).expect("an example");
    serde_yaml_ng::from_str(&text).expect("YAML")
}

/// A Gateway with a policy, and the provider.
struct Scene {
    control_plane: ControlPlane,
    provider: Upstream,
    _ports: MutexGuard<'static, ()>,
}

impl Scene {
    fn start(policy: &Value) -> Self {
        let ports = PORTS.lock().unwrap_or_else(PoisonError::into_inner);
        let provider = Upstream::start();
        let environment = [("ANTHROPIC_API_KEY", DEPLOYMENT_KEY)];
        let control_plane = ControlPlane::start(policy, provider.address(), &environment);
        Self { control_plane, provider, _ports: ports }
    }

    fn ask(&self, lines: &[(&str, &str)]) -> std::io::Result<Response> {
        let lines = lines.iter().map(|(name, value)| (name.as_bytes().to_vec(), value.as_bytes().to_vec())).collect();
        let request = Message { method: b"GET".to_vec(), path: Some(b"/v1/messages".to_vec()), lines };
        exchange_http1(SocketAddr::from(([127, 0, 0, 1], PORT)), &request, &[("host", b"llm.example.com")])
    }

    /// Waits for the first answer that is not for want of a route or of the module; whatever came before passed nobody.
    fn wait_until(&self, lines: &[(&str, &str)], status: u16) -> Response {
        let deadline = Instant::now() + PATIENCE;
        loop {
            match self.ask(lines) {
                Ok(response) if response.status == status => return response,
                Ok(response) if response.status < 300 => panic!("{}", response.status),
                _ => assert!(Instant::now() < deadline, "no {status}: {}", self.control_plane.log_end()),
            }
            thread::sleep(Duration::from_millis(100));
        }
    }

    /// Returns the status, and the credentials that have reached the provider.
    fn outcome(&self, lines: &[(&str, &str)]) -> (u16, Vec<String>) {
        let response = self.ask(lines).unwrap_or_else(|error| panic!("{error}: {}", self.control_plane.log_end()));
        let credentials = |message: Message| {
            let names = ["authorization", "x-api-key", "x-litellm-api-key"];
            let lines = message.lines.into_iter().map(|(name, value)| {
                (String::from_utf8(name).expect("UTF-8"), String::from_utf8_lossy(&value).into_owned())
            });
            let lines = lines.filter(move |(name, _)| names.contains(&&*name.to_ascii_lowercase()));
            lines.map(|(name, value)| format!("{name}: {value}")).collect::<Vec<_>>()
        };
        (response.status, self.provider.take().into_iter().flat_map(credentials).collect())
    }
}

/// The answers that `envoy/gateway/README.md` shows.
fn assert_decides(scene: &Scene) {
    let refused = scene.wait_until(&[], 401);
    assert!(refused.header("www-authenticate").is_some_and(|value| value.starts_with("Bearer")), "{refused:?}");
    assert!(scene.provider.take().is_empty(), "nothing reaches the provider before the module decides");

    let key = ("x-litellm-api-key", PROXY_KEY);
    let own = ("x-api-key", CLIENT_KEY);
    assert_eq!(scene.outcome(&[key, own]), (200, vec![format!("x-api-key: {CLIENT_KEY}")]));
    assert_eq!(scene.outcome(&[key]), (200, vec![format!("x-api-key: {DEPLOYMENT_KEY}")]));
    assert_eq!(scene.outcome(&[own]), (401, vec![]));
    assert_eq!(scene.outcome(&[("x-litellm-api-key", "guess"), own]), (401, vec![]));
}

#[test]
#[ignore = "needs Envoy Gateway and an image: make test-gateway"]
fn the_module_is_pulled_as_an_image() {
    let layout = tempfile::tempdir().expect("a directory");
    let archive = root().join("dist/byok_filter-oci.tar");
    let unpacked = Command::new("tar").arg("-xf").arg(archive).arg("-C").arg(layout.path()).status();
    assert!(unpacked.expect("tar").success());
    let registry = Registry::start();
    let image = format!("{}/byok-filter:{}", registry.address(), env!("CARGO_PKG_VERSION"));
    let pushed = tool("CRANE").arg("push").arg(layout.path()).arg(&image).output().expect("crane");
    assert!(pushed.status.success(), "{}", String::from_utf8_lossy(&pushed.stderr));

    let mut policy = policy("policy.yaml");
    let source = &mut policy["spec"]["wasm"][0]["code"];
    assert_eq!(source["image"]["url"], format!("registry.example.com/byok-filter:{}", env!("CARGO_PKG_VERSION")));
    source["image"]["url"] = image.into();
    assert_decides(&Scene::start(&policy));
}

#[test]
#[ignore = "needs Envoy Gateway: make test-gateway"]
fn the_module_is_fetched_by_http_with_its_digest() {
    assert_decides(&Scene::start(&fetched_by_http(&KeyDigest::of(&module()).to_hex())));
}

#[test]
#[ignore = "needs Envoy Gateway: make test-gateway"]
fn a_module_with_another_digest_passes_nobody() {
    let scene = Scene::start(&fetched_by_http(&KeyDigest::of(b"another module").to_hex()));
    scene.wait_until(&[("x-litellm-api-key", PROXY_KEY)], 500);
    assert_eq!(scene.outcome(&[("x-litellm-api-key", PROXY_KEY), ("x-api-key", CLIENT_KEY)]), (500, vec![]));
}

fn fetched_by_http(sha256: &str) -> Value {
    let address = web_server::serve(module());
    let mut policy = policy("policy-http.yaml");
    let source = &mut policy["spec"]["wasm"][0]["code"]["http"];
    assert!(source["url"].is_string() && source["sha256"].is_string(), "{source}");
    *source = json!({ "url": format!("http://{address}/byok_filter.wasm"), "sha256": sha256 });
    policy
}

#[test]
fn both_policies_differ_in_the_source_of_the_module_alone() {
    let without_source = |file| {
        let mut policy = policy(file);
        policy["spec"]["wasm"][0].as_object_mut().expect("a plugin").remove("code").expect("a source");
        policy
    };
    assert_eq!(without_source("policy.yaml"), without_source("policy-http.yaml"));
}
