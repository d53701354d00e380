//! The Gemini API: `x-goog-api-key`; older clients send `?key=`.

use super::{ClientPlace, Profile, Slot};
use crate::refusal::Dialect;

pub(super) fn profile() -> Profile {
    Profile {
        client_places: vec![ClientPlace::header("x-goog-api-key"), ClientPlace::query("key")],
        oauth_places: Vec::new(),
        deployment_slot: Slot::header("x-goog-api-key"),
        deployment_key_beside_client: false,
        takes_anthropic_keys: false,
        client_key_prefixes: &[],
        dialect: Dialect::Google,
    }
}
