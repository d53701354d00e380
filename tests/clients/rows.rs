//! The rows of the table: what a client is given, and what must come of it.

use crate::client::{
    ANTHROPIC_NODE, ANTHROPIC_PYTHON, AZURE, CLAUDE_CODE, CODEX, CURL, Client, GEMINI_CLI, GENAI, OPENAI_NODE,
    OPENAI_PYTHON,
};
use crate::credentials::Vendor;

/// One client, given credentials in one way; every call must end alike.
pub(crate) struct Row {
    pub(crate) client: Client,
    pub(crate) vendor: Vendor,
    /// Places, as the client calls them, and the letters of what they are given.
    pub(crate) given: Vec<(&'static str, &'static str)>,
    pub(crate) calls: Vec<&'static str>,
    /// The credentials that reach the provider.
    pub(crate) reached: &'static str,
    /// What the client shows; a call that is streamed must show an answer as it comes.
    shows: &'static str,
}

impl Row {
    /// The letters of what is given at that place.
    pub(crate) fn given(&self, place: &str) -> Option<&'static str> {
        self.given.iter().find(|(own, _)| *own == place).map(|(_, letters)| *letters)
    }

    /// What the client must show of that call.
    pub(crate) fn shows(&self, call: &str) -> &'static str {
        if self.shows == ANSWER && call.ends_with("streamed") { STREAMED } else { self.shows }
    }

    /// A name for the home directory of this row's process.
    pub(crate) fn home(&self) -> String {
        let given: String = self.given.iter().map(|(place, letters)| format!("-{place}-{letters}")).collect();
        let name = format!("{}{given}", self.client.name);
        name.chars().map(|one| if one.is_ascii_alphanumeric() { one } else { '-' }).collect()
    }
}

const ANSWER: &str = "answer";
const STREAMED: &str = "answer as it is streamed";
/// What reaches the provider of a request that is refused.
pub(crate) const NOTHING: &str = "nothing";
/// Of Codex and Gemini CLI.
const ERROR: &str = "an error with the filter's message";

/// All rows, a client's beside each other.
pub(crate) fn rows() -> Vec<Row> {
    let mut rows = claude_code_rows();
    for client in [ANTHROPIC_PYTHON, ANTHROPIC_NODE] {
        rows.extend(usual(client, Vendor::Anthropic, &MESSAGES));
        rows.extend(usual(client, Vendor::Anthropic, &BY_TOKEN));
    }
    for (client, error) in [(OPENAI_PYTHON, INVALID_STATUS), (OPENAI_NODE, REALTIME_ERROR)] {
        rows.extend(usual(client, Vendor::OpenAi, &CHAT_AND_RESPONSES));
        rows.extend(usual(client, Vendor::OpenAi, &Usual { calls: &["realtime"], error, ..CHAT_AND_RESPONSES }));
    }
    rows.extend(browser_rows());
    rows.extend(usual(AZURE, Vendor::Azure, &CHAT_OF_AZURE));
    rows.extend(usual(GENAI, Vendor::Gemini, &GENERATE_CONTENT));
    rows.extend(usual(CURL, Vendor::Anthropic, &BY_HAND));
    rows.extend(usual(CODEX, Vendor::OpenAi, &BY_CODEX));
    rows.extend(usual(GEMINI_CLI, Vendor::Gemini, &BY_GEMINI_CLI));
    rows
}

/// What a client that takes one API key calls, and what comes of it.
struct Usual {
    /// What the client calls its API key.
    key: &'static str,
    calls: &'static [&'static str],
    /// How the deployment key arrives.
    deployment: &'static str,
    /// How the client's own key arrives.
    own: &'static str,
    error: &'static str,
}

const INVALID_STATUS: &str = "`InvalidStatus` with the filter's message";
/// It says that the handshake was refused, and no more.
const REALTIME_ERROR: &str = "`OpenAIRealtimeError`";
const AUTHENTICATION_ERROR: &str = "`AuthenticationError` with the filter's message";

const MESSAGES: Usual = Usual {
    key: "API key",
    calls: &["messages", "count_tokens", "messages, streamed"],
    deployment: "`x-api-key: D`",
    own: "`x-api-key: K`",
    error: AUTHENTICATION_ERROR,
};

/// The SDK's other parameter for a credential, which it sends as a bearer token.
const BY_TOKEN: Usual = Usual { key: "auth token", ..MESSAGES };

const CHAT_AND_RESPONSES: Usual = Usual {
    calls: &["chat", "Responses", "chat, streamed", "Responses, streamed"],
    deployment: "`authorization: Bearer D`",
    own: "`authorization: Bearer K`",
    ..MESSAGES
};

const CHAT_OF_AZURE: Usual = Usual { deployment: "`api-key: D`", own: "`api-key: K`", ..CHAT_AND_RESPONSES };

const GENERATE_CONTENT: Usual = Usual {
    calls: &["generateContent", "generateContent, streamed"],
    deployment: "`x-goog-api-key: D`",
    own: "`x-goog-api-key: K`",
    error: "`ClientError` with the filter's message",
    ..MESSAGES
};

const BY_HAND: Usual = Usual {
    key: "x-api-key",
    calls: &["messages", "messages, streamed"],
    error: "401 with the filter's message",
    ..MESSAGES
};

/// Codex shows an item when it is whole, so that nothing can be said of streaming.
const BY_CODEX: Usual = Usual { calls: &["Responses"], error: ERROR, ..CHAT_AND_RESPONSES };

/// Gemini CLI always streams.
const BY_GEMINI_CLI: Usual = Usual { calls: &["generateContent, streamed"], error: ERROR, ..GENERATE_CONTENT };

/// The gateway's key, the client's own, a wrong key, and a wrong key beside the client's own.
fn usual(client: Client, vendor: Vendor, usual: &Usual) -> Vec<Row> {
    let row = |given: &[(&'static str, &'static str)], reached, shows| Row {
        client,
        vendor,
        given: given.to_vec(),
        calls: usual.calls.to_vec(),
        reached,
        shows,
    };
    let key = usual.key;
    vec![
        row(&[(key, "G")], usual.deployment, ANSWER),
        row(&[(key, "K"), ("x-litellm-api-key", "G")], usual.own, ANSWER),
        row(&[(key, "W")], NOTHING, usual.error),
        row(&[(key, "K"), ("x-litellm-api-key", "W")], NOTHING, usual.error),
    ]
}

fn claude_code_rows() -> Vec<Row> {
    const DEPLOYMENT: &str = "`x-api-key: D`";
    const HEADER: &str = "x-litellm-api-key";
    const NO_LOGIN: &str = "`Not logged in · Please run /login`";
    const INVALID: &str = "`Invalid API key · Fix external API key`";
    let row = |given: &[(&'static str, &'static str)], reached, shows| Row {
        client: CLAUDE_CODE,
        vendor: Vendor::Anthropic,
        given: given.to_vec(),
        calls: vec!["messages, streamed"],
        reached,
        shows,
    };
    vec![
        row(&[("ANTHROPIC_AUTH_TOKEN", "G")], DEPLOYMENT, ANSWER),
        row(&[("apiKeyHelper", "G")], DEPLOYMENT, ANSWER),
        row(&[("apiKeyHelper", "W, then G")], DEPLOYMENT, ANSWER),
        row(&[("ANTHROPIC_API_KEY", "K"), (HEADER, "G")], "`x-api-key: K`", ANSWER),
        row(&[("CLAUDE_CODE_OAUTH_TOKEN", "O"), (HEADER, "G")], "`authorization: Bearer O`", ANSWER),
        row(&[("ANTHROPIC_AUTH_TOKEN", "W")], NOTHING, NO_LOGIN),
        row(&[("apiKeyHelper", "W")], NOTHING, INVALID),
        row(&[("ANTHROPIC_API_KEY", "K"), (HEADER, "W")], NOTHING, INVALID),
        row(&[("CLAUDE_CODE_OAUTH_TOKEN", "O"), (HEADER, "W")], NOTHING, NO_LOGIN),
    ]
}

/// A WebSocket in a browser has no headers of its own: the key is a subprotocol, and another one a query parameter.
fn browser_rows() -> Vec<Row> {
    const OWN: &str = "`sec-websocket-protocol: realtime, openai-insecure-api-key.K`";
    let row = |given: &[(&'static str, &'static str)], reached, shows| Row {
        client: OPENAI_NODE,
        vendor: Vendor::OpenAi,
        given: given.to_vec(),
        calls: vec!["realtime in a browser"],
        reached,
        shows,
    };
    vec![
        row(&[("API key", "G")], CHAT_AND_RESPONSES.deployment, ANSWER),
        row(&[("API key", "K"), ("?gateway_key", "G")], OWN, ANSWER),
        row(&[("API key", "W")], NOTHING, REALTIME_ERROR),
        row(&[("API key", "K"), ("?gateway_key", "W")], NOTHING, REALTIME_ERROR),
    ]
}
