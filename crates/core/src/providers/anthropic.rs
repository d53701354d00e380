//! The Anthropic API: `x-api-key`, or an OAuth token of a Claude subscription as a bearer token.

use super::{ClientPlace, Profile, Slot};
use crate::policy::Location;
use crate::refusal::Dialect;

pub(super) fn profile() -> Profile {
    Profile {
        client_places: vec![
            ClientPlace::header("x-api-key"),
            ClientPlace { sent_as: Some("x-api-key".into()), ..ClientPlace::bearer() },
        ],
        oauth_places: oauth_places(),
        deployment_slot: Slot::header("x-api-key"),
        deployment_key_beside_client: false,
        takes_anthropic_keys: true,
        client_key_prefixes: &["sk-ant-"],
        dialect: Dialect::Anthropic,
    }
}

/// Clients send the token as a bearer token, some as if it were an API key.
pub(super) fn oauth_places() -> Vec<Location> {
    vec![Location::Header("authorization".into()), Location::Header("x-api-key".into())]
}
