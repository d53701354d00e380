//! `byok check` and `byok schema` against the filter, on the whole corpus.

use std::collections::BTreeMap;
use std::fs;
use std::process::Command;

use byok_testkit::corpus::Corpus;
use byok_testkit::root;
use serde_json::Value;

use super::byok;

/// `byok check` refuses what the filter refuses, with the same words, and accepts what the filter accepts.
#[test]
fn check_agrees_with_the_filter() {
    let corpus = Corpus::load();
    let check = |json: &str| check(json, &corpus.environment);
    for known in &corpus.configurations {
        let (code, errors, _) = check(&known.json);
        assert_eq!((code, errors), (Some(0), Vec::new()), "{} in {}", known.name, known.file);
    }
    for warned in &corpus.warnings {
        let (code, errors, warnings) = check(&warned.json);
        assert_eq!((code, errors), (Some(0), Vec::new()), "{}", warned.name);
        for warning in &warned.warnings {
            let said = warnings.iter().any(|(path, message)| *warning == format!("{path}: {message}"));
            assert!(said, "{}: {warning} is not among {warnings:?}", warned.name);
        }
    }
    // A configuration alone may be one of the native module.
    for refused in corpus.refused.iter().filter(|refused| !refused.only_in_wasm) {
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
            let said = errors.iter().any(|(path, message)| {
                // The tool names the one that repeats.
                let repeats = is_of_names_that_repeat(error) && message.starts_with("duplicate field");
                repeats || error == message || error == format!("{path}: {message}")
            });
            assert!(said, "{}: {error} is not among {errors:?}", refused.name);
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

/// Every configuration that the filter accepts is valid, and none that has the wrong form.
#[test]
fn the_schema_is_true_of_the_corpus() {
    let schema: Value = serde_json::from_str(&schema_text()).expect("JSON");
    let schema = jsonschema::draft202012::new(&schema).expect("a schema of draft 2020-12");
    let corpus = Corpus::load();
    let accepted = corpus.configurations.iter().map(|known| (&known.name, &known.json));
    let accepted = accepted.chain(corpus.warnings.iter().map(|known| (&known.name, &known.json)));
    for (name, json) in accepted {
        let configuration = serde_json::from_str(json).expect("JSON");
        if let Err(error) = schema.validate(&configuration) {
            panic!("`{name}` is accepted by the filter and not valid: {error} at {}", error.instance_path());
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
        assert_eq!(of_form, None, "`{}` has the wrong form and is valid", refused.name);
    }
    assert!(seen > unseen.len(), "the schema sees {seen} of the refused configurations, and not these: {unseen:#?}");
}

/// A path and a message.
type Said = (String, String);

/// Returns the exit status, and path and message of the errors and of the warnings.
fn check(json: &str, environment: &BTreeMap<String, String>) -> (Option<i32>, Vec<Said>, Vec<Said>) {
    let file = tempfile::Builder::new().suffix(".json").tempfile().expect("a file");
    fs::write(&file, json).expect("a written file");
    let mut command = Command::new(env!("CARGO_BIN_EXE_byok"));
    let output = command.args(["check", "--format", "json"]).arg(file.path()).envs(environment).output();
    let output = output.expect("byok runs");
    let text = String::from_utf8(output.stdout).expect("UTF-8");
    let found: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
    let of = |severity: &str| {
        let text = |part: &Value| part.as_str().expect("text").to_owned();
        let of = found.iter().filter(|found| found["severity"] == severity);
        of.map(|found| (text(&found["path"]), text(&found["message"]))).collect()
    };
    (output.status.code(), of("error"), of("warning"))
}

/// JSON readers keep one of two fields of a name, so that no schema sees the other.
fn is_of_names_that_repeat(error: &str) -> bool {
    error.contains("duplicate field") || error.contains("with each name once")
}

fn schema_text() -> String {
    String::from_utf8(byok(&["schema"]).stdout).expect("UTF-8")
}
