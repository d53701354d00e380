//! The [Gemini API](https://ai.google.dev/gemini-api/docs/api-key): `x-goog-api-key`; older clients send `?key=`, those of
//! its [OpenAI form](https://ai.google.dev/gemini-api/docs/openai) a bearer token.

use super::{Profile, api_key, bearer, header, parameter};
use crate::model::Dialect;

/// The vendor.
pub(super) const VENDOR: &str = "google";

/// The project that is billed
/// (<https://cloud.google.com/docs/authentication/rest#set-billing-project>; googleapis/google-auth-library-python,
/// pull request 400).
pub(super) const COMPANIONS: &[&str] = &["x-goog-user-project"];

pub(super) fn profile() -> Profile {
    Profile {
        rules: vec![api_key("x-goog-api-key", &[]), parameter("key", &[]), bearer(&[])],
        extra_sources: Vec::new(),
        vendor: Some(VENDOR),
        companions: COMPANIONS,
        deployment_header: header("x-goog-api-key"),
        is_gateway: false,
        dialect: Dialect::Google,
    }
}
