//! [Claude in Microsoft Foundry](https://docs.claude.com/en/docs/build-with-claude/claude-in-microsoft-foundry): `api-key` or
//! `x-api-key`, or a Microsoft Entra ID token as a bearer token (the section on authentication there is the source of
//! all three).

use super::{Profile, api_key, azure_openai, bearer, header};
use crate::model::Dialect;

pub(super) fn profile() -> Profile {
    Profile {
        rules: vec![api_key("api-key", &[]), api_key("x-api-key", &[]), bearer(&[])],
        extra_sources: Vec::new(),
        vendor: Some(azure_openai::VENDOR),
        companions: &[],
        deployment_header: header("api-key"),
        is_gateway: false,
        dialect: Dialect::Anthropic,
    }
}
