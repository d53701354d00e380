//! curl over HTTP/2.

use serde_json::{Value, json};

use super::run_to_end;
use crate::outcome::Outcome;
use crate::rows::Row;
use crate::stage::Stage;

/// Envoy refuses a request before its body has come, and ends the stream. curl may then still want to send that body,
/// and fails: curl 7.88 by this error, newer ones
/// [by others](https://github.com/curl/curl/issues/22984).
const STREAM_ERROR: &str = "curl: (92)";

const TRIES: u32 = 10;

pub(super) fn run(row: &Row, call: &str, stage: &Stage, url: &str) -> Outcome {
    for _ in 0..TRIES {
        let outcome = run_once(row, call, stage, url);
        if !matches!(&outcome, Outcome::Refusal { message, .. } if message.contains(STREAM_ERROR)) {
            return outcome;
        }
    }
    panic!("curl failed {TRIES} times: {STREAM_ERROR}")
}

fn run_once(row: &Row, call: &str, stage: &Stage, url: &str) -> Outcome {
    let streamed = call.ends_with("streamed");
    let question = json!({ "role": "user", "content": "hello" });
    let body = json!({ "model": "claude-sonnet-4-5", "max_tokens": 8, "stream": streamed, "messages": [ question ] });
    let (mut command, home) = stage.command("/usr/bin/env", &row.home());
    command.args(["curl", "--silent", "--show-error", "--no-buffer", "--http2", "--cacert"]).arg(stage.authority());
    for (place, letter) in &row.given {
        command.args(["--header", &format!("{place}: {}", row.vendor.secret(letter))]);
    }
    command
        .args(["--header", "content-type: application/json", "--data", &body.to_string()])
        .args(["--write-out", "\n%{http_code} %{http_version}\n"])
        .arg(format!("{url}/v1/messages"));
    let ran = run_to_end(&mut command, &home, stage, |line| line.contains("text_delta"));
    let end = ran.lines.last().cloned().unwrap_or_default();
    let (status, version) = end.split_once(' ').unwrap_or_default();
    if version != "2" {
        return Outcome::Refusal { name: format!("no answer over HTTP/2, but {end:?}"), message: ran.errors };
    }
    let json = |line: &String| serde_json::from_str(line.trim_start_matches("data: ")).ok();
    let said: Vec<Value> = ran.lines.iter().filter_map(json).filter(Value::is_object).collect();
    if status != "200" {
        let message = said.iter().find_map(|body| body["error"]["message"].as_str()).unwrap_or_default();
        return Outcome::Refusal { name: status.to_owned(), message: message.to_owned() };
    }
    let texts = said.iter().filter_map(|body| body["content"][0]["text"].as_str().or(body["delta"]["text"].as_str()));
    Outcome::Answer { text: texts.collect(), first: ran.first }
}
