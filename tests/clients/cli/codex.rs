//! Codex with an API key.

use std::fs;

use super::{error, events, run_to_end};
use crate::client::bin;
use crate::outcome::Outcome;
use crate::rows::Row;
use crate::stage::Stage;

pub(super) fn run(row: &Row, stage: &Stage) -> Outcome {
    let (mut command, home) = stage.command(bin("codex"), &row.home());
    fs::create_dir_all(home.join(".codex")).expect("a writable home");
    let header = row.given("x-litellm-api-key").map(|letter| row.vendor.secret(letter));
    let headers = header.map(|key| format!("http_headers = {{ \"x-litellm-api-key\" = \"{key}\" }}\n"));
    let configuration = format!(
        "model = \"gpt-5.2\"\nmodel_provider = \"gateway\"\n\n[model_providers.gateway]\nname = \"gateway\"\n\
         base_url = \"{}/v1\"\nenv_key = \"GATEWAY_KEY\"\nwire_api = \"responses\"\n\
         request_max_retries = 0\nstream_max_retries = 0\n{}",
        stage.url(row.vendor),
        headers.unwrap_or_default(),
    );
    fs::write(home.join(".codex/config.toml"), configuration).expect("a writable home");
    command
        .args(["exec", "--skip-git-repo-check", "--json", "say hello"])
        .env("GATEWAY_KEY", row.vendor.secret(row.given("API key").expect("a key")));
    let ran = run_to_end(&mut command, &home, stage, |_| false);
    let message = events(&ran).find(|event| event["item"]["type"] == "agent_message");
    match message {
        Some(event) => {
            Outcome::Answer { text: event["item"]["text"].as_str().unwrap_or_default().to_owned(), first: None }
        }
        None => error(format!("{}\n{}", ran.lines.join("\n"), ran.errors)),
    }
}
