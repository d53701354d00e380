//! [Azure OpenAI](https://learn.microsoft.com/azure/ai-services/openai/reference#authentication): `api-key`, or a Microsoft
//! Entra ID token as a bearer token.

use super::{Profile, anthropic, api_key, bearer, header};
use crate::model::Dialect;

pub(super) fn profile() -> Profile {
    Profile {
        rules: vec![api_key("api-key", &[]), bearer(&[])],
        foreign_prefixes: &[anthropic::PREFIX],
        deployment_header: header("api-key"),
        is_gateway: false,
        dialect: Dialect::OpenAi,
    }
}
