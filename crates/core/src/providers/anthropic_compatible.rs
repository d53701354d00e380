//! Any other API of [Anthropic's form](https://docs.anthropic.com/en/api/messages): `x-api-key` or a bearer token.

use super::{Profile, api_key, bearer, header};
use crate::model::Dialect;

pub(super) fn profile() -> Profile {
    Profile {
        rules: vec![api_key("x-api-key", &[]), bearer(&[])],
        extra_sources: Vec::new(),
        vendor: None,
        companions: &[],
        deployment_header: header("x-api-key"),
        is_gateway: false,
        dialect: Dialect::Anthropic,
    }
}
