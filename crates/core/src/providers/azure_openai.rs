//! [Azure OpenAI](https://learn.microsoft.com/azure/ai-services/openai/reference#authentication): `api-key`, or a Microsoft
//! Entra ID token as a bearer token.

use super::{Profile, api_key, bearer, header, openai};
use crate::model::Dialect;

/// The vendor.
pub(super) const VENDOR: &str = "azure";

pub(super) fn profile() -> Profile {
    Profile {
        rules: vec![api_key("api-key", &[]), bearer(&[])],
        extra_sources: vec![openai::websocket_source()],
        vendor: Some(VENDOR),
        companions: &[],
        deployment_header: header("api-key"),
        is_gateway: false,
        dialect: Dialect::OpenAi,
    }
}
