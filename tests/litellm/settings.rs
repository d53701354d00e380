//! Who stands between client and provider: LiteLLM, the filter and LiteLLM, the filter alone.

use std::fs;
use std::net::SocketAddr;
use std::thread;

use serde_json::{Value, json};
use xtask::envoy::{self, Envoy};
use xtask::litellm::{self, LiteLlm};

use crate::rows::Setting;
use crate::symbols::{ANTHROPIC_DEPLOYMENT, CALLER_KEY, ENVIRONMENT, LITELLM_KEY, OPENAI_DEPLOYMENT};

/// A way from the client to the provider.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Way {
    /// LiteLLM without the filter.
    Alone,
    /// The filter and LiteLLM, which sees the proxy key again: `envoy/litellm.yaml`.
    Kept,
    /// The filter and LiteLLM, which sees a key of its own in place of the caller's.
    Exchanged,
    /// The filter and the provider.
    Direct,
}

/// Where the client sends its request, and what its proxy key is there.
#[derive(Clone, Copy)]
pub(crate) struct Hop {
    pub(crate) address: SocketAddr,
    pub(crate) proxy_key: &'static str,
}

/// All that runs for the test; gateways are started when they are needed.
pub(crate) struct Chains {
    provider: SocketAddr,
    litellm: LiteLlm,
    litellm_without_flag: LiteLlm,
    gateways: Vec<(Setting, Way, Envoy)>,
}

impl Chains {
    pub(crate) fn start(provider: SocketAddr) -> Self {
        let start = |flag| {
            let base = format!("http://{provider}");
            let options = litellm::Options {
                config_yaml: &litellm_config(&base, flag),
                prelude: "",
                environment: &[("ANTHROPIC_API_BASE", base.as_str()), ("ANTHROPIC_API_KEY", ENVIRONMENT)],
            };
            LiteLlm::start(&options).unwrap_or_else(|error| panic!("{error:#}"))
        };
        let (litellm, litellm_without_flag) = thread::scope(|scope| {
            let without_flag = scope.spawn(|| start(false));
            (start(true), without_flag.join().expect("a LiteLLM without the flag"))
        });
        Self { provider, litellm, litellm_without_flag, gateways: Vec::new() }
    }

    /// Where that way begins.
    pub(crate) fn hop(&mut self, setting: Setting, way: Way) -> Hop {
        let proxy_key = if way == Way::Exchanged { CALLER_KEY } else { LITELLM_KEY };
        let litellm = if setting == Setting::Flag { &self.litellm } else { &self.litellm_without_flag };
        let next = if way == Way::Direct { self.provider } else { litellm.address() };
        if way == Way::Alone {
            return Hop { address: next, proxy_key };
        }
        let known = self.gateways.iter().position(|(of, to, _)| (*of, *to) == (setting, way));
        let at = known.unwrap_or_else(|| {
            self.gateways.push((setting, way, gateway(setting, way, next)));
            self.gateways.len() - 1
        });
        let address = self.gateways[at].2.listener("gateway").expect("a listener");
        Hop { address, proxy_key }
    }

    /// The ends of the logs, for a failure.
    pub(crate) fn explanation(&self) -> String {
        let log = self.litellm.log();
        let lines: Vec<&str> = log.lines().collect();
        format!("LiteLLM's log ends:\n{}", lines[lines.len().saturating_sub(40)..].join("\n"))
    }
}

/// What the client asks for.
pub(crate) fn body(model: &str) -> String {
    json!({ "model": model, "max_tokens": 8, "messages": [ { "role": "user", "content": "hello" } ] }).to_string()
}

/// JSON is YAML, too.
fn litellm_config(provider: &str, flag: bool) -> String {
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

fn gateway(setting: Setting, way: Way, next: SocketAddr) -> Envoy {
    let path = xtask::root().join("envoy/litellm.yaml");
    let example = fs::read_to_string(path).expect("envoy/litellm.yaml");
    let yaml = match (setting, way) {
        (Setting::Flag, Way::Kept) => example,
        _ => with_configuration(&example, &configuration(setting, way)),
    };
    let yaml = replaced(&yaml, "port_value: 4000", &format!("port_value: {}", next.port()));
    let yaml = replaced(&yaml, "port_value: 10000", "port_value: 0");
    let yaml = replaced(&yaml, "port_value: 9901", "port_value: 0");
    let binary = xtask::tools::envoy_binary().unwrap_or_else(|error| panic!("{error:#}"));
    Envoy::start(&binary, &yaml, &envoy::Options::default()).unwrap_or_else(|error| panic!("{way:?}: {error:#}"))
}

fn replaced(yaml: &str, from: &str, to: &str) -> String {
    assert_eq!(yaml.matches(from).count(), 1, "`{from}` stands once in envoy/litellm.yaml");
    yaml.replace(from, to)
}

/// The example with another configuration of the filter.
fn with_configuration(example: &str, configuration: &Value) -> String {
    const BLOCK: &str = "value: |\n";
    const NEXT: &str = "          - name: envoy.filters.http.router";
    let (before, rest) = example.split_once(BLOCK).expect("the filter's configuration");
    let (_, after) = rest.split_once(NEXT).expect("the router behind the filter");
    format!("{before}{BLOCK}{:24}{configuration}\n{NEXT}{after}", "")
}

fn configuration(setting: Setting, way: Way) -> Value {
    let caller = |key: &str| json!({ "name": "team-a", "keys": [ { "id": "1", "value": key } ] });
    let sources = json!([
        { "header": "x-litellm-api-key" }, { "header": "authorization", "scheme": "Bearer" },
        { "header": "x-api-key" }, { "header": "api-key" }, { "header": "x-company-key" },
    ]);
    let anthropic = json!({ "deployment_key": { "value": ANTHROPIC_DEPLOYMENT } });
    match (setting, way) {
        (Setting::Flag, Way::Direct) => json!({
            "forward_llm_provider_auth_headers": true,
            "key_sources": sources,
            "providers": { "anthropic": anthropic, "openai": { "deployment_key": { "value": OPENAI_DEPLOYMENT } } },
            "default_provider": "anthropic",
            "routes": [
                { "match": { "path_prefix": "/v1/chat/completions" }, "provider": "openai" },
                { "match": { "path_prefix": "/byok-only" }, "byok": "required" },
            ],
            "consumers": [ caller(LITELLM_KEY) ],
        }),
        (Setting::Flag, _) => {
            let mut consumer = caller(CALLER_KEY);
            consumer["deployment_keys"] = json!({ "litellm": { "value": LITELLM_KEY } });
            json!({
                "key_sources": sources,
                // A provider without a key for the caller, for where LiteLLM must not see one either.
                "providers": { "litellm": { "byok": "off" }, "passthrough": { "api": "litellm", "byok": "off" } },
                "default_provider": "litellm",
                "routes": [
                    { "match": { "path_prefix": "/v1/messages" }, "byok": "preferred" },
                    { "match": { "path_prefix": "/passthrough" }, "provider": "passthrough", "hide_credentials": true },
                ],
                "consumers": [ consumer ],
            })
        }
        (Setting::NoFlag, Way::Direct) => json!({
            "providers": { "anthropic": anthropic },
            "consumers": [ caller(LITELLM_KEY) ],
        }),
        (Setting::NoFlag, _) => json!({ "providers": { "litellm": {} }, "consumers": [ caller(LITELLM_KEY) ] }),
        (Setting::NoFlagButOauth, Way::Direct) => json!({
            "providers": { "anthropic": { "oauth": true, "deployment_key": { "value": ANTHROPIC_DEPLOYMENT } } },
            "consumers": [ caller(LITELLM_KEY) ],
        }),
        (Setting::NoFlagButOauth, _) => json!({
            "providers": { "litellm": { "oauth": true } },
            "consumers": [ caller(LITELLM_KEY) ],
        }),
    }
}
