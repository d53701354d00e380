//! What every configuration knows of vendors and gateways, whichever providers it has.

use super::{PROFILES, anthropic, openai, openai_form};
use crate::model::{Beta, KeySource, Location};

/// The profile of a configuration that names no provider.
pub(crate) const DEFAULT_PROVIDER: &str = "anthropic";

/// Headers that carry credentials at some provider or gateway.
pub(crate) const CREDENTIAL_HEADERS: &[&str] = &[
    "authorization",               // RFC 9110, 11.6.2
    "x-api-key",                   // Anthropic, <https://docs.anthropic.com/en/api/overview>
    "api-key",                     // Azure OpenAI and Microsoft Foundry; LiteLLM's `SpecialHeaders`
    "x-goog-api-key",              // Gemini, <https://ai.google.dev/gemini-api/docs/api-key>
    "xi-api-key",                  // ElevenLabs: TruffleHog detector `elevenlabs`
    "ocp-apim-subscription-key",   // Azure API Management: LiteLLM's `SpecialHeaders`
    "x-litellm-api-key",           // LiteLLM's `SpecialHeaders` (`litellm/proxy/_types.py`)
    "litellm_user_api_key",        // BerriAI/litellm, `litellm/proxy/auth/user_api_key_auth.py`
    "proxy-authorization",         // RFC 9110, 11.7.2
    "x-amz-security-token",        // AWS SigV4: boto/botocore, botocore/auth.py
    "x-portkey-api-key",           // <https://portkey.ai/docs/api-reference/inference-api/headers>
    "x-bf-vk",                     // maximhq/bifrost, docs/features/governance/virtual-keys.mdx
    "helicone-auth",               // <https://docs.helicone.ai/helicone-headers/helicone-auth>
    "cf-aig-authorization",        // <https://developers.cloudflare.com/ai-gateway/configuration/authentication/>
    "x-coder-ai-governance-token", // coder/coder, coderd/aibridge/aibridge.go
    "x-gravitee-api-key",          // gravitee-io/gravitee-policy-apikey, README.adoc
];

/// Query parameters that carry credentials at some provider or gateway: Azure's `api-key` (openai/openai-node,
/// `src/realtime/websocket.ts`), and the `access_token` of
/// [RFC 6750, 2.3](https://www.rfc-editor.org/rfc/rfc6750#section-2.3).
pub(crate) const CREDENTIAL_PARAMETERS: &[&str] = &["api-key", "access_token"];

/// Prefixes of items of `sec-websocket-protocol` that are credentials: OpenAI's, and Vercel's for its AI Gateway
/// (vercel/ai, `packages/gateway/src/gateway-realtime-auth.ts`).
pub(crate) const CREDENTIAL_SUBPROTOCOLS: &[&str] = &[openai::WEBSOCKET_PREFIX, "ai-gateway-auth."];

/// LiteLLM forwards a header of this prefix to the provider, without the prefix
/// (<https://docs.litellm.ai/docs/proxy/forward_client_headers>).
pub(crate) const PASS_THROUGH_HEADER_PREFIX: &str = "x-pass-";

/// Schemes that precede a key in a header, and that somebody may have copied with it.
pub(crate) const SCHEMES: &[&str] = &["Bearer", "Basic", "Token"];

/// Prefixes of provider credentials, which are never proxy keys.
pub(crate) const NEVER_CANDIDATES: &[&str] = &[anthropic::OAUTH_TOKEN_PREFIX];

/// Features of APIs that only an OAuth token needs.
pub(crate) const OAUTH_BETAS: &[Beta] = &[anthropic::OAUTH_BETA];

/// Prefixes by which a text is known for a secret, however short it is and whatever follows.
pub(crate) const SECRET_PREFIXES: &[&[u8]] = &[b"sk-", b"sk_", b"AIza", b"ya29."];

/// Returns the key sources of a configuration that lists none, before those of its providers.
pub(crate) fn default_key_sources() -> Vec<KeySource> {
    let header = |name: &str| Location::Header(name.into());
    vec![
        KeySource::new(header("x-litellm-api-key"), None),
        KeySource::new(header("authorization"), Some("Bearer".into())),
        KeySource::new(header("x-api-key"), None),
    ]
}

/// Returns the profile that a provider's name suggests, if that is another vendor's than OpenAI: its keys start
/// differently, and `api: "openai"` drops them.
pub(crate) fn looks_like_another_vendor(provider: &str) -> Option<&'static str> {
    let own_files = PROFILES.iter().map(|(name, _)| *name).filter(|name| !name.starts_with("openai"));
    let rows = openai_form::VENDORS.iter().map(|vendor| vendor.name);
    own_files
        .chain(rows)
        .find(|name| provider.split(|c: char| !c.is_ascii_alphanumeric() && c != '_').any(|word| word == *name))
}
