//! A LiteLLM as the next hop: it gets a key of its own beside the client's Anthropic credential.

use super::{ClientPlace, Profile, Slot, anthropic};
use crate::refusal::Dialect;

pub(super) fn profile() -> Profile {
    Profile {
        client_places: vec![ClientPlace::header("x-api-key")],
        oauth_places: anthropic::oauth_places(),
        deployment_slot: Slot::header("x-litellm-api-key"),
        deployment_key_beside_client: true,
        takes_anthropic_keys: true,
        client_key_prefixes: &["sk-ant-"],
        dialect: Dialect::LiteLlm,
    }
}
