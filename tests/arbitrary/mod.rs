//! Arbitrary configurations and requests, made of what the rules tell apart.

mod request;
mod setting;

pub(crate) use request::{lines, request};
pub(crate) use setting::{Setting, setting};

pub(crate) const ACTIVE: &str = "proxy-EXAMPLE-active";
pub(crate) const SECOND: &str = "proxy-EXAMPLE-second";
pub(crate) const DISABLED: &str = "proxy-EXAMPLE-disabled";
pub(crate) const EXPIRED: &str = "proxy-EXAMPLE-expired";
pub(crate) const ANTHROPIC_KEY: &str = "sk-ant-api03-EXAMPLE";
pub(crate) const OPENAI_KEY: &str = "sk-EXAMPLE-openai";
pub(crate) const OTHER_KEY: &str = "AIzaEXAMPLE";
pub(crate) const OAUTH_TOKEN: &str = "sk-ant-oat01-EXAMPLE";
pub(crate) const UNKNOWN: &str = "guess-EXAMPLE";
