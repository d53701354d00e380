//! The command-line tool: what its commands print, and whether its schema is true.
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::string_slice,
    clippy::unwrap_used,
    reason = "a test stops where it fails"
)]

mod corpus;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use corpus::Corpus;
use serde_json::Value;

/// Each file shows commands and what they print; `TRYCMD=overwrite cargo test --test cli` writes them anew.
#[test]
fn commands_print_what_the_files_show() {
    trycmd::TestCases::new()
        .default_bin_path(env!("CARGO_BIN_EXE_byok"))
        .case("tests/cli/*.trycmd")
        .case("tests/cli/*.toml");
}

#[test]
fn every_example_is_in_order() {
    let mut examples = Vec::new();
    collect(&root().join("envoy"), &mut examples);
    assert!(!examples.is_empty(), "envoy/ holds examples");
    for example in examples {
        let text = fs::read_to_string(&example).expect("a readable file");
        // Snippets without the filter are not for this check.
        if !["Wasm", "EnvoyExtensionPolicy", "TrafficExtension"].iter().any(|word| text.contains(word)) {
            continue;
        }
        let output = Command::new(env!("CARGO_BIN_EXE_byok")).arg("check").arg(&example).output().expect("byok runs");
        let shown = String::from_utf8_lossy(&output.stdout).into_owned();
        assert!(output.status.success(), "{}: {shown}{}", example.display(), String::from_utf8_lossy(&output.stderr));
    }
}

/// What the filter refuses `byok check` refuses with the same words, and takes what the filter takes.
#[test]
fn check_agrees_with_the_filter() {
    let corpus = Corpus::load();
    let check = |json: &str| {
        let file = tempfile::Builder::new().suffix(".json").tempfile().expect("a file");
        fs::write(&file, json).expect("a written file");
        let mut command = Command::new(env!("CARGO_BIN_EXE_byok"));
        let output = command.args(["check", "--format", "json"]).arg(file.path()).envs(&corpus.environment).output();
        let output = output.expect("byok runs");
        let findings: Vec<Value> = String::from_utf8(output.stdout)
            .expect("UTF-8")
            .lines()
            .map(|line| serde_json::from_str(line).expect("JSON"))
            .collect();
        let told = |severity: &str| {
            let of = findings.iter().filter(move |finding| finding["severity"] == severity);
            let text = |part: &Value| part.as_str().expect("text").to_owned();
            of.map(|finding| (text(&finding["path"]), text(&finding["message"]))).collect::<Vec<_>>()
        };
        (output.status.code(), told("error"), told("warning"))
    };
    for known in &corpus.configurations {
        let (code, errors, _) = check(&known.json);
        assert_eq!((code, errors), (Some(0), Vec::new()), "{} in {}", known.name, known.file);
    }
    for doubtful in &corpus.doubtful {
        let (code, errors, warnings) = check(&doubtful.json);
        assert_eq!((code, errors), (Some(0), Vec::new()), "{}", doubtful.name);
        for warning in &doubtful.warnings {
            let told = warnings.iter().any(|(path, message)| *warning == format!("{path}: {message}"));
            assert!(told, "{}: {warning} is not among {warnings:?}", doubtful.name);
        }
    }
    for refused in &corpus.refused {
        let (code, errors, _) = check(&refused.json);
        // What is not set here may be set where the filter runs.
        let expected = refused.errors.iter().filter(|error| !error.contains("an environment variable that is set"));
        for error in expected {
            let error = error.split(" (line ").next().unwrap_or(error);
            let error = error.split(" at line ").next().unwrap_or(error);
            let error = error.strip_prefix("configuration: ").unwrap_or(error);
            // A file of something else holds no configuration to speak of.
            if refused.json.trim_start().starts_with('[') {
                assert_eq!(code, Some(1), "{}", refused.name);
                continue;
            }
            let told = errors.iter().any(|(path, message)| {
                // The tool names the one that repeats.
                let repeats = is_of_names_that_repeat(error) && message.starts_with("duplicate field");
                repeats || error == message || error == format!("{path}: {message}")
            });
            assert!(told, "{}: {error} is not among {errors:?}", refused.name);
            assert_eq!(code, Some(1), "{}", refused.name);
        }
    }
}

#[test]
fn the_committed_schema_is_the_one_of_the_code() {
    assert_eq!(
        fs::read_to_string(root().join("envoy/byok.schema.json")).expect("envoy/byok.schema.json"),
        schema_text(),
        "run: cargo run --bin byok -- schema > envoy/byok.schema.json"
    );
}

/// What the filter takes is valid; what has not the form that the filter wants is not.
#[test]
fn the_schema_is_true_of_the_corpus() {
    let schema: Value = serde_json::from_str(&schema_text()).expect("JSON");
    let schema = jsonschema::draft202012::new(&schema).expect("a schema of draft 2020-12");
    let corpus = Corpus::load();
    let taken = corpus.configurations.iter().map(|known| (&known.name, &known.json));
    let taken = taken.chain(corpus.doubtful.iter().map(|known| (&known.name, &known.json)));
    for (name, json) in taken {
        let configuration = serde_json::from_str(json).expect("JSON");
        if let Err(error) = schema.validate(&configuration) {
            panic!("`{name}` is taken by the filter and not valid: {error} at {}", error.instance_path());
        }
    }
    let (mut seen, mut unseen) = (0, Vec::new());
    for refused in &corpus.refused {
        let Ok(configuration) = serde_json::from_str(&refused.json) else { continue };
        if !schema.is_valid(&configuration) {
            seen += 1;
            continue;
        }
        unseen.push(refused.name.as_str());
        let of_form = refused.errors.iter().find(|error| error.contains(" (line ") && !is_of_names_that_repeat(error));
        assert_eq!(of_form, None, "`{}` has not the right form and is valid", refused.name);
    }
    corpus::say(&format!("schema: sees {seen} of the refused configurations, not these {}:", unseen.len()));
    unseen.iter().for_each(|name| corpus::say(&format!("  {name}")));
    assert!(seen > unseen.len(), "the schema sees most of what the filter refuses");
}

/// JSON readers keep one of two fields of a name, so that no schema sees the other.
fn is_of_names_that_repeat(error: &str) -> bool {
    error.contains("duplicate field") || error.contains("with each name once")
}

fn schema_text() -> String {
    let output = Command::new(env!("CARGO_BIN_EXE_byok")).arg("schema").output().expect("byok runs");
    String::from_utf8(output.stdout).expect("UTF-8")
}

fn collect(folder: &Path, files: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            collect(&path, files);
        } else if path.extension().is_some_and(|extension| extension == "yaml") {
            files.push(path);
        }
    }
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}
