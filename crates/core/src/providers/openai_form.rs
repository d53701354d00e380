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

/// The sources of the prefixes that only one vendor has are at `prefixes.rs`; the comments here are of the places,
/// and of the other prefixes: the vendor's documentation, a client, or the detector of
/// [TruffleHog](https://github.com/trufflesecurity/trufflehog/tree/main/pkg/detectors) that asks the API.
pub(super) const VENDORS: &[Vendor] = &[
    bearer("xai", &["xai-"]),                    // TruffleHog detector `xai`
    bearer("groq", &["gsk_"]),                   // TruffleHog detector `groq`
    bearer("openrouter", &["sk-or-"]),           // TruffleHog detector `openrouter`
    bearer("perplexity", &["pplx-"]),            // vercel/ai, packages/perplexity
    bearer("huggingface", &["hf_", "api_org_"]), // TruffleHog detector `huggingface`
    bearer("nvidia", &["nvapi-"]),               // langchain-ai/langchain-nvidia, libs/ai-endpoints
    bearer("replicate", &["r8_"]),               // <https://replicate.com/changelog/2024-04-03-bearer-tokens>
    bearer("databricks", &["dapi"]), // gitleaks rule `databricks-api-token`, TruffleHog detector `databrickstoken`
    bearer("deepseek", &["sk-"]),    // TruffleHog detector `deepseek`: the prefix and the place
    bearer("mistral", &[]),          // vercel/ai, packages/mistral
    bearer("cohere", &[]),           // BerriAI/litellm, litellm/llms/cohere/common_utils.py
    bearer("together", &[]),         // <https://docs.together.ai/docs/inference/openai-compatibility>
    bearer("fireworks", &[]),        // <https://fireworks.ai/docs/api-reference/get-secret>
    bearer("cerebras", &[]),         // <https://inference-docs.cerebras.ai/api-reference/authentication>
    bearer("moonshot", &[]),         // vercel/ai, packages/moonshotai
    bearer("zhipu", &[]),            // <https://docs.z.ai/guides/develop/http/introduction>
    bearer("qwen", &[]),             // vercel/ai, packages/alibaba
    // TruffleHog detector `elevenlabs`, version 2: the prefix and the header.
    Vendor { name: "elevenlabs", prefixes: &["sk_"], place: Place::Header("xi-api-key") },
    // <https://developers.deepgram.com/reference/authentication>
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
