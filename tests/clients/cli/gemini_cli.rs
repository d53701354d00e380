//! Gemini CLI with an API key.

use std::fs;

use serde_json::json;

use super::{error, events, run_to_end};
use crate::client::bin;
use crate::outcome::Outcome;
use crate::rows::Row;
use crate::stage::Stage;

pub(super) fn run(row: &Row, stage: &Stage) -> Outcome {
    let (mut command, home) = stage.command(bin("gemini"), &row.home());
    fs::create_dir_all(home.join(".gemini")).expect("a writable home");
    let settings = json!({
        "general": { "enableAutoUpdate": false, "maxAttempts": 1 },
        "privacy": { "usageStatisticsEnabled": false },
        "security": { "auth": { "selectedType": "gemini-api-key" } },
    });
    fs::write(home.join(".gemini/settings.json"), settings.to_string()).expect("a writable home");
    command
        .args(["--model", "gemini-2.5-flash", "--output-format", "stream-json", "--prompt", "say hello"])
        .env("GEMINI_API_KEY", row.vendor.secret(row.given("API key").expect("a key")))
        .env("GOOGLE_GEMINI_BASE_URL", stage.url(row.vendor))
        .env("GEMINI_CLI_TRUST_WORKSPACE", "true");
    if let Some(letter) = row.given("x-litellm-api-key") {
        command.env("GEMINI_CLI_CUSTOM_HEADERS", format!("x-litellm-api-key: {}", row.vendor.secret(letter)));
    }
    let ran = run_to_end(&mut command, &home, stage, |line| line.contains("\"role\":\"assistant\""));
    let succeeded = events(&ran).any(|event| event["type"] == "result" && event["status"] == "success");
    if !succeeded {
        return error(format!("{}\n{}", ran.lines.join("\n"), ran.errors));
    }
    let said = events(&ran).filter(|event| event["role"] == "assistant");
    let text = said.filter_map(|event| event["content"].as_str().map(str::to_owned)).collect();
    Outcome::Answer { text, first: ran.first }
}
