//! The OpenAI API and those that follow it: a bearer token.

use super::{ClientPlace, Profile, Slot};
use crate::refusal::Dialect;

pub(super) fn profile() -> Profile {
    Profile {
        client_places: vec![ClientPlace::bearer()],
        oauth_places: Vec::new(),
        deployment_slot: Slot::bearer(),
        deployment_key_beside_client: false,
        takes_anthropic_keys: false,
        client_key_prefixes: &["sk-"],
        dialect: Dialect::OpenAi,
    }
}
