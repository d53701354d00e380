//! Credentials, and the letters that stand for them in the table.

use crate::http::{Lines, Message};

/// The proxy key; LiteLLM's master key here, as without a database it knows no other.
pub(crate) const LITELLM_KEY: &str = "sk-byok-demo-team-a";

/// The proxy key where LiteLLM does not know it: the filter gives LiteLLM one of its own.
pub(crate) const CALLER_KEY: &str = "byok-demo-team-a";

pub(crate) const ANTHROPIC_DEPLOYMENT: &str = "sk-ant-api03-EXAMPLE-deployment";
pub(crate) const OPENAI_DEPLOYMENT: &str = "sk-EXAMPLE-openai-deployment";
pub(crate) const ENVIRONMENT: &str = "sk-ant-api03-EXAMPLE-environment";

const OTHERS: [(&str, &str); 5] = [
    ("K", "sk-ant-api03-EXAMPLE-client"),
    ("O", "sk-ant-oat01-EXAMPLE-client"),
    ("D", ANTHROPIC_DEPLOYMENT),
    ("D", OPENAI_DEPLOYMENT),
    ("E", ENVIRONMENT),
];

const PLACES: [&str; 6] =
    ["authorization", "x-api-key", "x-litellm-api-key", "api-key", "x-company-key", "x-pass-authorization"];

const OAUTH_BETA: &str = "oauth-2025-04-20";

/// Puts credentials in place of letters.
pub(crate) fn written(headers: &[(&str, &str)], proxy_key: &str) -> Lines {
    let word = |word: &str| match OTHERS.iter().find(|(letter, _)| *letter == word) {
        _ if word == "M" => proxy_key.to_owned(),
        Some((_, secret)) => (*secret).to_owned(),
        None => word.to_owned(),
    };
    let value = |value: &str| value.split(' ').map(word).collect::<Vec<_>>().join(" ");
    headers.iter().map(|(name, text)| ((*name).to_owned(), value(text))).collect()
}

/// What client and provider saw of one request.
#[derive(Debug)]
pub(crate) struct Seen {
    pub(crate) proxy_key: &'static str,
    /// What the client sent as `anthropic-beta`.
    pub(crate) beta: Option<&'static str>,
    pub(crate) answer: Message,
    pub(crate) arrivals: Vec<Message>,
}

impl Seen {
    /// Credentials at the provider, or who refused the request with which status.
    pub(crate) fn shown(&self) -> String {
        if self.arrivals.is_empty() {
            let by = if self.came_from_behind_envoy() { " LiteLLM" } else { "" };
            return format!("{}{by}", self.answer.status());
        }
        self.arrivals.iter().map(|arrival| self.credentials(arrival)).collect::<Vec<_>>().join(", then ")
    }

    /// Tells whether the proxy key stands anywhere in what the provider was sent.
    pub(crate) fn shows_the_proxy_key(&self) -> bool {
        let shows = |text: &str| text.contains(self.proxy_key);
        self.arrivals.iter().any(|arrival| {
            shows(&arrival.start) || shows(&arrival.body) || arrival.lines.iter().any(|(_, value)| shows(value))
        })
    }

    /// What must not be where the filter is in front.
    pub(crate) fn faults(&self) -> Vec<String> {
        let mut faults = Vec::new();
        if self.shows_the_proxy_key() {
            faults.push("the proxy key reached the provider".to_owned());
        }
        if self.arrivals.len() > 1 {
            faults.push(format!("{} requests reached the provider", self.arrivals.len()));
        }
        if self.arrivals.is_empty() == (self.answer.status() == 200) {
            faults.push(format!("status {}: {}", self.answer.status(), self.answer.body));
        }
        let challenge = self.answer.header("www-authenticate").is_some();
        if self.answer.status() == 401 && !self.came_from_behind_envoy() && !challenge {
            faults.push("401 without a challenge".to_owned());
        }
        let beta = self.arrivals.first().and_then(|arrival| arrival.header("anthropic-beta")).unwrap_or_default();
        let named = |name: &str| beta.split(',').any(|own| own.trim() == name);
        if self.shown() == "O" && !(named(OAUTH_BETA) && self.beta.is_none_or(named)) {
            faults.push(format!("anthropic-beta: {beta}"));
        }
        faults
    }

    fn credentials(&self, arrival: &Message) -> String {
        let credentials: Vec<String> = arrival
            .lines
            .iter()
            .filter(|(name, value)| PLACES.contains(&name.as_str()) || self.lettered(value) != *value)
            .map(|(name, value)| credential(name, &self.lettered(value)))
            .collect();
        if credentials.is_empty() { "none".to_owned() } else { credentials.join(" + ") }
    }

    /// Envoy's own answers, the filter's refusals among them, lack this header.
    fn came_from_behind_envoy(&self) -> bool {
        self.answer.header("x-envoy-upstream-service-time").is_some()
    }

    fn lettered(&self, value: &str) -> String {
        let known = [("M", self.proxy_key), ("L", LITELLM_KEY)].into_iter().chain(OTHERS);
        known.fold(value.to_owned(), |value, (letter, secret)| value.replace(secret, letter))
    }
}

/// The letter alone where it stands in its own place.
fn credential(name: &str, value: &str) -> String {
    match (name, value) {
        ("x-api-key", "K" | "D" | "E" | "M" | "dummy") => value.to_owned(),
        ("authorization", "Bearer O") => "O".to_owned(),
        ("authorization", "Bearer D") => "D".to_owned(),
        _ => format!("{name}: {value}"),
    }
}
