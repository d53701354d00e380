//! Amazon Bedrock with an API key as a bearer token; a SigV4 signature does not survive a gateway.

use super::{ClientPlace, Profile, Slot};
use crate::refusal::Dialect;

pub(super) fn profile() -> Profile {
    Profile {
        client_places: vec![ClientPlace::bearer()],
        oauth_places: Vec::new(),
        deployment_slot: Slot::bearer(),
        deployment_key_beside_client: false,
        takes_anthropic_keys: false,
        client_key_prefixes: &[],
        dialect: Dialect::Anthropic,
    }
}
