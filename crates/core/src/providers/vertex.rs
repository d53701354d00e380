//! [Vertex AI](https://cloud.google.com/vertex-ai/generative-ai/docs/start/api-keys): an access token as a bearer token, or
//! an API key as the Gemini API takes it.

use super::{Profile, api_key, bearer, bearer_header, gemini, parameter};
use crate::model::Dialect;

pub(super) fn profile() -> Profile {
    Profile {
        rules: vec![bearer(&[]), api_key("x-goog-api-key", &[]), parameter("key", &[])],
        extra_sources: Vec::new(),
        vendor: Some(gemini::VENDOR),
        companions: gemini::COMPANIONS,
        deployment_header: bearer_header(),
        is_gateway: false,
        dialect: Dialect::Google,
    }
}
