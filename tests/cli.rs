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

/// Whatever a file, its name or an argument holds, only line ends of the program's own act on a terminal.
#[test]
fn no_command_prints_a_control_character_that_it_was_given() {
    const HOSTILE: &str = "\u{1b}]0;x\u{7}\u{1b}[2J\rerror: forged\u{85}\u{9b}2J\u{202e}\u{200b}sk-EXAMPLE-sentinel";
    let folder = tempfile::tempdir().expect("a folder");
    let write = |name: &str, text: &str| {
        let file = folder.path().join(name);
        fs::write(&file, text).expect("a written file");
        file.to_str().expect("UTF-8").to_owned()
    };
    let name = Value::from(HOSTILE).to_string();
    let with_names = |names: &str| format!(r#"{{ "mode": "auto", "consumers": [], {names} }}"#);
    let good = write(
        "good.json",
        &with_names(&format!(
            r#""realm": "a", "providers": {{ "anthropic": {{ "deployment_key": {{ "environment_variable": {name} }} }} }}"#
        )),
    );
    let unknown = write(&format!("{HOSTILE}.json"), &with_names(&format!("{name}: 1")));
    let broken = write("broken.yaml", &format!("consumers: [ *{HOSTILE}"));
    let litellm = write(
        "litellm.yaml",
        &format!(
            r#"{{ "general_settings": {{ {name}: 1, "litellm_key_header_name": {name}, "pass_through_endpoints": [ {{ "path": {}, "headers": {{ {name}: "a" }} }} ] }} }}"#,
            Value::from(format!("/{HOSTILE}"))
        ),
    );
    let header = format!("x-{HOSTILE}: {HOSTILE}");
    let commands: [&[&str]; 14] = [
        &["check", &good, &unknown, &broken],
        &["check", "--format", "json", &good, &unknown, &broken],
        &["check", HOSTILE],
        &["explain", "-c", &unknown],
        &["explain", "-c", &good, "-X", HOSTILE, "--host", HOSTILE, "--path", &format!("/{HOSTILE}"), "-H", &header],
        &["explain", "-c", &good, "--format", "json", "--cluster", HOSTILE, "-H", &header],
        &["explain", "-c", &good, "--", "curl", &format!("--{HOSTILE}")],
        &["explain", "-c", &good, "--at", HOSTILE],
        &["import-litellm", &litellm],
        &["import-litellm", &unknown],
        &["generate", "--consumer", HOSTILE, "--id", HOSTILE],
        &["generate", "--prefix", HOSTILE],
        &["man", HOSTILE],
        &[HOSTILE],
    ];
    for command in commands {
        let output = Command::new(env!("CARGO_BIN_EXE_byok"))
            .args(command)
            // As before a terminal, where styles are kept.
            .env("CLICOLOR_FORCE", "1")
            .output()
            .expect("byok runs");
        let printed = [output.stdout, output.stderr].map(|bytes| String::from_utf8(bytes).expect("UTF-8")).concat();
        assert!(!printed.is_empty(), "{command:?}");
        let own = without_styles(&printed);
        let acts = |character: char| {
            (character.is_control() && character != '\n') || matches!(character, '\u{202e}' | '\u{200b}')
        };
        assert!(!own.contains(acts), "{command:?}: {own:?}");
        assert!(!printed.lines().any(|line| line.starts_with("error: forged")), "{command:?}: {printed:?}");
        if command[0] == "check" && command.len() > 2 {
            assert!(!printed.replace(&file_name_shown(HOSTILE), "").contains("sentinel"), "{command:?}: {printed:?}");
        }
    }
}

/// Takes out the styles that the program itself sets.
fn without_styles(text: &str) -> String {
    ["0", "1", "31", "32", "33", "34"]
        .iter()
        .fold(text.to_owned(), |text, style| text.replace(&format!("\u{1b}[{style}m"), ""))
}

/// How a file of that name is shown, in text and in JSON.
fn file_name_shown(name: &str) -> String {
    name.rsplit('\u{200b}').next().unwrap_or(name).to_owned() + ".json"
}

/// What is read is bounded before it is understood, and what is understood before it takes memory.
#[test]
fn a_file_takes_time_and_memory_by_its_size() {
    let digest = |number: usize| format!("{number:064x}");
    let key = |number: usize| format!(r#"{{"id":"{number}","sha256":"{}","stray":1}}"#, digest(number));
    let keys: Vec<String> = (0..20_000).map(key).collect();
    let on_one_line = format!(r#"{{"consumers":[{{"name":"a","keys":[{}]}}]}}"#, keys.join(","));
    let aliases = format!("a: &a {}\nb:\n{}", "x".repeat(1_300_000), "- *a\n".repeat(90_000));
    for (name, text, expected) in [
        ("keys.json", on_one_line, "50 errors; more may show"),
        ("aliases.yaml", aliases, "aliases make it too large"),
        ("sequences.yaml", "- ".repeat(500_000), "nested too deeply"),
        ("mappings.yaml", "? ".repeat(500_000), "expected a text for a name"),
        ("deep.json", format!("{}1{}", r#"{"a":"#.repeat(500_000), "}".repeat(500_000)), "nested too deeply"),
    ] {
        let folder = tempfile::tempdir().expect("a folder");
        fs::write(folder.path().join(name), text).expect("a written file");
        let begun = std::time::Instant::now();
        let output = Command::new(env!("CARGO_BIN_EXE_byok"))
            .arg("check")
            .arg(name)
            .current_dir(folder.path())
            .output()
            .expect("byok runs");
        let printed = String::from_utf8_lossy(&output.stdout).into_owned();
        assert!(printed.contains(expected), "{name}: {printed}{}", String::from_utf8_lossy(&output.stderr));
        assert!(begun.elapsed().as_secs() < 10, "{name}: {:?}", begun.elapsed());
    }
}

/// What is printed goes through one place, which escapes it.
#[test]
fn one_file_of_the_tool_writes_to_the_terminal() {
    let mut files = Vec::new();
    collect_of(&root().join("src/cli"), "rs", &mut files);
    assert!(files.len() > 20);
    for file in files.iter().filter(|file| !file.ends_with("output.rs")) {
        let text = fs::read_to_string(file).expect("a readable file");
        for word in ["::stdout", "::stderr", "print!(", "println!(", "dbg!("] {
            assert!(!text.contains(word), "{}: {word}", file.display());
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
    collect_of(folder, "yaml", files);
}

fn collect_of(folder: &Path, wanted: &str, files: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            collect_of(&path, wanted, files);
        } else if path.extension().is_some_and(|extension| extension == wanted) {
            files.push(path);
        }
    }
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}
