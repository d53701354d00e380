//! Prefixes by which a credential is known to be one vendor's, and those of credentials that belong to no API.

/// A prefix that only one vendor's credentials have.
struct Unmistakable {
    prefix: &'static str,
    vendor: &'static str,
}

const fn of(vendor: &'static str, prefix: &'static str) -> Unmistakable {
    Unmistakable { prefix, vendor }
}

/// Each with its source: the vendor's word, or the rule of a secret scanner
/// ([gitleaks](https://github.com/gitleaks/gitleaks/tree/master/cmd/generate/config/rules) or
/// [TruffleHog](https://github.com/trufflesecurity/trufflehog/tree/main/pkg/detectors)).
const UNMISTAKABLE: &[Unmistakable] = &[
    of("anthropic", "sk-ant-"),    // gitleaks rule `anthropic-api-key`
    of("openai", "sk-proj-"),      // gitleaks rule `openai-api-key`
    of("openai", "sk-svcacct-"),   // gitleaks rule `openai-api-key`
    of("openai", "sk-service-"),   // TruffleHog detector `openai`
    of("openrouter", "sk-or-"),    // TruffleHog detector `openrouter`
    of("groq", "gsk_"),            // TruffleHog detector `groq`
    of("xai", "xai-"),             // TruffleHog detector `xai`
    of("perplexity", "pplx-"),     // gitleaks rule `perplexity-api-key`
    of("huggingface", "hf_"),      // gitleaks rule `huggingface-access-token`
    of("huggingface", "api_org_"), // gitleaks rule `huggingface-organization-api-token`
    of("nvidia", "nvapi-"),        // TruffleHog detector `nvapi`
    of("replicate", "r8_"),        // TruffleHog detector `replicate`
    of("google", "AIza"),          // gitleaks rule `gcp-api-key`
    of("google", "AQ."),           // Google, <https://discuss.ai.google.dev/t/gemini-api-key-start-from-aq/171575>
    of("google", "ya29."),         // TruffleHog detector `googleoauth2`
    of("aws", "ABSK"),             // gitleaks rule `aws-amazon-bedrock-api-key-long-lived`
    of("aws", "bedrock-api-key-"), // gitleaks rule `aws-amazon-bedrock-api-key-short-lived`
];

/// Administrators' keys, and keys of other gateways and tools: no API takes one for a model.
const OF_NO_API: &[&str] = &[
    "sk-ant-admin", // gitleaks rule `anthropic-admin-api-key`
    "sk-admin-",    // TruffleHog detector `openaiadmin`
    "sk-bf-",       // Bifrost: maximhq/bifrost, docs/features/governance/virtual-keys.mdx
    "sk-lf-",       // Langfuse: TruffleHog detector `langfuse`
    "lsv2_",        // LangSmith: TruffleHog detector `langsmith`
    "ghp_",         // gitleaks rule `github-pat`
    "gho_",         // gitleaks rule `github-oauth`
    "github_pat_",  // gitleaks rule `github-fine-grained-pat`
];

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
