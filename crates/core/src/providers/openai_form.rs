//! Vendors whose APIs have the form of OpenAI's: one row each.

use super::{Profile, api_key, bearer_header, header, with_scheme};
use crate::model::{Dialect, UpstreamHeader};

/// What distinguishes one of these vendors.
pub(super) struct Vendor {
    pub(super) name: &'static str,
    /// How its keys start; if empty, in any way.
    pub(super) prefixes: &'static [&'static str],
    /// Where they are.
    place: Place,
}

enum Place {
    /// With a scheme in `authorization`.
    Authorization(&'static str),
    /// In a header of their own.
    Header(&'static str),
}

const fn bearer(name: &'static str, prefixes: &'static [&'static str]) -> Vendor {
    Vendor { name, prefixes, place: Place::Authorization("Bearer") }
}

/// SOURCES
pub(super) const VENDORS: &[Vendor] = &[
    bearer("xai", &["xai-"]),
    bearer("groq", &["gsk_"]),
    bearer("openrouter", &["sk-or-"]),
    bearer("perplexity", &["pplx-"]),
    bearer("huggingface", &["hf_", "api_org_"]),
    bearer("nvidia", &["nvapi-"]),
    bearer("replicate", &["r8_"]),
    bearer("databricks", &["dapi"]),
    bearer("deepseek", &["sk-"]),
    bearer("mistral", &[]),
    bearer("cohere", &[]),
    bearer("together", &[]),
    bearer("fireworks", &[]),
    bearer("cerebras", &[]),
    bearer("moonshot", &[]),
    bearer("zhipu", &[]),
    bearer("qwen", &[]),
    Vendor { name: "elevenlabs", prefixes: &["sk_"], place: Place::Header("xi-api-key") },
    Vendor { name: "deepgram", prefixes: &[], place: Place::Authorization("Token") },
];

pub(super) fn profile(name: &str) -> Option<Profile> {
    let vendor = VENDORS.iter().find(|vendor| vendor.name == name)?;
    let (rule, deployment_header) = match vendor.place {
        Place::Authorization("Bearer") => (super::bearer(vendor.prefixes), bearer_header()),
        Place::Authorization(scheme) => (
            with_scheme(scheme, vendor.prefixes),
            UpstreamHeader { name: "authorization".into(), scheme: Some(scheme.into()) },
        ),
        Place::Header(name) => (api_key(name, vendor.prefixes), header(name)),
    };
    Some(Profile {
        rules: vec![rule],
        extra_sources: Vec::new(),
        vendor: Some(vendor.name),
        companions: &[],
        deployment_header,
        is_gateway: false,
        dialect: Dialect::OpenAi,
    })
}
