//! The providers of LiteLLM, as data: what the filter calls them, and where LiteLLM finds their keys and serves them.

/// A provider as LiteLLM 1.109.1 knows it.
pub(super) struct Vendor {
    /// Its names in LiteLLM (`LlmProviders` in `litellm/types/utils.py`).
    names: &'static [&'static str],
    /// A part of the names of the models that the entry is for; empty for all.
    models: &'static str,
    /// The name of the provider.
    name: &'static str,
    /// The filter's profile.
    profile: &'static str,
    /// The environment variables that LiteLLM takes the key from if a model has no `api_key`, in this order
    /// (`litellm/llms/` and `litellm/litellm_core_utils/get_llm_provider_logic.py`).
    pub(super) variables: &'static [&'static str],
    /// The paths at which LiteLLM serves its API (`LiteLLMRoutes` in `litellm/proxy/_types.py`).
    paths: &'static [&'static str],
    /// How else LiteLLM signs in, which the filter can't.
    pub(super) other_credentials: Option<&'static str>,
    /// What applies at an `api_base` that is not the vendor's own.
    elsewhere: Option<Elsewhere>,
}

/// Servers whose API has the form of a vendor's.
struct Elsewhere {
    /// The vendor's own host, which the servers are not at.
    own_host: &'static str,
    profile: &'static str,
    paths: &'static [&'static str],
}

const ANTHROPIC: &[&str] = &["/v1/messages", "/anthropic"];
/// The API of OpenAI's form, which LiteLLM serves with and without `/v1`, and last the path to OpenAI itself.
const OPENAI_AND_OWN: &[&str] = &[
    "/v1/chat/completions",
    "/chat/completions",
    "/v1/completions",
    "/completions",
    "/v1/responses",
    "/responses",
    "/v1/embeddings",
    "/embeddings",
    "/v1/images",
    "/images",
    "/v1/audio",
    "/audio",
    "/openai",
];
const OPENAI: &[&str] = match OPENAI_AND_OWN.split_last() {
    Some((_, of_any_vendor)) => of_any_vendor,
    None => OPENAI_AND_OWN,
};

/// Servers of OpenAI's form that are not at that host.
const fn openai_form_outside(own_host: &'static str) -> Option<Elsewhere> {
    Some(Elsewhere { own_host, profile: "openai_compatible", paths: OPENAI })
}

const fn of(
    names: &'static [&'static str],
    profile: &'static str,
    variables: &'static [&'static str],
    paths: &'static [&'static str],
) -> Vendor {
    Vendor { names, models: "", name: profile, profile, variables, paths, other_credentials: None, elsewhere: None }
}

const VENDORS: &[Vendor] = &[
    Vendor {
        elsewhere: Some(Elsewhere {
            own_host: "anthropic.com",
            profile: "anthropic_compatible",
            paths: &["/v1/messages"],
        }),
        ..of(&["anthropic"], "anthropic", &["ANTHROPIC_API_KEY"], ANTHROPIC)
    },
    Vendor {
        elsewhere: openai_form_outside("openai.com"),
        ..of(&["openai", "text-completion-openai"], "openai", &["OPENAI_API_KEY"], OPENAI_AND_OWN)
    },
    Vendor {
        other_credentials: Some("Microsoft Entra ID"),
        ..of(
            &["azure", "azure_text"],
            "azure_openai",
            &["AZURE_OPENAI_API_KEY", "AZURE_API_KEY"],
            &["/openai/deployments", "/azure"],
        )
    },
    Vendor { models: "claude", ..of(&["azure_ai"], "foundry", &["AZURE_AI_API_KEY"], &["/azure_ai"]) },
    Vendor { name: "azure_ai", ..of(&["azure_ai"], "azure_openai", &["AZURE_AI_API_KEY"], &["/azure_ai"]) },
    of(&["gemini"], "gemini", &["GOOGLE_API_KEY", "GEMINI_API_KEY"], &["/v1beta", "/gemini"]),
    Vendor {
        other_credentials: Some("Google's credentials"),
        ..of(&["vertex_ai", "vertex_ai_beta"], "vertex", &[], &["/vertex_ai", "/vertex-ai"])
    },
    Vendor {
        other_credentials: Some("a signature with AWS credentials"),
        ..of(&["bedrock", "bedrock_converse"], "bedrock", &["AWS_BEARER_TOKEN_BEDROCK"], &["/bedrock"])
    },
    of(&["litellm_proxy"], "litellm", &["LITELLM_PROXY_API_KEY"], &[]),
    Vendor {
        name: "hosted_vllm",
        elsewhere: openai_form_outside(""),
        ..of(&["hosted_vllm"], "openai_compatible", &["HOSTED_VLLM_API_KEY"], OPENAI)
    },
    Vendor {
        name: "openai_like",
        elsewhere: openai_form_outside(""),
        ..of(&["openai_like", "custom_openai"], "openai_compatible", &["OPENAI_LIKE_API_KEY"], OPENAI)
    },
    of(&["chatgpt"], "chatgpt", &[], OPENAI),
    of(&["xai"], "xai", &["XAI_API_KEY"], OPENAI),
    of(&["groq"], "groq", &["GROQ_API_KEY"], OPENAI),
    of(&["openrouter"], "openrouter", &["OPENROUTER_API_KEY", "OR_API_KEY"], OPENAI),
    of(&["perplexity"], "perplexity", &["PERPLEXITYAI_API_KEY", "PERPLEXITY_API_KEY"], OPENAI),
    of(&["huggingface"], "huggingface", &["HUGGINGFACE_API_KEY"], OPENAI),
    of(&["nvidia_nim"], "nvidia", &["NVIDIA_NIM_API_KEY"], OPENAI),
    of(&["replicate"], "replicate", &["REPLICATE_API_KEY", "REPLICATE_API_TOKEN"], OPENAI),
    of(&["databricks"], "databricks", &["DATABRICKS_API_KEY"], OPENAI),
    of(&["deepseek"], "deepseek", &["DEEPSEEK_API_KEY"], OPENAI),
    of(&["mistral"], "mistral", &["MISTRAL_API_KEY"], OPENAI),
    of(&["cohere", "cohere_chat"], "cohere", &["COHERE_API_KEY", "CO_API_KEY"], &["/cohere", "/v1/rerank", "/rerank"]),
    of(&["together_ai"], "together", &["TOGETHER_API_KEY", "TOGETHER_AI_API_KEY", "TOGETHERAI_API_KEY"], OPENAI),
    of(&["fireworks_ai"], "fireworks", &["FIREWORKS_API_KEY", "FIREWORKS_AI_API_KEY", "FIREWORKSAI_API_KEY"], OPENAI),
    of(&["cerebras"], "cerebras", &["CEREBRAS_API_KEY"], OPENAI),
    of(&["moonshot"], "moonshot", &["MOONSHOT_API_KEY"], OPENAI),
    of(&["zai"], "zhipu", &["ZAI_API_KEY"], OPENAI),
    of(&["dashscope"], "qwen", &["DASHSCOPE_API_KEY"], OPENAI),
    of(&["elevenlabs"], "elevenlabs", &["ELEVENLABS_API_KEY"], &["/v1/audio", "/audio"]),
    of(&["deepgram"], "deepgram", &["DEEPGRAM_API_KEY"], &["/v1/audio", "/audio"]),
];

/// The start of a model's name without a provider, and the provider.
const MODELS: [(&str, &str); 6] = [
    ("claude", "anthropic"),
    ("gpt-", "openai"),
    ("o1", "openai"),
    ("o3", "openai"),
    ("o4", "openai"),
    ("text-embedding-", "openai"),
];

/// Returns LiteLLM's name for the provider of a model; empty if the model does not name one.
pub(super) fn name_of<'a>(model: &'a str, custom_provider: &'a str) -> &'a str {
    if !custom_provider.is_empty() {
        return custom_provider;
    }
    let known = || MODELS.iter().find(|(start, _)| model.starts_with(start)).map_or("", |(_, name)| name);
    model.split_once('/').map_or_else(known, |(name, _)| name)
}

/// Returns the provider that LiteLLM calls so and that serves the model.
pub(super) fn find(name: &str, model: &str) -> Option<&'static Vendor> {
    VENDORS.iter().find(|vendor| vendor.names.contains(&name) && model.contains(vendor.models))
}

/// What a model of a vendor leads to.
#[derive(Debug, PartialEq)]
pub(super) struct Target {
    /// The name of the provider.
    pub(super) name: String,
    pub(super) profile: &'static str,
    pub(super) paths: &'static [&'static str],
}

impl Vendor {
    /// Returns what a model with that `api_base` leads to: a vendor's key must not arrive at somebody else's address.
    pub(super) fn at(&self, api_base: Option<&str>) -> Target {
        let own = || Target { name: self.name.to_owned(), profile: self.profile, paths: self.paths };
        let Some((Elsewhere { own_host, profile, paths }, address)) = self.elsewhere.as_ref().zip(api_base) else {
            return own();
        };
        let is_name = |host: &&str| host.bytes().all(|byte| byte.is_ascii_alphanumeric() || b".-_".contains(&byte));
        let host = host_of(address).filter(is_name);
        let is_own =
            |host: &str| host.strip_suffix(own_host).is_some_and(|rest| rest.is_empty() || rest.ends_with('.'));
        if host.is_some_and(is_own) {
            return own();
        }
        Target { name: host.unwrap_or(profile).to_owned(), profile, paths }
    }
}

/// Returns the host of an address, without its port; `None` if it is in a variable.
fn host_of(address: &str) -> Option<&str> {
    let (_, rest) = address.split_once("://")?;
    let authority = rest.split(['/', '?', '#']).next()?;
    let host = authority.rsplit('@').next()?.split(':').next()?;
    (!host.is_empty() && host.len() <= 128).then_some(host)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_profile_is_one_of_the_filters() {
        for vendor in VENDORS {
            let json = format!(r#"{{ "mode": "off", "providers": {{ "{0}": {{ "api": "{0}" }} }} }}"#, vendor.profile);
            assert!(byok_core::Policy::from_json(json.as_bytes(), &|_| None).is_ok(), "{}", vendor.profile);
        }
    }

    #[test]
    fn a_vendors_own_profile_is_for_its_own_hosts() {
        let at = |name: &str, base: &str| {
            let Target { name, profile, .. } = find(name, "").unwrap().at(Some(base));
            (name, profile)
        };
        let openai = ("openai".to_owned(), "openai");
        assert_eq!(at("openai", "https://api.openai.com/v1"), openai);
        assert_eq!(at("openai", "https://eu.api.openai.com:443"), openai);
        assert_eq!(at("openai", "https://notopenai.com/v1"), ("notopenai.com".to_owned(), "openai_compatible"));
        assert_eq!(at("openai", "https://openai.com@vllm:8000"), ("vllm".to_owned(), "openai_compatible"));
        assert_eq!(at("anthropic", "os.environ/BASE"), ("anthropic_compatible".to_owned(), "anthropic_compatible"));
        assert_eq!(at("groq", "https://groq.example.com"), ("groq".to_owned(), "groq"));
        assert_eq!(at("hosted_vllm", "http://gpu-1:8000/v1"), ("gpu-1".to_owned(), "openai_compatible"));
    }

    #[test]
    fn a_models_name_leads_to_its_provider() {
        assert_eq!(name_of("groq/llama", ""), "groq");
        assert_eq!(name_of("groq/llama", "openai"), "openai");
        assert_eq!(name_of("claude-sonnet-4-5", ""), "anthropic");
        assert_eq!(name_of("llama", ""), "");
        assert_eq!(find("azure_ai", "azure_ai/claude-opus-4-1").unwrap().profile, "foundry");
        assert_eq!(find("azure_ai", "azure_ai/grok").unwrap().profile, "azure_openai");
    }
}
