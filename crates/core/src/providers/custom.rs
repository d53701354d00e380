//! Any other API: the configuration names its headers.

use super::{Profile, api_key};
use crate::model::{CredentialRule, Dialect, UpstreamHeader};

/// The name of the profile.
pub(crate) const CUSTOM: &str = "custom";

/// Takes the API's headers in order; the deployment key goes into the first.
pub(crate) fn profile(first: UpstreamHeader, others: Vec<UpstreamHeader>) -> Profile {
    let deployment_header = first.clone();
    let rule = |header: UpstreamHeader| CredentialRule { scheme: header.scheme, ..api_key(&header.name, &[]) };
    Profile {
        rules: [first].into_iter().chain(others).map(rule).collect(),
        extra_sources: Vec::new(),
        vendor: None,
        companions: &[],
        deployment_header,
        is_gateway: false,
        dialect: Dialect::OpenAi,
    }
}
