//! Envoy with the module between clients, an upstream and an issuer; whatever a test does, the module stays up.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::thread;
use std::time::Duration;

use serde_json::{Value, json};

use super::issuer::Issuer;
use crate::corpus::Message;
use crate::envoy::Options;
use crate::gateway::{Gateway, Pending, Response, Site, Upstream, exchange_http1, listener, send_http1, until};

/// A key that the configuration lists.
pub const CONFIGURED: &str = "proxy-EXAMPLE-configured";
/// The filter's own key at the issuer.
pub const SERVICE_KEY: &str = "sk-EXAMPLE-service";
pub const DEPLOYMENT_KEY: &str = "sk-ant-api03-EXAMPLE-deployment";

/// What an issuer says of a good key.
pub const ALICE: &str = r#"{"info":{"key_alias":"alice","expires":null,"blocked":null,"status":"active"}}"#;

/// The filter's configuration with an issuer; `service` replaces and adds fields of it.
pub fn configuration(service: Value) -> Value {
    let mut configuration = json!({
        "consumers": [ { "name": "team-a", "keys": [ { "id": "1", "value": CONFIGURED } ] } ],
        "providers": { "anthropic": {
            "clusters": ["upstream"], "deployment_key": { "environment_variable": "ANTHROPIC_API_KEY" } } },
        "identity_headers": { "consumer": "x-consumer-username", "key_id": "x-credential-identifier" },
        "verification_service": {
            "cluster": "issuer", "authority": "issuer.internal", "path": "/key/info",
            "send_as": { "sha256_query": "key" }, "service_key": { "environment_variable": "ISSUER_API_KEY" },
            "consumer_from": "/info/key_alias", "timeout": "15s" },
    });
    for (field, value) in service.as_object().cloned().unwrap_or_default() {
        let fields = configuration["verification_service"].as_object_mut().expect("an object");
        if value.is_null() {
            fields.remove(&field)
        } else {
            fields.insert(field, value)
        };
    }
    configuration
}

/// A listener with a configuration, in front of the upstream.
pub fn site(name: &str, configuration: &Value) -> Value {
    let variables = [("ISSUER_API_KEY", SERVICE_KEY), ("ANTHROPIC_API_KEY", DEPLOYMENT_KEY)];
    let environment: BTreeMap<String, String> =
        variables.into_iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
    let configuration = configuration.to_string();
    listener(&Site { name, configuration: &configuration, environment: &environment, cluster: Some("upstream") })
}

/// A running Envoy and its upstream; when it is dropped, the log must tell of no crash and no secret.
pub struct Scene {
    pub gateway: Gateway,
    pub upstream: Upstream,
}

impl Scene {
    /// One listener, one issuer.
    pub fn start(issuer: &Issuer, service: Value) -> Self {
        Self::with_sites(issuer, &[site("gateway", &configuration(service))])
    }

    /// One listener; the issuer is not where it should be, but at this address.
    pub fn start_at(unused: &Issuer, issuer: SocketAddr, service: Value) -> Self {
        let sites = [site("gateway", &configuration(service))];
        Self::start_with(&[("issuer", unused.server())], &sites, |bootstrap, _| {
            let cluster = &mut bootstrap["static_resources"]["clusters"][0];
            let endpoint = &mut cluster["load_assignment"]["endpoints"][0]["lb_endpoints"][0]["endpoint"];
            endpoint["address"]["socket_address"]["port_value"] = issuer.port().into();
        })
    }

    pub fn with_sites(issuer: &Issuer, sites: &[Value]) -> Self {
        Self::start_with(&[("issuer", issuer.server())], sites, |_, _| ())
    }

    /// Starts Envoy with further clusters beside the upstream.
    pub fn start_with(
        clusters: &[(&str, &Upstream)],
        sites: &[Value],
        change: impl FnOnce(&mut Value, &mut Options),
    ) -> Self {
        let upstream = Upstream::start();
        let clusters: Vec<(&str, &Upstream)> = clusters.iter().copied().chain([("upstream", &upstream)]).collect();
        let gateway = Gateway::start_with(&clusters, sites, change);
        Self { gateway, upstream }
    }

    pub fn address_of(&self, site: &str) -> SocketAddr {
        let addresses = self.gateway.addresses();
        *addresses.get(site).unwrap_or_else(|| panic!("{site} is refused; {}", self.gateway.explanation()))
    }

    /// Sends a key to the only listener and waits for the answer.
    pub fn ask(&self, key: &str) -> Response {
        let answer = exchange_http1(self.address_of("gateway"), &request(key), HOST);
        answer.unwrap_or_else(|error| panic!("no answer: {error}; {}", self.gateway.explanation()))
    }

    /// Sends a key to the only listener and does not wait.
    pub fn send(&self, key: &str) -> Pending {
        send(self.address_of("gateway"), key)
    }

    /// One of the counters `byok.verification.…`.
    pub fn counted(&self, what: &str) -> u64 {
        self.gateway.counters().get(&format!("byok.verification.{what}")).copied().unwrap_or(0)
    }

    /// The counters `calls`, `cache_hits`, `failures`, `overflows`.
    pub fn all_counted(&self) -> [u64; 4] {
        ["calls", "cache_hits", "failures", "overflows"].map(|what| self.counted(what))
    }

    /// One of Envoy's own counters or gauges.
    pub fn stat(&self, name: &str) -> u64 {
        let stats = self.gateway.envoy.admin_get(&format!("/stats?filter=^{name}$")).expect("Envoy's statistics");
        stats.trim().rsplit(' ').next().and_then(|value| value.parse().ok()).unwrap_or(0)
    }

    /// Waits until that many requests are under way.
    pub fn wait_for_requests(&self, count: u64) {
        let reached = until(|| (self.stat("http.test.downstream_rq_active") == count).then_some(()));
        let active = self.stat("http.test.downstream_rq_active");
        assert!(reached.is_some(), "{active} of {count} requests are under way");
    }

    /// Resident memory of Envoy, in kilobytes.
    pub fn memory(&self) -> i64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.gateway.envoy.pid())).expect("a process");
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).expect("its memory");
        line.trim().trim_end_matches(" kB").parse().expect("kilobytes")
    }

    /// The one request that has reached the upstream since the last look.
    pub fn arrived(&self) -> Message {
        let mut arrivals = self.upstream.take();
        assert_eq!(arrivals.len(), 1, "arrivals: {arrivals:?}");
        arrivals.remove(0)
    }

    /// Panics where the answer is not a refusal for this reason.
    pub fn assert_refused(&self, answer: &Response, status: u16, reason: &str) {
        assert_eq!(answer.status, status, "{answer:?}; {}", self.gateway.explanation());
        let details = format!("byok_{reason}");
        let row = until(|| {
            self.gateway.rows(1).into_iter().find(|row| row.connection.1 == answer.client).map(|row| row.details)
        });
        assert_eq!(row.as_deref(), Some(&*details), "{answer:?}");
        let waits = (status == 503).then_some("1");
        assert_eq!(answer.header("retry-after"), waits, "{answer:?}");
    }
}

impl Drop for Scene {
    fn drop(&mut self) {
        if thread::panicking() {
            return;
        }
        // What Envoy has to say about a crash may take its time.
        thread::sleep(Duration::from_millis(20));
        let log = self.gateway.envoy.log();
        for sign in ["panicked", "Function: ", "Wasm VM failed", "Caught signal", "assert failure", SERVICE_KEY] {
            // A configuration that is refused is no crash.
            let line = log.lines().find(|line| line.contains(sign) && !line.contains("Failed to configure base Wasm"));
            assert_eq!(line, None, "Envoy's log has `{sign}`");
        }
    }
}

pub fn ask(address: SocketAddr, key: &str) -> Response {
    exchange_http1(address, &request(key), HOST).expect("an answer")
}

pub fn send(address: SocketAddr, key: &str) -> Pending {
    send_http1(address, &request(key), HOST).expect("a connection")
}

pub fn request(key: &str) -> Message {
    Message::parse(&format!("POST /v1/messages\nx-litellm-api-key: {key}")).expect("a request")
}

pub const HOST: &[(&str, &[u8])] = &[("host", b"llm.example.com")];
