//! A real Envoy Gateway, which runs the Envoy that it configures as a process beside itself.

use std::fs::{self, File};
use std::net::SocketAddr;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::process::{Child, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use byok_testkit::tools::{ENVOY_VERSION, envoy_binary};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::tool;

/// Where Envoy looks for the authority that has signed Envoy Gateway's certificate; `.ci/isolated` makes the folder.
const CERTIFICATES: &str = "/certs";
/// The port of the Gateway.
pub(crate) const PORT: u16 = 10000;

const LOG: &str = "log";
const STOP_TIMEOUT: Duration = Duration::from_secs(20);

/// A running Envoy Gateway and its Envoy; both are stopped when it is dropped.
pub(crate) struct ControlPlane {
    process: Child,
    directory: TempDir,
}

impl ControlPlane {
    /// Starts it with one Gateway, a route from there to the upstream, and the policy.
    pub(crate) fn start(policy: &Value, upstream: SocketAddr, environment: &[(&str, &str)]) -> Self {
        let directory = tempfile::Builder::new().prefix("byok-gateway-").tempdir().expect("a directory");
        let at = |name: &str| directory.path().join(name);
        let generated = tool("ENVOY_GATEWAY")
            .args(["certgen", "--local", "--config-home"])
            .arg(at("config"))
            .output()
            .expect("Envoy Gateway runs");
        assert!(generated.status.success(), "{}", String::from_utf8_lossy(&generated.stderr));
        let certificates = at("config/certs/envoy");
        for name in ["ca.crt", "tls.crt", "tls.key"] {
            fs::copy(certificates.join(name), Path::new(CERTIFICATES).join(name)).unwrap_or_else(|error| {
                panic!("{CERTIFICATES}: {error}: run `make test-gateway`");
            });
        }
        // The place where Envoy Gateway keeps the Envoys that it has downloaded.
        let binaries = at("data/envoy-versions").join(ENVOY_VERSION).join("bin");
        fs::create_dir_all(&binaries).expect("a directory");
        symlink(envoy_binary().expect("an Envoy"), binaries.join("envoy")).expect("a link");
        fs::create_dir(at("resources")).expect("a directory");
        let resources = [resources(&certificates, upstream), vec![policy.clone()]].concat();
        let resources: Vec<String> = resources.iter().map(Value::to_string).collect();
        fs::write(at("resources/all.yaml"), resources.join("\n---\n")).expect("a file");
        fs::write(at("envoy-gateway.yaml"), configuration(directory.path()).to_string()).expect("a file");

        let log = File::create(at(LOG)).expect("a file");
        let process = tool("ENVOY_GATEWAY")
            .args(["server", "--config-path"])
            .arg(at("envoy-gateway.yaml"))
            .env_clear()
            .env("HOME", directory.path())
            .envs(environment.iter().copied())
            .stdin(Stdio::null())
            .stdout(log.try_clone().expect("a file"))
            .stderr(log)
            .spawn()
            .expect("Envoy Gateway starts");
        Self { process, directory }
    }

    /// The end of what Envoy Gateway and Envoy have logged, for a failure.
    pub(crate) fn log_end(&self) -> String {
        let log = fs::read_to_string(self.directory.path().join(LOG)).unwrap_or_default();
        let lines: Vec<&str> = log.lines().collect();
        lines[lines.len().saturating_sub(60)..].join("\n")
    }
}

impl Drop for ControlPlane {
    /// Envoy Gateway stops its Envoy when it is asked to end, but not when it is killed.
    fn drop(&mut self) {
        let asked = kill_process(Pid::from_child(&self.process), Signal::TERM);
        let deadline = Instant::now() + STOP_TIMEOUT;
        while asked.is_ok() && Instant::now() < deadline {
            if !matches!(self.process.try_wait(), Ok(None)) {
                return;
            }
            thread::sleep(Duration::from_millis(50));
        }
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// Envoy Gateway without Kubernetes: resources are files, and Envoy is a process.
fn configuration(directory: &Path) -> Value {
    let at = |name: &str| directory.join(name);
    json!({
        "apiVersion": "gateway.envoyproxy.io/v1alpha1",
        "kind": "EnvoyGateway",
        "gateway": { "controllerName": "gateway.envoyproxy.io/gatewayclass-controller" },
        "provider": { "type": "Custom", "custom": {
            "resource": { "type": "File", "file": { "paths": [at("resources")] } },
            "infrastructure": { "type": "Host", "host": {
                "configHome": at("config"), "dataHome": at("data"), "stateHome": at("state"), "runtimeDir": at("run") } },
        } },
        "logging": { "level": { "default": "info" } },
        "extensionApis": { "enableBackend": true },
    })
}

/// What a cluster would have beside the policy.
fn resources(certificates: &Path, upstream: SocketAddr) -> Vec<Value> {
    let base64 = |name: &str| {
        use base64::Engine as _;
        base64::engine::general_purpose::STANDARD.encode(fs::read(certificates.join(name)).expect("a certificate"))
    };
    let metadata = |name: &str| json!({ "name": name, "namespace": "llm" });
    vec![
        json!({
            "apiVersion": "gateway.networking.k8s.io/v1", "kind": "GatewayClass", "metadata": { "name": "llm" },
            "spec": {
                "controllerName": "gateway.envoyproxy.io/gatewayclass-controller",
                "parametersRef": {
                    "group": "gateway.envoyproxy.io", "kind": "EnvoyProxy", "name": "llm", "namespace": "llm" },
            },
        }),
        json!({
            "apiVersion": "gateway.envoyproxy.io/v1alpha1", "kind": "EnvoyProxy", "metadata": metadata("llm"),
            "spec": { "provider": { "type": "Host", "host": { "envoyVersion": ENVOY_VERSION } } },
        }),
        json!({
            "apiVersion": "v1", "kind": "Secret", "type": "kubernetes.io/tls",
            "metadata": { "name": "envoy", "namespace": "envoy-gateway-system" },
            "data": { "ca.crt": base64("ca.crt"), "tls.crt": base64("tls.crt"), "tls.key": base64("tls.key") },
        }),
        json!({
            "apiVersion": "gateway.networking.k8s.io/v1", "kind": "Gateway", "metadata": metadata("llm"),
            "spec": {
                "gatewayClassName": "llm",
                "listeners": [ { "name": "http", "protocol": "HTTP", "port": PORT } ],
            },
        }),
        json!({
            "apiVersion": "gateway.networking.k8s.io/v1", "kind": "HTTPRoute", "metadata": metadata("llm"),
            "spec": {
                "parentRefs": [ { "name": "llm" } ],
                "rules": [ {
                    "matches": [ { "path": { "type": "PathPrefix", "value": "/" } } ],
                    "backendRefs": [ { "group": "gateway.envoyproxy.io", "kind": "Backend", "name": "anthropic" } ],
                } ],
            },
        }),
        json!({
            "apiVersion": "gateway.envoyproxy.io/v1alpha1", "kind": "Backend", "metadata": metadata("anthropic"),
            "spec": { "endpoints": [
                { "ip": { "address": upstream.ip().to_string(), "port": upstream.port() } } ] },
        }),
    ]
}
