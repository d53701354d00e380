//! The rows of the comparison: what the client sends, and what must reach the provider.

/// How LiteLLM and the filter are configured.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Setting {
    /// `forward_llm_provider_auth_headers` is on.
    Flag,
    NoFlag,
    /// The flag is off, and the filter's provider says `oauth: true`.
    NoFlagButOauth,
}

/// One request. `-`: the row does not concern that way; `… LiteLLM`: it was LiteLLM that refused.
pub(crate) struct Row {
    pub(crate) request: &'static str,
    pub(crate) path: &'static str,
    /// A model of LiteLLM's; a provider takes any.
    pub(crate) model: &'static str,
    pub(crate) setting: Setting,
    pub(crate) headers: &'static [(&'static str, &'static str)],
    /// LiteLLM without the filter, as seen with the version that is installed; only leaks of `M` are held to it.
    pub(crate) alone: &'static str,
    pub(crate) alone_leaks: bool,
    pub(crate) kept: &'static str,
    pub(crate) exchanged: &'static str,
    pub(crate) direct: &'static str,
    /// Why LiteLLM makes something else of what the filter sends it.
    pub(crate) note: &'static str,
}

impl Row {
    /// What the client sends as `anthropic-beta`.
    pub(crate) fn beta(&self) -> Option<&'static str> {
        self.headers.iter().find(|(name, _)| *name == "anthropic-beta").map(|(_, value)| *value)
    }
}

const MESSAGES: Row = Row {
    request: "",
    path: "/v1/messages",
    model: "claude",
    setting: Setting::Flag,
    headers: &[],
    alone: "-",
    alone_leaks: false,
    kept: "-",
    exchanged: "-",
    direct: "-",
    note: "",
};

const COMPLETIONS: Row = Row { path: "/v1/chat/completions", model: "gpt", ..MESSAGES };

pub(crate) const ROWS: &[Row] = &[
    Row {
        request: "M in x-litellm-api-key, K in x-api-key",
        headers: &[("x-litellm-api-key", "M"), ("x-api-key", "K")],
        alone: "K",
        kept: "K",
        exchanged: "K",
        direct: "K",
        ..MESSAGES
    },
    Row {
        request: "M in Authorization, K in x-api-key",
        headers: &[("authorization", "Bearer M"), ("x-api-key", "K")],
        alone: "K",
        kept: "K",
        exchanged: "K",
        direct: "K",
        ..MESSAGES
    },
    Row {
        request: "M in x-litellm-api-key, O in Authorization",
        headers: &[
            ("x-litellm-api-key", "M"),
            ("authorization", "Bearer O"),
            ("anthropic-beta", "claude-code-20250219"),
        ],
        alone: "O",
        kept: "O",
        exchanged: "O",
        direct: "O",
        ..MESSAGES
    },
    Row {
        request: "M, O and K together",
        headers: &[("x-litellm-api-key", "M"), ("authorization", "Bearer O"), ("x-api-key", "K")],
        alone: "O",
        kept: "O",
        exchanged: "O",
        direct: "O",
        ..MESSAGES
    },
    Row {
        request: "M, O in x-api-key",
        headers: &[("x-litellm-api-key", "M"), ("x-api-key", "O")],
        alone: "O",
        kept: "O",
        exchanged: "O",
        direct: "O",
        ..MESSAGES
    },
    Row {
        request: "M alone in x-litellm-api-key",
        headers: &[("x-litellm-api-key", "M")],
        alone: "D",
        kept: "D",
        exchanged: "D",
        direct: "D",
        ..MESSAGES
    },
    Row {
        request: "M alone in Authorization",
        headers: &[("authorization", "Bearer M")],
        alone: "D",
        kept: "D",
        exchanged: "D",
        direct: "D",
        ..MESSAGES
    },
    Row {
        request: "M alone in x-api-key",
        headers: &[("x-api-key", "M")],
        alone: "D",
        kept: "D",
        exchanged: "D",
        direct: "D",
        ..MESSAGES
    },
    Row {
        request: "M alone, a key of the client's is required",
        path: "/byok-only/v1/messages",
        headers: &[("x-litellm-api-key", "M")],
        direct: "401",
        ..MESSAGES
    },
    Row {
        request: "M twice (Claude Code's apiKeyHelper)",
        headers: &[("authorization", "Bearer M"), ("x-api-key", "M")],
        alone: "M",
        alone_leaks: true,
        kept: "D",
        exchanged: "D",
        direct: "D",
        ..MESSAGES
    },
    Row {
        request: "empty x-litellm-api-key, M in x-api-key",
        headers: &[("x-litellm-api-key", ""), ("x-api-key", "M")],
        alone: "M",
        alone_leaks: true,
        kept: "D",
        exchanged: "D",
        direct: "D",
        ..MESSAGES
    },
    Row {
        request: "empty Authorization, M in x-api-key",
        headers: &[("authorization", ""), ("x-api-key", "M")],
        alone: "M",
        alone_leaks: true,
        kept: "D",
        exchanged: "D",
        direct: "D",
        ..MESSAGES
    },
    Row {
        request: "M, empty x-api-key",
        headers: &[("x-litellm-api-key", "M"), ("x-api-key", "")],
        alone: "E",
        kept: "D",
        exchanged: "D",
        direct: "D",
        ..MESSAGES
    },
    Row {
        request: "M in api-key, K in x-api-key",
        headers: &[("api-key", "M"), ("x-api-key", "K")],
        alone: "D",
        kept: "D",
        exchanged: "K",
        direct: "K",
        note: "LiteLLM takes M out of api-key, and then forwards no key",
        ..MESSAGES
    },
    Row {
        request: "M in a header of the company's, K in x-api-key",
        headers: &[("x-company-key", "M"), ("x-api-key", "K")],
        direct: "K",
        ..MESSAGES
    },
    Row {
        request: "M, a dummy in x-api-key",
        headers: &[("x-litellm-api-key", "M"), ("x-api-key", "dummy")],
        alone: "dummy",
        kept: "D",
        exchanged: "D",
        direct: "D",
        ..MESSAGES
    },
    Row {
        request: "O in Authorization, M in x-api-key (Claude Desktop)",
        headers: &[("authorization", "Bearer O"), ("x-api-key", "M")],
        alone: "400",
        kept: "400 LiteLLM",
        exchanged: "O",
        direct: "O",
        note: "LiteLLM looks at Authorization before x-api-key, and takes O for its key",
        ..MESSAGES
    },
    Row {
        request: "bad x-litellm-api-key, M in Authorization",
        headers: &[("x-litellm-api-key", "guess"), ("authorization", "Bearer M")],
        alone: "400",
        kept: "D",
        exchanged: "D",
        direct: "D",
        ..MESSAGES
    },
    Row {
        request: "BEARER M",
        headers: &[("authorization", "BEARER M")],
        alone: "401",
        kept: "401 LiteLLM",
        exchanged: "D",
        direct: "D",
        note: "the kept key goes as it came, and LiteLLM knows no scheme but `Bearer ` with one blank",
        ..MESSAGES
    },
    Row {
        request: "Bearer, two blanks, M",
        headers: &[("authorization", "Bearer  M")],
        alone: "400",
        kept: "400 LiteLLM",
        exchanged: "D",
        direct: "D",
        note: "the same",
        ..MESSAGES
    },
    Row {
        request: "two x-api-key lines: M, K",
        headers: &[("x-api-key", "M"), ("x-api-key", "K")],
        alone: "D",
        kept: "400",
        exchanged: "400",
        direct: "400",
        ..MESSAGES
    },
    Row {
        request: "two x-api-key lines: K, M",
        headers: &[("x-api-key", "K"), ("x-api-key", "M")],
        alone: "400",
        kept: "400",
        exchanged: "400",
        direct: "400",
        ..MESSAGES
    },
    Row {
        request: "M, K, to OpenAI",
        headers: &[("x-litellm-api-key", "M"), ("x-api-key", "K")],
        alone: "authorization: Bearer K",
        kept: "D",
        exchanged: "D",
        direct: "D",
        ..COMPLETIONS
    },
    Row {
        request: "M, K as Bearer, to OpenAI",
        headers: &[("x-litellm-api-key", "M"), ("authorization", "Bearer K")],
        alone: "D",
        kept: "D",
        exchanged: "D",
        direct: "D",
        ..COMPLETIONS
    },
    Row {
        request: "M, O, to OpenAI",
        headers: &[("x-litellm-api-key", "M"), ("authorization", "Bearer O")],
        alone: "D",
        kept: "D",
        exchanged: "D",
        direct: "D",
        ..COMPLETIONS
    },
    Row {
        request: "M, K, a model of OpenAI's on /v1/messages",
        model: "gpt",
        headers: &[("x-litellm-api-key", "M"), ("x-api-key", "K")],
        alone: "authorization: Bearer K",
        kept: "authorization: Bearer K",
        exchanged: "authorization: Bearer K",
        note: "LiteLLM picks the provider by the body, which the filter does not read",
        ..MESSAGES
    },
    Row {
        request: "M, K, /anthropic/v1/messages",
        path: "/anthropic/v1/messages",
        headers: &[("x-litellm-api-key", "M"), ("x-api-key", "K")],
        alone: "E",
        kept: "E",
        exchanged: "E",
        direct: "K",
        note: "LiteLLM uses its own key here, whatever it is sent",
        ..MESSAGES
    },
    Row {
        request: "M, K, count_tokens",
        path: "/v1/messages/count_tokens",
        headers: &[("x-litellm-api-key", "M"), ("x-api-key", "K")],
        alone: "D",
        kept: "D",
        exchanged: "D",
        direct: "K",
        note: "the same",
        ..MESSAGES
    },
    Row {
        request: "M, pass-through with forward_headers",
        path: "/passthrough",
        headers: &[("authorization", "Bearer M"), ("x-pass-authorization", "Bearer M"), ("x-tenant", "one")],
        alone: "authorization: Bearer M + x-pass-authorization: Bearer M + D",
        alone_leaks: true,
        kept: "D",
        exchanged: "D",
        direct: "D",
        ..MESSAGES
    },
    Row {
        request: "a wrong key",
        headers: &[("x-litellm-api-key", "guess")],
        alone: "400",
        kept: "401",
        exchanged: "401",
        direct: "401",
        ..MESSAGES
    },
    Row { request: "no key", alone: "401", kept: "401", exchanged: "401", direct: "401", ..MESSAGES },
    Row {
        request: "M, O, the flag off",
        setting: Setting::NoFlag,
        headers: &[("x-litellm-api-key", "M"), ("authorization", "Bearer O")],
        alone: "O",
        kept: "D",
        direct: "D",
        ..MESSAGES
    },
    Row {
        request: "M, O, the flag off, but oauth said",
        setting: Setting::NoFlagButOauth,
        headers: &[("x-litellm-api-key", "M"), ("authorization", "Bearer O")],
        alone: "O",
        kept: "O",
        direct: "O",
        ..MESSAGES
    },
    Row {
        request: "M, K, the flag off",
        setting: Setting::NoFlag,
        headers: &[("x-litellm-api-key", "M"), ("x-api-key", "K")],
        alone: "D",
        kept: "D",
        direct: "D",
        ..MESSAGES
    },
];
