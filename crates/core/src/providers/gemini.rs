//! The [Gemini API](https://ai.google.dev/gemini-api/docs/api-key): `x-goog-api-key`; older clients send `?key=`.

use super::{Profile, anthropic, api_key, header};
use crate::model::{CredentialRule, Dialect, Location};

pub(super) fn profile() -> Profile {
    let parameter = CredentialRule { location: Location::Query("key".into()), ..api_key("x-goog-api-key", &[]) };
    Profile {
        rules: vec![api_key("x-goog-api-key", &[]), parameter],
        foreign_prefixes: &[anthropic::PREFIX],
        deployment_header: header("x-goog-api-key"),
        is_gateway: false,
        dialect: Dialect::Google,
    }
}
