//! A [LiteLLM](https://docs.litellm.ai/docs/proxy/virtual_keys) as the next hop: it receives a key of its own beside the
//! client's Anthropic credential.

use super::{Profile, anthropic, api_key, header};
use crate::model::Dialect;

pub(super) fn profile() -> Profile {
    let [from_authorization, from_api_key] = anthropic::oauth_tokens();
    Profile {
        rules: vec![from_authorization, from_api_key, api_key("x-api-key", &[anthropic::PREFIX])],
        foreign_prefixes: &[anthropic::OAUTH_TOKEN_PREFIX],
        deployment_header: header("x-litellm-api-key"),
        is_gateway: true,
        dialect: Dialect::LiteLlm,
    }
}
