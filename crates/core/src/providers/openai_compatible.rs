//! Any other API of [OpenAI's form](https://platform.openai.com/docs/api-reference): a bearer token; some clients send
//! `x-api-key`.

use super::{Profile, api_key, bearer, bearer_header};
use crate::model::{CredentialRule, Dialect};

pub(super) fn profile() -> Profile {
    Profile {
        rules: vec![bearer(&[]), CredentialRule { sent_as: Some(bearer_header()), ..api_key("x-api-key", &[]) }],
        extra_sources: Vec::new(),
        vendor: None,
        companions: &[],
        deployment_header: bearer_header(),
        is_gateway: false,
        dialect: Dialect::OpenAi,
    }
}
