//! The SDKs: one process per language, which takes a task per line.

use std::path::PathBuf;

use byok_testkit::root;
use serde_json::{Value, json};

use crate::client::node;
use crate::outcome::Outcome;
use crate::process::Process;
use crate::rows::Row;
use crate::stage::{Stage, clients};

/// What a worker is written in.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Language {
    Python,
    Node,
}

/// A process with the SDKs of a language.
pub(crate) struct Worker {
    language: Language,
    process: Process,
}

impl Worker {
    pub(crate) fn start(language: Language, stage: &Stage) -> Self {
        let (program, script): (PathBuf, &str) = match language {
            Language::Python => (clients().join("bin/python"), "worker.py"),
            Language::Node => (node().join("node"), "worker.mjs"),
        };
        let (mut command, _) = stage.command(program, script);
        let process = Process::start(command.arg(root().join("tests/clients/drivers").join(script)));
        Self { language, process }
    }

    /// Makes one call with an SDK.
    pub(crate) fn run(&mut self, sdk: &str, row: &Row, call: &str, stage: &Stage) -> Outcome {
        let given = |place: &str| row.given(place).map(|letter| row.vendor.secret(letter));
        let named = |name: &str, place: &str| given(place).map_or(json!({}), |secret| json!({ (name): secret }));
        // OpenAI's SDK for Node knows no WebSocket without TLS.
        let secure = self.language == Language::Node && call.starts_with("realtime");
        let task = json!({
            "client": sdk,
            "call": call,
            "base_url": if secure { stage.tls_url(row.vendor) } else { stage.url(row.vendor) },
            "api_key": given("API key"),
            "auth_token": given("auth token"),
            "headers": named("x-litellm-api-key", "x-litellm-api-key"),
            "query": named("gateway_key", "?gateway_key"),
        });
        self.process.write_line(&task.to_string());
        let mut first = None;
        loop {
            let line = self.process.line().expect("a worker that lives");
            let said: Value = serde_json::from_str(&line).unwrap_or_else(|_| panic!("no JSON: {line}"));
            let text = |name: &str| said[name].as_str().map(str::to_owned);
            if said.get("first").is_some() {
                first = stage.first_part_is_shown();
            } else if let Some(text) = text("text") {
                return Outcome::Answer { text, first };
            } else {
                return Outcome::Refusal {
                    name: format!("`{}`", text("error").unwrap_or_default()),
                    message: text("message").unwrap_or_default(),
                };
            }
        }
    }
}
