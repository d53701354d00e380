//! Envoy with the filter twice, in force and in shadow, an upstream, and a verification service that can be out of order.

use std::collections::BTreeMap;
use std::fs;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use serde_json::{Value, json};

use super::traffic::{BATCH_KEY, EXPIRED_KEY, ISSUED_KEY, TEAM_A_KEY, TEAM_B_KEY};
use crate::gateway::{Gateway, Site, Upstream, listener};
use crate::root;
use crate::service::{self, ALICE, Issuer};

/// Listeners by name: what is refused on the first passes on the second.
pub(super) const PRODUCTION: &str = "production";
pub(super) const STAGING: &str = "staging";

const TAGS: &str = "envoy/stats_tags.yaml";
/// How long the verification service takes for an answer.
const THINKING: Duration = Duration::from_millis(150);

/// What the requests pass through; all of it ends when this is dropped.
pub(super) struct Stage {
    pub(super) gateway: Gateway,
    is_out_of_order: Arc<AtomicBool>,
    _issuer: Issuer,
    _upstream: Upstream,
}

impl Stage {
    pub(super) fn start() -> Self {
        let is_out_of_order = Arc::new(AtomicBool::new(false));
        let shared = Arc::clone(&is_out_of_order);
        let knows = service::knows(&[(ISSUED_KEY, ALICE)]);
        let issuer = Issuer::start(move |call| {
            thread::sleep(THINKING);
            if shared.load(Ordering::Relaxed) { service::json(500, "") } else { knows(call) }
        });
        let upstream = Upstream::start();
        let listeners = [site(PRODUCTION, &production()), site(STAGING, &staging())];
        let clusters = [("issuer", issuer.server()), ("upstream", &upstream)];
        let gateway = Gateway::start_with(&clusters, &listeners, |_, options| {
            // The labels of the counters, merged in as the file says.
            let tags = fs::read_to_string(root().join(TAGS)).expect("a readable file");
            options.arguments.extend(["--config-yaml".to_owned(), tags]);
            options.component_log_levels.clear();
        });
        Self { gateway, is_out_of_order, _issuer: issuer, _upstream: upstream }
    }

    /// Lets the verification service answer 500 to everything, or work again.
    pub(super) fn set_out_of_order(&self, is_out_of_order: bool) {
        self.is_out_of_order.store(is_out_of_order, Ordering::Relaxed);
    }
}

fn site(name: &str, configuration: &Value) -> Value {
    let configuration = configuration.to_string();
    let environment = BTreeMap::new();
    listener(&Site { name, configuration: &configuration, environment: &environment, cluster: Some("upstream") })
}

fn production() -> Value {
    let key = |key: &str| json!({ "id": "1", "value": key });
    let expired = json!({ "id": "old", "value": EXPIRED_KEY, "expires_at": "2020-01-31T00:00:00Z" });
    json!({
        "forward_llm_provider_auth_headers": true,
        "hide_credentials": "verified",
        "consumers": [
            { "name": "team-a", "keys": [key(TEAM_A_KEY), expired] },
            { "name": "team-b", "keys": [key(TEAM_B_KEY)] },
            { "name": "batch", "keys": [key(BATCH_KEY)] },
        ],
        "providers": { "anthropic": {
            "clusters": ["upstream"], "deployment_key": { "value": "sk-ant-api03-EXAMPLE-deployment" } } },
        "routes": [
            { "match": { "path_prefix": "/v1/messages/batches" }, "consumers": ["batch"] },
            { "match": { "path_prefix": "/v1/models" }, "mode": "auto" },
        ],
        // Short times and few calls, so that a minute shows what otherwise takes an hour.
        "verification_service": {
            "cluster": "issuer", "path": "/key/info", "send_as": { "sha256_query": "key" },
            "consumer_from": "/info/key_alias", "cache_ttl": "2s", "negative_cache_ttl": "2s",
            "max_in_flight": 4, "stale_if_error": "10m" },
    })
}

fn staging() -> Value {
    json!({
        "shadow": true,
        "forward_llm_provider_auth_headers": true,
        "consumers": [ { "name": "team-a", "keys": [ { "id": "1", "value": TEAM_A_KEY } ] } ],
    })
}
