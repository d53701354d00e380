//! A LiteLLM of the tests.

use std::net::SocketAddr;

use serde_json::json;

use crate::launcher::{LiteLlm, Options};
use crate::symbols::{ANTHROPIC_DEPLOYMENT, ENVIRONMENT, LITELLM_KEY, OPENAI_DEPLOYMENT};

/// Starts LiteLLM before `provider`; `prelude` is Python.
pub(crate) fn start(provider: SocketAddr, flag: bool, prelude: &str) -> LiteLlm {
    let base = format!("http://{provider}");
    let options = Options {
        config_yaml: &config(&base, flag),
        prelude,
        environment: &[("ANTHROPIC_API_BASE", base.as_str()), ("ANTHROPIC_API_KEY", ENVIRONMENT)],
    };
    LiteLlm::start(&options).unwrap_or_else(|error| panic!("{error:#}"))
}

/// The end of LiteLLM's log, for a failure.
pub(crate) fn explanation(litellm: &LiteLlm) -> String {
    let log = litellm.log();
    let lines: Vec<&str> = log.lines().collect();
    format!("LiteLLM's log ends:\n{}", lines[lines.len().saturating_sub(40)..].join("\n"))
}

/// JSON is YAML, too.
fn config(provider: &str, flag: bool) -> String {
    let anthropic =
        json!({ "model": "anthropic/claude-sonnet-4-5", "api_base": provider, "api_key": ANTHROPIC_DEPLOYMENT });
    let openai =
        json!({ "model": "openai/gpt-4o", "api_base": format!("{provider}/v1"), "api_key": OPENAI_DEPLOYMENT });
    json!({
        "general_settings": {
            "master_key": LITELLM_KEY,
            "forward_llm_provider_auth_headers": flag,
            "pass_through_endpoints": [ {
                "path": "/passthrough",
                "target": format!("{provider}/passthrough"),
                "headers": { "x-api-key": ANTHROPIC_DEPLOYMENT },
                "forward_headers": true,
                "auth": false,
            } ],
        },
        "model_list": [
            { "model_name": "claude", "litellm_params": anthropic },
            { "model_name": "gpt", "litellm_params": openai },
        ],
    })
    .to_string()
}
