//! The [Anthropic API](https://docs.anthropic.com/en/api/overview): `x-api-key`, or the OAuth token of a Claude login as a
//! bearer token.

use super::{Profile, api_key, bearer, bearer_header, header};
use crate::model::{Beta, CredentialKind, CredentialRule, Dialect};

/// The vendor.
pub(super) const VENDOR: &str = "anthropic";
/// How its credentials start (gitleaks rule `anthropic-api-key`).
pub(super) const PREFIX: &str = "sk-ant-";
/// How the OAuth tokens among them do (`ANTHROPIC_OAUTH_TOKEN_PREFIX` in BerriAI/litellm,
/// `litellm/types/llms/anthropic.py`).
pub(super) const OAUTH_TOKEN_PREFIX: &str = "sk-ant-oat";

/// The API refuses an OAuth token without this beta (`ANTHROPIC_OAUTH_BETA_HEADER`, ibid.).
pub(super) const OAUTH_BETA: Beta = Beta { header: "anthropic-beta", item: "oauth-2025-04-20" };

pub(super) fn profile() -> Profile {
    let [from_authorization, from_api_key] = oauth_tokens();
    Profile {
        rules: vec![
            from_authorization,
            from_api_key,
            api_key("x-api-key", &[PREFIX]),
            CredentialRule { sent_as: Some(header("x-api-key")), ..bearer(&[PREFIX]) },
        ],
        extra_sources: Vec::new(),
        vendor: Some(VENDOR),
        companions: &[],
        deployment_header: header("x-api-key"),
        is_gateway: false,
        dialect: Dialect::Anthropic,
    }
}

/// Clients send the token as a bearer token, some as if it were an API key.
pub(super) fn oauth_tokens() -> [CredentialRule; 2] {
    let sent_in = |location: CredentialRule| CredentialRule {
        scheme: Some("Bearer".into()),
        kind: CredentialKind::OauthToken,
        sent_as: Some(bearer_header()),
        beta: Some(OAUTH_BETA),
        ..location
    };
    [sent_in(bearer(&[OAUTH_TOKEN_PREFIX])), sent_in(api_key("x-api-key", &[OAUTH_TOKEN_PREFIX]))]
}
