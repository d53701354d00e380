//! The API behind [Codex with a ChatGPT login](https://github.com/openai/codex/blob/main/docs/authentication.md): a JWT as a
//! bearer token, and the account that it is for.
//!
//! Sources, in openai/codex: `codex-rs/login/src/token_data.rs` (the access token is a JWT) and
//! `codex-rs/model-provider/src/bearer_auth_provider.rs` (`authorization` and `ChatGPT-Account-ID`).

use super::{Profile, bearer, bearer_header, openai};
use crate::model::Dialect;

pub(super) fn profile() -> Profile {
    Profile {
        // The base64url of `{"`, with which the header of a JWT starts (RFC 7519, 3.1; gitleaks rule `jwt`).
        rules: vec![bearer(&["eyJ"])],
        extra_sources: Vec::new(),
        vendor: Some(openai::VENDOR),
        companions: &["chatgpt-account-id"],
        deployment_header: bearer_header(),
        is_gateway: false,
        dialect: Dialect::OpenAi,
    }
}
