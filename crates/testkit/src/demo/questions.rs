use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};

use crate::http;

/// The key that the demo's Envoy gets in `ANTHROPIC_API_KEY`: never a real one, since the upstream shows it.
pub const DEPLOYMENT_KEY: &str = "sk-ant-api03-EXAMPLE-deployment";

const URL: &str = "http://127.0.0.1:10000/v1/messages";
const CLIENT_KEY: &str = "sk-ant-api03-EXAMPLE-client";

/// A request to the demo's gateway, and what must become of it.
pub(super) struct Question {
    pub(super) sentence: &'static str,
    headers: &'static [(&'static str, &'static str)],
    expected: Expected,
    /// What the access log must say, among other things.
    logged: &'static [(&'static str, &'static str)],
}

enum Expected {
    /// 200, and this is the one credential that reaches the upstream, in `x-api-key`.
    UpstreamGets(&'static str),
    /// 401, in Anthropic's words.
    Refused,
}

pub(super) const QUESTIONS: &[Question] = &[
    Question {
        sentence: "the client's own provider key is kept",
        headers: &[("x-litellm-api-key", "byok-demo-team-a"), ("x-api-key", CLIENT_KEY)],
        expected: Expected::UpstreamGets(CLIENT_KEY),
        logged: &[("reason", "verified"), ("consumer", "team-a"), ("key_id", "old"), ("credential_source", "client")],
    },
    Question {
        sentence: "a client without one gets the gateway's",
        headers: &[("x-litellm-api-key", "byok-demo-team-b")],
        expected: Expected::UpstreamGets(DEPLOYMENT_KEY),
        logged: &[("reason", "verified"), ("consumer", "team-b"), ("credential_source", "deployment")],
    },
    Question {
        sentence: "the same proxy key twice (Claude Code's apiKeyHelper) does not leak",
        headers: &[("authorization", "Bearer byok-demo-team-a-next"), ("x-api-key", "byok-demo-team-a-next")],
        expected: Expected::UpstreamGets(DEPLOYMENT_KEY),
        logged: &[("reason", "verified"), ("key_id", "next"), ("credential_source", "deployment")],
    },
    Question {
        sentence: "a wrong proxy key is refused",
        headers: &[("x-litellm-api-key", "byok-demo-wrong"), ("x-api-key", CLIENT_KEY)],
        expected: Expected::Refused,
        logged: &[("decision", "deny"), ("reason", "unknown_api_key"), ("details", "byok_unknown_api_key")],
    },
    Question {
        sentence: "no key at all is refused",
        headers: &[],
        expected: Expected::Refused,
        logged: &[("decision", "deny"), ("reason", "missing_api_key"), ("details", "byok_missing_api_key")],
    },
];

impl Question {
    /// Returns the command that sends this request by hand.
    pub(super) fn curl(&self) -> String {
        let headers = self.headers.iter().map(|(name, value)| format!(" -H '{name}: {value}'"));
        format!("curl {URL}{}", headers.collect::<String>())
    }

    pub(super) fn ask(&self) -> Result<http::Answer> {
        http::get(URL, self.headers).context("the gateway did not answer")
    }

    pub(super) fn check(&self, answer: &http::Answer) -> Result<()> {
        let body: Value = serde_json::from_str(&answer.body).unwrap_or_default();
        match self.expected {
            Expected::UpstreamGets(key) => {
                let expected = json!({ "authorization": null, "x-api-key": key, "x-litellm-api-key": null });
                ensure!(answer.status == 200 && body == expected, "expected 200 {expected}");
            }
            Expected::Refused => {
                let kind = body.pointer("/error/type").and_then(Value::as_str);
                ensure!(
                    answer.status == 401 && kind == Some("authentication_error") && answer.www_authenticate.is_some(),
                    "expected 401 with www-authenticate and an authentication_error"
                );
            }
        }
        Ok(())
    }

    pub(super) fn check_log(&self, line: &str) -> Result<()> {
        let line: Value = serde_json::from_str(line).context("this line of the access log is not JSON")?;
        for (field, expected) in self.logged {
            let found = line.get(field).and_then(Value::as_str);
            ensure!(found == Some(*expected), "expected {field} {expected} in the access log");
        }
        Ok(())
    }
}
