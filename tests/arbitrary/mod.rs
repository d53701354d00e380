//! Arbitrary configurations and requests, made of what the rules tell apart.

mod request;
mod setting;

pub(crate) use request::{lines, request};
pub(crate) use setting::{Setting, setting};

pub(crate) const ACTIVE: &str = "proxy-EXAMPLE-active";
pub(crate) const SECOND: &str = "proxy-EXAMPLE-second";
pub(crate) const DISABLED: &str = "proxy-EXAMPLE-disabled";
pub(crate) const EXPIRED: &str = "proxy-EXAMPLE-expired";
/// A proxy key that looks like a provider's.
pub(crate) const LOOKALIKE: &str = "sk-ant-api03-EXAMPLE-proxy";
pub(crate) const OAUTH_TOKEN: &str = "sk-ant-oat01-EXAMPLE";
pub(crate) const UNKNOWN: &str = "guess-EXAMPLE";
/// Keys that clients may have: of each vendor that the rules tell apart, of nobody in particular, of nobody at all.
pub(crate) const CLIENT_KEYS: [&str; 18] = [
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
    "16-EXAMPLE-bytes",
    "15-EXAMPLE-byte",
    "dummy",
];
