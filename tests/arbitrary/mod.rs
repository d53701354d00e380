//! Arbitrary configurations and requests, made of what the rules tell apart.

mod request;
mod setting;

pub(crate) use request::{identity, lines, request};
pub(crate) use setting::{Setting, setting};

pub(crate) const ACTIVE: &str = "proxy-EXAMPLE-active";
pub(crate) const SECOND: &str = "proxy-EXAMPLE-second";
pub(crate) const DISABLED: &str = "proxy-EXAMPLE-disabled";
pub(crate) const EXPIRED: &str = "proxy-EXAMPLE-expired";
/// A proxy key that looks like a provider's.
pub(crate) const LOOKALIKE: &str = "sk-ant-api03-EXAMPLE-proxy";
pub(crate) const OAUTH_TOKEN: &str = "sk-ant-oat01-EXAMPLE";
/// A token that Envoy may have verified.
pub(crate) const IDENTITY_TOKEN: &str = "eyJEXAMPLE.of-envoy";
pub(crate) const UNKNOWN: &str = "guess-EXAMPLE";
/// Of nobody in particular, and as long as a key must be.
pub(crate) const LONG_ENOUGH: &str = "16-EXAMPLE-bytes";
pub(crate) const TOO_SHORT: &str = "15-EXAMPLE-byte";
/// Keys that clients may have: of each vendor that the rules tell apart, of nobody at all, placeholders.
pub(crate) const CLIENT_KEYS: [&str; 16] = [
    "sk-ant-api03-EXAMPLE",
    "sk-EXAMPLE-openai",
    "sk-proj-EXAMPLE",
    "ek_EXAMPLE",
    "eyJEXAMPLE.eyJEXAMPLE.EXAMPLE",
    "AIzaEXAMPLE-of-google",
    "ya29.EXAMPLE-of-google",
    "ABSKEXAMPLE",
    "bedrock-api-key-EXAMPLE",
    "gsk_EXAMPLE-of-groq",
    "sk_EXAMPLE",
    "sk-or-v1-EXAMPLE-openrouter",
    "sk-ant-admin01-EXAMPLE",
    "sk-bf-EXAMPLE-of-a-gateway",
    "github_pat_EXAMPLE",
    "dummy",
];
