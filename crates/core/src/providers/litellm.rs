//! A [LiteLLM](https://docs.litellm.ai/docs/proxy/virtual_keys) as the next hop: it receives a key of its own beside the
//! client's Anthropic credential.

use super::{Profile, anthropic, api_key, header, openai};
use crate::model::{Dialect, KeySource, Location};

/// Headers in which LiteLLM itself looks for its keys, beside those of every gateway
/// (`SpecialHeaders` in BerriAI/litellm, `litellm/proxy/_types.py`).
const OWN_SOURCES: [&str; 3] = ["api-key", "x-goog-api-key", "ocp-apim-subscription-key"];

pub(super) fn profile() -> Profile {
    let [from_authorization, from_api_key] = anthropic::oauth_tokens();
    let own_sources = OWN_SOURCES.map(|name| KeySource::new(Location::Header(name.into()), None));
    Profile {
        rules: vec![from_authorization, from_api_key, api_key("x-api-key", &[anthropic::PREFIX])],
        extra_sources: own_sources.into_iter().chain([openai::websocket_source()]).collect(),
        vendor: Some(anthropic::VENDOR),
        companions: &[],
        deployment_header: header("x-litellm-api-key"),
        is_gateway: true,
        dialect: Dialect::LiteLlm,
    }
}
