//! What every configuration knows of vendors and gateways, whichever providers it has.

use super::{anthropic, openai};
use crate::model::{KeySource, Location};

/// The profile of a configuration that names no provider.
pub(crate) const DEFAULT_PROVIDER: &str = "anthropic";

/// Headers that carry credentials at some provider or gateway.
pub(crate) const CREDENTIAL_HEADERS: &[&str] = &[
    "authorization",
    "x-api-key",
    "api-key",
    "x-goog-api-key",
    "ocp-apim-subscription-key",
    "x-litellm-api-key",
    "litellm_user_api_key",
    "proxy-authorization",
    "x-amz-security-token",
];

/// Query parameters that carry credentials at some provider or gateway: Azure's `api-key`, and the `access_token` of
/// [RFC 6750, 2.3](https://www.rfc-editor.org/rfc/rfc6750#section-2.3).
pub(crate) const CREDENTIAL_PARAMETERS: &[&str] = &["api-key", "access_token"];

/// LiteLLM forwards a header of this prefix to the provider, without the prefix
/// (<https://docs.litellm.ai/docs/proxy/forward_client_headers>).
pub(crate) const PASS_THROUGH_HEADER_PREFIX: &[u8] = b"x-pass-";

/// How an item of `sec-websocket-protocol` starts that is a credential.
pub(crate) const WEBSOCKET_PREFIXES: &[&str] = &[openai::WEBSOCKET_PREFIX];

/// Prefixes of provider credentials, which are never proxy keys.
pub(crate) const NEVER_CANDIDATES: &[&str] = &[anthropic::OAUTH_TOKEN_PREFIX];

/// Prefixes of provider credentials, about which no verification service is asked.
pub(crate) const NEVER_LOOKED_UP: &[&str] = &[anthropic::PREFIX];

/// Prefixes by which a text is known for a secret, however short it is and whatever follows.
pub(crate) const SECRET_PREFIXES: &[&[u8]] = &[b"sk-", b"sk_", b"AIza", b"ya29."];

/// The key sources of a configuration that lists none, before those of its providers.
pub(crate) fn default_key_sources() -> Vec<KeySource> {
    let header = |name: &str| Location::Header(name.into());
    vec![
        KeySource::new(header("x-litellm-api-key"), None),
        KeySource::new(header("authorization"), Some("Bearer".into())),
        KeySource::new(header("x-api-key"), None),
    ]
}
