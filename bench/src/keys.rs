//! The proxy keys of the benchmarks, and configurations that list them.

use std::fmt::Write as _;

use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

/// The variable from which the filter reads [`DEPLOYMENT_KEY`].
pub const DEPLOYMENT_VARIABLE: &str = "ANTHROPIC_API_KEY";

/// The operator's key for the provider; as long as a real one.
pub const DEPLOYMENT_KEY: &str =
    "sk-ant-api03-EXAMPLE-deployment-key--0000000000000000000000000000000000000000000000000000000000000000000000";

/// The client's own key for the provider; as long as a real one.
pub const CLIENT_KEY: &str =
    "sk-ant-api03-EXAMPLE-key-of-the-client-0000000000000000000000000000000000000000000000000000000000000000000000";

/// Returns the proxy key with that number.
pub fn proxy_key(number: usize) -> String {
    format!("byok-bench-proxy-key-{number:06}")
}

/// Returns the consumer to whom [`proxy_key`] of that number belongs.
pub fn consumer(number: usize) -> String {
    format!("team-{number:06}")
}

/// Returns a configuration of the filter with that many proxy keys, each of a consumer of its own.
pub fn configuration(keys: usize) -> String {
    fields(keys).to_string()
}

/// Returns the same that sets only these parts of the decision as filter state.
pub fn configuration_with_filter_state(keys: usize, parts: &[&str]) -> String {
    let mut configuration = fields(keys);
    if let Some(fields) = configuration.as_object_mut() {
        fields.insert("filter_state".to_owned(), json!(parts));
    }
    configuration.to_string()
}

fn fields(keys: usize) -> Value {
    let consumers: Vec<Value> = (0..keys)
        .map(|number| {
            let sha256 = hex(&Sha256::digest(proxy_key(number)));
            json!({ "name": consumer(number), "keys": [{ "id": "1", "sha256": sha256 }] })
        })
        .collect();
    json!({
        "forward_llm_provider_auth_headers": true,
        "providers": { "anthropic": { "deployment_key": { "environment_variable": DEPLOYMENT_VARIABLE } } },
        "consumers": consumers,
    })
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(64), |mut hex, byte| {
        let _ = write!(hex, "{byte:02x}");
        hex
    })
}
