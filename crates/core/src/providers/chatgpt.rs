//! The API behind [Codex with a ChatGPT login](https://github.com/openai/codex/blob/main/docs/authentication.md): a JWT as a
//! bearer token, and the account that it is for.

use super::{Profile, bearer, bearer_header, openai};
use crate::model::Dialect;

pub(super) fn profile() -> Profile {
    Profile {
        rules: vec![bearer(&["eyJ"])],
        extra_sources: Vec::new(),
        vendor: Some(openai::VENDOR),
        companions: &["chatgpt-account-id"],
        deployment_header: bearer_header(),
        is_gateway: false,
        dialect: Dialect::OpenAi,
    }
}
