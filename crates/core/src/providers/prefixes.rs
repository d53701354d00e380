//! Prefixes by which a credential is known to be one vendor's, and those of credentials that belong to no API.

/// A prefix that only one vendor's credentials have.
struct Unmistakable {
    prefix: &'static str,
    vendor: &'static str,
}

const fn of(vendor: &'static str, prefix: &'static str) -> Unmistakable {
    Unmistakable { prefix, vendor }
}

/// SOURCES
const UNMISTAKABLE: &[Unmistakable] = &[
    of("anthropic", "sk-ant-"),
    of("openai", "sk-proj-"),
    of("openai", "sk-svcacct-"),
    of("openai", "sk-service-"),
    of("openrouter", "sk-or-"),
    of("groq", "gsk_"),
    of("xai", "xai-"),
    of("perplexity", "pplx-"),
    of("huggingface", "hf_"),
    of("huggingface", "api_org_"),
    of("nvidia", "nvapi-"),
    of("replicate", "r8_"),
    of("google", "AIza"),
    of("google", "AQ."),
    of("google", "ya29."),
    of("aws", "ABSK"),
    of("aws", "bedrock-api-key-"),
];

/// Administrators' keys, and keys of other gateways and tools: no API takes one for a model.
const OF_NO_API: &[&str] = &["sk-ant-admin", "sk-admin-", "sk-bf-", "sk-lf-", "lsv2_", "ghp_", "gho_", "github_pat_"];

/// Returns the prefixes by which a credential is known to be some vendor's, so that no verification service is asked about
/// it.
pub(crate) fn never_looked_up() -> Vec<&'static str> {
    UNMISTAKABLE.iter().map(|one| one.prefix).collect()
}

/// Returns the prefixes of credentials that a vendor's API must not receive.
pub(crate) fn foreign_to(vendor: Option<&str>) -> Vec<&'static str> {
    let of_others = UNMISTAKABLE.iter().filter(|one| Some(one.vendor) != vendor).map(|one| one.prefix);
    of_others.chain(OF_NO_API.iter().copied()).collect()
}
