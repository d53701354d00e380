//! What the documentation says of each API: where its clients' keys are, how they start, where a deployment key goes.

/// A header and the scheme before the credential; an empty scheme is none.
pub(super) type Header = (&'static str, &'static str);

/// One API.
pub(super) struct Api {
    pub(super) name: &'static str,
    /// Whose keys it takes; empty if nobody's in particular.
    pub(super) vendor: &'static str,
    /// Where clients' keys are, in order, with the scheme before them, and the header that they are moved to.
    pub(super) places: &'static [(Header, Option<Header>)],
    /// How clients' keys start; if empty, in any way.
    pub(super) prefixes: &'static [&'static str],
    pub(super) deployment: Header,
    /// Whether clients may send an OAuth token.
    pub(super) oauth: bool,
    /// Further key sources by default.
    pub(super) sources: &'static [&'static str],
    /// Headers that go with the client's credential alone.
    pub(super) companions: &'static [&'static str],
}

const BEARER: Header = ("authorization", "Bearer");
const X_API_KEY: Header = ("x-api-key", "");
const API_KEY: Header = ("api-key", "");
const GOOGLE: Header = ("x-goog-api-key", "");
const KEY: Header = ("query:key", "");
pub(super) const WEBSOCKET: &str = "websocket_protocol:openai-insecure-api-key.";

const PLAIN: Api = Api {
    name: "",
    vendor: "",
    places: &[(BEARER, None)],
    prefixes: &[],
    deployment: BEARER,
    oauth: false,
    sources: &[],
    companions: &[],
};

const APIS: [Api; 15] = [
    Api {
        name: "anthropic",
        vendor: "anthropic",
        places: &[(X_API_KEY, None), (BEARER, Some(X_API_KEY))],
        prefixes: &["sk-ant-"],
        deployment: X_API_KEY,
        oauth: true,
        ..PLAIN
    },
    Api { name: "anthropic_compatible", places: &[(X_API_KEY, None), (BEARER, None)], deployment: X_API_KEY, ..PLAIN },
    Api {
        name: "foundry",
        vendor: "microsoft",
        places: &[(API_KEY, None), (X_API_KEY, None), (BEARER, None)],
        deployment: API_KEY,
        ..PLAIN
    },
    Api {
        name: "openai",
        vendor: "openai",
        places: &[(BEARER, None), ((WEBSOCKET, ""), None)],
        prefixes: &["sk-", "ek_"],
        companions: &["openai-organization", "openai-project"],
        ..PLAIN
    },
    Api { name: "openai_compatible", places: &[(BEARER, None), (X_API_KEY, Some(BEARER))], ..PLAIN },
    Api { name: "chatgpt", vendor: "openai", prefixes: &["eyJ"], companions: &["chatgpt-account-id"], ..PLAIN },
    Api {
        name: "azure_openai",
        vendor: "microsoft",
        places: &[(API_KEY, None), (BEARER, None)],
        deployment: API_KEY,
        sources: &[WEBSOCKET],
        ..PLAIN
    },
    Api {
        name: "gemini",
        vendor: "google",
        places: &[(GOOGLE, None), (KEY, None), (BEARER, None)],
        deployment: GOOGLE,
        companions: &["x-goog-user-project"],
        ..PLAIN
    },
    Api {
        name: "vertex",
        vendor: "google",
        places: &[(BEARER, None), (GOOGLE, None), (KEY, None)],
        companions: &["x-goog-user-project"],
        ..PLAIN
    },
    Api { name: "bedrock", vendor: "aws", prefixes: &["ABSK", "bedrock-api-key-"], ..PLAIN },
    Api {
        name: "litellm",
        vendor: "anthropic",
        places: &[(X_API_KEY, None)],
        prefixes: &["sk-ant-"],
        deployment: ("x-litellm-api-key", ""),
        oauth: true,
        sources: &["api-key", "x-goog-api-key", "ocp-apim-subscription-key", WEBSOCKET],
        ..PLAIN
    },
    Api { name: "custom", places: &[], ..PLAIN },
    Api { name: "groq", vendor: "groq", prefixes: &["gsk_"], ..PLAIN },
    Api {
        name: "elevenlabs",
        vendor: "elevenlabs",
        places: &[(("xi-api-key", ""), None)],
        prefixes: &["sk_"],
        deployment: ("xi-api-key", ""),
        ..PLAIN
    },
    Api {
        name: "deepgram",
        vendor: "deepgram",
        places: &[(("authorization", "Token"), None)],
        deployment: ("authorization", "Token"),
        ..PLAIN
    },
];

/// Prefixes of credentials, with the vendor that may receive them; of those with none, nobody may.
const OWNERS: [(&str, &str); 25] = [
    ("sk-ant-", "anthropic"),
    ("sk-proj-", "openai"),
    ("sk-svcacct-", "openai"),
    ("sk-service-", "openai"),
    ("sk-or-", "openrouter"),
    ("gsk_", "groq"),
    ("xai-", "xai"),
    ("pplx-", "perplexity"),
    ("hf_", "huggingface"),
    ("api_org_", "huggingface"),
    ("nvapi-", "nvidia"),
    ("r8_", "replicate"),
    ("AIza", "google"),
    ("AQ.", "google"),
    ("ya29.", "google"),
    ("ABSK", "aws"),
    ("bedrock-api-key-", "aws"),
    ("sk-ant-admin", "nobody"),
    ("sk-admin-", "nobody"),
    ("sk-bf-", "nobody"),
    ("sk-lf-", "nobody"),
    ("lsv2_", "nobody"),
    ("ghp_", "nobody"),
    ("gho_", "nobody"),
    ("github_pat_", "nobody"),
];

/// The API of that name.
pub(super) fn api(name: &str) -> &'static Api {
    const ALL: &[Api] = &APIS;
    ALL.iter().find(|api| api.name == name).expect("an API of the documentation")
}

/// Tells whether a credential is another vendor's by its prefix, or nobody's, and the configuration names no such prefix.
pub(super) fn belongs_to_another(secret: &[u8], vendor: &str, named: &[String]) -> bool {
    let lifted =
        |prefix: &str| named.iter().any(|name| name.starts_with(prefix) && secret.starts_with(name.as_bytes()));
    OWNERS.iter().any(|(prefix, owner)| secret.starts_with(prefix.as_bytes()) && *owner != vendor && !lifted(prefix))
}
