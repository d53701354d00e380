//! Credentials, and the letters that stand for them in the table.

use crate::provider::Request;
use crate::rows::NOTHING;

/// Whose API a client speaks.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Vendor {
    Anthropic,
    OpenAi,
    Azure,
    Gemini,
}

pub(crate) const GATEWAY_KEY: &str = "gateway-EXAMPLE-team-a";
const WRONG_KEY: &str = "wrong-EXAMPLE-key-of-nobody";
const LOGIN_TOKEN: &str = "sk-ant-oat01-EXAMPLE-login";
const OAUTH_BETA: &str = "oauth-2025-04-20";

impl Vendor {
    pub(crate) const ALL: [Self; 4] = [Self::Anthropic, Self::OpenAi, Self::Azure, Self::Gemini];

    /// The profile of the filter, which is the name of the listener, too.
    pub(crate) fn profile(self) -> &'static str {
        match self {
            Self::Anthropic => "anthropic",
            Self::OpenAi => "openai",
            Self::Azure => "azure_openai",
            Self::Gemini => "gemini",
        }
    }

    fn client_key(self) -> &'static str {
        match self {
            Self::Anthropic => "sk-ant-api03-EXAMPLE-client",
            Self::OpenAi => "sk-proj-EXAMPLE-client",
            Self::Azure => "azure-EXAMPLE-client",
            Self::Gemini => "AIzaEXAMPLE-client",
        }
    }

    pub(crate) fn deployment_key(self) -> &'static str {
        match self {
            Self::Anthropic => "sk-ant-api03-EXAMPLE-deployment",
            Self::OpenAi => "sk-proj-EXAMPLE-deployment",
            Self::Azure => "azure-EXAMPLE-deployment",
            Self::Gemini => "AIzaEXAMPLE-deployment",
        }
    }

    /// The secret that a letter stands for.
    pub(crate) fn secret(self, letter: &str) -> &'static str {
        let known = self.letters().into_iter().find(|(own, _)| *own == letter);
        known.unwrap_or_else(|| panic!("no credential is called {letter}")).1
    }

    fn letters(self) -> [(&'static str, &'static str); 5] {
        [
            ("G", GATEWAY_KEY),
            ("W", WRONG_KEY),
            ("O", LOGIN_TOKEN),
            ("K", self.client_key()),
            ("D", self.deployment_key()),
        ]
    }

    fn lettered(self, text: &str) -> String {
        self.letters().into_iter().fold(text.to_owned(), |text, (letter, secret)| text.replace(secret, letter))
    }

    /// The credentials that reached the provider, each with its place.
    pub(crate) fn reached(self, arrivals: &[Request]) -> String {
        let mut seen: Vec<String> = arrivals.iter().map(|arrival| self.credentials(arrival)).collect();
        seen.dedup();
        if seen.is_empty() { NOTHING.to_owned() } else { seen.join(", then ") }
    }

    fn credentials(self, arrival: &Request) -> String {
        let is_shown = |name: &str, value: &str| PLACES.contains(&name) || self.lettered(value) != value;
        let headers = arrival.headers.iter().filter(|(name, value)| is_shown(name, value));
        let headers = headers.map(|(name, value)| format!("`{name}: {}`", self.lettered(value)));
        let query = arrival.target.split_once('?').map_or("", |(_, query)| query);
        let parameters = query.split('&').filter(|parameter| self.lettered(parameter) != *parameter);
        let parameters = parameters.map(|parameter| format!("`?{}`", self.lettered(parameter)));
        let all: Vec<String> = headers.chain(parameters).collect();
        if all.is_empty() { "no credential".to_owned() } else { all.join(" and ") }
    }
}

const PLACES: [&str; 5] = ["authorization", "x-api-key", "api-key", "x-goog-api-key", "x-litellm-api-key"];

/// What must never be: a key of the gateway's at the provider, a login token without its beta, or a beta without one.
pub(crate) fn faults(arrivals: &[Request]) -> Vec<String> {
    let shows = |arrival: &Request, secret: &str| {
        let in_headers = arrival.headers.iter().any(|(_, value)| value.contains(secret));
        in_headers || arrival.target.contains(secret) || arrival.body.contains(secret)
    };
    let mut faults = Vec::new();
    for arrival in arrivals {
        for (what, secret) in [("the gateway's key", GATEWAY_KEY), ("a wrong key", WRONG_KEY)] {
            if shows(arrival, secret) {
                faults.push(format!("{what} reached the provider: {} {}", arrival.method, arrival.target));
            }
        }
        let beta = arrival.header("anthropic-beta").unwrap_or_default();
        if shows(arrival, LOGIN_TOKEN) != beta.split(',').any(|item| item.trim() == OAUTH_BETA) {
            faults.push(format!("anthropic-beta: {beta}"));
        }
    }
    faults
}
