//! Azure OpenAI: `api-key`, or a Microsoft Entra ID token as a bearer token.

use super::{ClientPlace, Profile, Slot};
use crate::refusal::Dialect;

pub(super) fn profile() -> Profile {
    Profile {
        client_places: vec![ClientPlace::header("api-key"), ClientPlace::bearer()],
        oauth_places: Vec::new(),
        deployment_slot: Slot::header("api-key"),
        deployment_key_beside_client: false,
        takes_anthropic_keys: false,
        client_key_prefixes: &[],
        dialect: Dialect::OpenAi,
    }
}
