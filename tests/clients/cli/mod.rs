//! The programs: one process per call.

mod claude_code;
mod codex;
mod curl;
mod gemini_cli;

use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use crate::client::Program;
use crate::outcome::Outcome;
use crate::process::Process;
use crate::rows::Row;
use crate::stage::Stage;

/// Makes one call with a program.
pub(crate) fn run(program: Program, row: &Row, call: &str, stage: &Stage) -> Outcome {
    match program {
        Program::ClaudeCode => claude_code::run(row, stage),
        Program::Codex => codex::run(row, stage),
        Program::GeminiCli => gemini_cli::run(row, stage),
        Program::Curl => curl::run(row, call, stage, &stage.tls_url(row.vendor)),
        Program::Sdk(..) => unreachable!("a worker runs it"),
    }
}

/// The same call through the gateway that collects each answer.
pub(crate) fn curl_through(url: &str, row: &Row, call: &str, stage: &Stage) -> Outcome {
    curl::run(row, call, stage, url)
}

/// What a program wrote.
struct Ran {
    lines: Vec<String>,
    /// As [`Outcome::Answer`] has it.
    first: Option<Duration>,
    /// What it wrote to its standard error.
    errors: String,
}

/// Runs a program to its end; `shows_first` recognises the line with the first part of a streamed answer.
fn run_to_end(command: &mut Command, home: &Path, stage: &Stage, shows_first: impl Fn(&str) -> bool) -> Ran {
    let mut process = Process::start(command);
    process.close_input();
    let mut ran = Ran { lines: Vec::new(), first: None, errors: String::new() };
    while let Some(line) = process.line() {
        if ran.first.is_none() && shows_first(&line) {
            ran.first = stage.first_part_is_shown();
        }
        ran.lines.push(line);
    }
    let errors = fs::read(home.join("stderr")).unwrap_or_default();
    ran.errors = String::from_utf8_lossy(&errors).into_owned();
    ran
}

/// The lines that are JSON.
fn events(ran: &Ran) -> impl Iterator<Item = serde_json::Value> {
    ran.lines.iter().filter_map(|line| serde_json::from_str(line).ok())
}

/// A program has no class of errors: it ends with a message.
fn error(message: String) -> Outcome {
    Outcome::Refusal { name: "an error".to_owned(), message }
}
