//! Claude Code, without its terminal interface.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use serde_json::json;

use super::{events, run_to_end};
use crate::client::claude_code;
use crate::outcome::Outcome;
use crate::rows::Row;
use crate::stage::Stage;

pub(super) fn run(row: &Row, stage: &Stage) -> Outcome {
    let (mut command, home) = stage.command(claude_code(), &row.home());
    command
        .args(["-p", "say hello", "--output-format", "stream-json", "--include-partial-messages", "--verbose"])
        .env("ANTHROPIC_BASE_URL", stage.url(row.vendor))
        .env("CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC", "1")
        .env("CLAUDE_CODE_MAX_RETRIES", "1")
        // It runs as root in a container.
        .env("IS_SANDBOX", "1");
    for (place, letters) in &row.given {
        match *place {
            "apiKeyHelper" => write_helper(&home, row, letters),
            "x-litellm-api-key" => {
                command.env("ANTHROPIC_CUSTOM_HEADERS", format!("{place}: {}", row.vendor.secret(letters)));
            }
            variable => {
                command.env(variable, row.vendor.secret(letters));
            }
        }
    }
    let ran = run_to_end(&mut command, &home, stage, |line| line.contains("\"text_delta\""));
    let result = events(&ran).find(|event| event["type"] == "result");
    let result =
        result.unwrap_or_else(|| panic!("Claude Code ended without a result: {:?}\n{}", ran.lines, ran.errors));
    let text = result["result"].as_str().unwrap_or_default().to_owned();
    if result["is_error"] == true {
        // It has messages of its own for a 401.
        Outcome::Refusal { name: format!("`{text}`"), message: text }
    } else {
        Outcome::Answer { text, first: ran.first }
    }
}

/// Writes a helper that prints one key, or `first, then second`: the second from its second run on.
fn write_helper(home: &Path, row: &Row, letters: &str) {
    let (first, second) = letters.split_once(", then ").unwrap_or((letters, letters));
    let (first, second) = (row.vendor.secret(first), row.vendor.secret(second));
    let helper = home.join("helper");
    let ran = home.join("helper-ran");
    let ran = ran.display();
    let script = format!("#!/bin/sh\nif [ -e {ran} ]; then echo {second}; else : > {ran}; echo {first}; fi\n");
    fs::write(&helper, script).expect("a writable home");
    fs::set_permissions(&helper, fs::Permissions::from_mode(0o700)).expect("a file of ours");
    fs::create_dir_all(home.join(".claude")).expect("a writable home");
    let settings = json!({ "apiKeyHelper": helper }).to_string();
    fs::write(home.join(".claude/settings.json"), settings).expect("a writable home");
}
