//! [Amazon Bedrock](https://docs.aws.amazon.com/bedrock/latest/userguide/api-keys.html) with an API key as a bearer token;
//! a SigV4 signature does not survive a gateway.

use super::{Profile, bearer, bearer_header};
use crate::model::Dialect;

pub(super) fn profile() -> Profile {
    Profile {
        // Long-term keys: gitleaks rule `aws-amazon-bedrock-api-key-long-lived`. Short-term ones: `AUTH_PREFIX` in
        // aws/aws-bedrock-token-generator-python; gitleaks rule `aws-amazon-bedrock-api-key-short-lived`.
        rules: vec![bearer(&["ABSK", "bedrock-api-key-"])],
        extra_sources: Vec::new(),
        vendor: Some("aws"),
        companions: &[],
        deployment_header: bearer_header(),
        is_gateway: false,
        dialect: Dialect::Anthropic,
    }
}
