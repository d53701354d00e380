//! Who stands between client and provider: LiteLLM, the filter and LiteLLM, the filter alone.

use std::net::SocketAddr;
use std::thread;

use byok_testkit::envoy::Envoy;
use serde_json::{Value, json};

use crate::launcher::LiteLlm;
use crate::rows::Setting;
use crate::symbols::{ANTHROPIC_DEPLOYMENT, CALLER_KEY, LITELLM_KEY, OPENAI_DEPLOYMENT};
use crate::{gateway, issuer};

/// A way from the client to the provider.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Way {
    /// LiteLLM without the filter.
    Alone,
    /// The filter and LiteLLM, which sees the proxy key again: `envoy/litellm/envoy.yaml`.
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
        let start = |flag| issuer::start(provider, flag, "");
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
            let example = (setting, way) == (Setting::Flag, Way::Kept);
            let configuration = (!example).then(|| configuration(setting, way));
            self.gateways.push((setting, way, gateway::start(configuration.as_ref(), next)));
            self.gateways.len() - 1
        });
        Hop { address: gateway::address(&self.gateways[at].2), proxy_key }
    }

    /// The end of LiteLLM's log, for a failure.
    pub(crate) fn explanation(&self) -> String {
        issuer::explanation(&self.litellm)
    }
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
